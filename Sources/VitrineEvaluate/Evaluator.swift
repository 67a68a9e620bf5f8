import VitrineTensor

/// Scores maps against masks by a set of metrics, each with its chance level and ceiling.
///
/// Permutations are drawn once per map and shared by all metrics that need them; they depend on the seed, the item's name
/// and their index alone, not on the other metrics, the order of the maps or the threads.
public struct Evaluator: Sendable {
    public let metrics: [any Metric]
    public let rules: EvaluationProtocol
    public let seed: UInt64
    /// Number of permutations behind a chance level without a closed form.
    public let permutations: Int

    public init(metrics: [any Metric], protocol rules: EvaluationProtocol, seed: UInt64 = 0, permutations: Int = 1000) {
        precondition(permutations > 0, "a chance level needs at least one permutation")
        self.metrics = metrics
        self.rules = rules
        self.seed = seed
        self.permutations = permutations
    }

    /// Metrics by name, under one protocol.
    public init(
        _ names: [String], protocol rules: EvaluationProtocol, seed: UInt64 = 0, permutations: Int = 1000
    ) throws(MetricError) {
        var metrics: [any Metric] = []
        for name in names { metrics.append(try MetricRegistry.metric(name, protocol: rules)) }
        self.init(metrics: metrics, protocol: rules, seed: seed, permutations: permutations)
    }

    /// One score per metric, in their order.
    ///
    /// - Parameter item: name of image and method; part of the permutations' seed.
    /// - Throws: `MetricError.sizeMismatch`.
    /// - Complexity: O(n log n) at most for the values; a smooth map's chance levels cost `permutations` displays.
    public func scores(of map: ScoredMap, on mask: ScoredMask, item: String) throws(MetricError) -> [Score] {
        guard map.height == mask.height && map.width == mask.width else {
            throw .sizeMismatch(
                mapHeight: map.height, mapWidth: map.width, maskHeight: mask.height, maskWidth: mask.width)
        }
        guard !mask.isEmpty else {
            let nothing: Double? = rules == .study ? 0 : nil
            return metrics.map { _ in
                Score(
                    value: nothing, chance: nothing, ceiling: nothing, status: .emptyMask,
                    chanceSource: nothing == nil ? nil : .exact)
            }
        }
        // A map that holds NaN or infinity says nothing, not even what chance says: it takes part in no mean.
        guard map.flag != .nonFiniteMap else {
            return metrics.map { _ in Score(value: nil, chance: nil, ceiling: nil, status: .nonFiniteMap) }
        }
        let ranking = SiteRanking(map, mask)
        var scores: [Score] = []
        var pending: [Int] = []
        for metric in metrics {
            var score = Score(
                value: metric.value(of: ranking), chance: nil, ceiling: metric.ceiling(of: ranking),
                status: map.flag ?? (mask.isFull ? .fullMask : .ok))
            if score.value == nil && metric.isUndefined(on: mask) {
                score.ceiling = nil
            } else if score.value == nil {
                // No mass: the map prefers no place.
                score.value = mask.area
                score.chance = mask.area
                score.chanceSource = .exact
                if map.flag == nil { score.status = .noMass }
            } else if map.flag == .constantMap {
                // Every permutation is the map itself.
                score.chance = score.value
                score.chanceSource = .exact
            } else if let chance = metric.exactChance(of: ranking) {
                score.chance = chance
                score.chanceSource = .exact
            } else {
                pending.append(scores.count)
            }
            scores.append(score)
        }
        if !pending.isEmpty { addPermutationChance(to: &scores, pending, map, ranking, item) }
        return scores
    }

    private func addPermutationChance(
        to scores: inout [Score], _ pending: [Int], _ map: ScoredMap, _ ranking: SiteRanking, _ item: String
    ) {
        // Deviations from the first permutation's value keep the variance free of cancellation.
        var origin = [Double](repeating: 0, count: pending.count)
        var sums = origin
        var squares = origin
        let sample: any RankedMap
        let permute: (inout Philox) -> Void
        switch map.null {
        case .sites:
            sample = ranking
            permute = { ranking.permute(&$0) }
        case .display(let native):
            let smooth = SmoothRanking(native, ranking.mask)
            sample = smooth
            permute = { smooth.permute(&$0) }
        }
        for index in 0..<permutations {
            var random = Philox(seed: seed, name: item, index: UInt64(index))
            permute(&random)
            for (place, i) in pending.enumerated() {
                // A permutation without mass prefers no place.
                let value = metrics[i].value(of: sample) ?? ranking.mask.area
                if index == 0 { origin[place] = value }
                sums[place] += value - origin[place]
                squares[place] += (value - origin[place]) * (value - origin[place])
            }
        }
        let count = Double(permutations)
        for (place, i) in pending.enumerated() {
            let variance = max(0, (squares[place] - sums[place] * sums[place] / count) / max(1, count - 1))
            scores[i].chance = origin[place] + sums[place] / count
            scores[i].chanceSource = .permutation
            scores[i].chanceStandardError = (variance / count).squareRoot()
        }
    }
}

extension Metric {
    /// A full mask leaves nothing to tell apart; mass metrics are undefined because of the map instead.
    fileprivate func isUndefined(on mask: ScoredMask) -> Bool { mask.isFull && self is AreaUnderROC }
}
