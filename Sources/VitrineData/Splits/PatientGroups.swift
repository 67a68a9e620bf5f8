import VitrineTensor

/// Samples that must stay together: those of one patient; a sample without a patient stands alone.
struct PatientGroups {
    /// Positions of the samples of each group.
    let members: [[Int]]
    /// Samples of each group by label; the last place counts those without one.
    let labelCounts: [[Int]]

    /// Groups in an order that depends on the seed and on the names of patients and samples, not on the order of the samples.
    init(_ samples: [Sample], seed: UInt64, purpose: String) {
        var positions: [String: [Int]] = [:]
        for (i, sample) in samples.enumerated() {
            // The prefix keeps a patient and a sample of the same name apart.
            positions[sample.patient.map { "p" + $0 } ?? "s" + sample.id, default: []].append(i)
        }
        let classes = (samples.compactMap(\.label).max() ?? -1) + 1
        var keys = positions.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var generator = Philox(seed: seed, name: "split." + purpose)
        for i in stride(from: keys.count - 1, to: 0, by: -1) { keys.swapAt(i, generator.below(i + 1)) }
        // Large groups first: the small ones then even out what is left. The sort keeps the drawn order among equals.
        let order = keys.enumerated().sorted { a, b in
            let (sizeA, sizeB) = (positions[a.element]!.count, positions[b.element]!.count)
            return sizeA != sizeB ? sizeA > sizeB : a.offset < b.offset
        }
        members = order.map { positions[$0.element]! }
        labelCounts = members.map { group in
            var counts = [Int](repeating: 0, count: classes + 1)
            for i in group { counts[samples[i].label ?? classes] += 1 }
            return counts
        }
    }

    /// Deals the groups to parts of given shares (their sum is 1), so that each label comes as close to the shares as whole groups allow.
    ///
    /// Each group goes to the part where it raises the sum of share · (dealt / due)² least, over the labels and over all
    /// samples (Webster's rule of apportionment, label by label). A part of share 0 stays empty; every
    /// other one gets a group if there are enough.
    ///
    /// - Returns: the part of each group.
    func dealt(shares: [Double]) -> [Int] {
        // All samples count as one more label, so that parts stay even where labels do not decide.
        let counts = labelCounts.map { $0 + [$0.reduce(0, +)] }
        let labels = counts.first?.count ?? 0
        let totals = (0..<labels).map { label in Double(counts.reduce(0) { $0 + $1[label] }) }
        var dealt = [[Double]](repeating: [Double](repeating: 0, count: labels), count: shares.count)
        var empty = Set(shares.indices.filter { shares[$0] > 0 })
        return counts.enumerated().map { i, group in
            let mustFill = counts.count - i <= empty.count
            var best = 0
            var bestCost = Double.infinity
            for part in shares.indices where mustFill ? empty.contains(part) : shares[part] > 0 {
                var cost = 0.0
                for label in 0..<labels where group[label] > 0 {
                    let before = dealt[part][label]
                    let after = before + Double(group[label])
                    cost += (after * after - before * before) / (shares[part] * totals[label] * totals[label])
                }
                if cost < bestCost { (best, bestCost) = (part, cost) }
            }
            for label in 0..<labels { dealt[best][label] += Double(group[label]) }
            empty.remove(best)
            return best
        }
    }
}
