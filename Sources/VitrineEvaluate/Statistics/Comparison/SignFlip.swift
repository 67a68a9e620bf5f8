import VitrineTensor

/// The paired sign-flip permutation test: under the null hypothesis each patient's difference is as likely as its negative.
///
/// The statistic is the sum of the differences, equivalent to their mean. Pass one value per patient: `ClusterRatio.numerators` of
/// the differences. Against chance, pass score minus chance with `.greater`.
/// Source: Fisher 1935; Phipson & Smyth 2010 for (1 + hits) / (1 + draws), https://doi.org/10.2202/1544-6115.1585.
public enum SignFlip {
    /// Up to this many differences other than 0 the test is exact.
    public static let exactLimit = 36

    /// The p-value of the differences' sum.
    ///
    /// Exact for up to `exactLimit` non-zero differences: the sums of all signs of either half are merged in order and counted
    /// against each other, O(2^(n/2)) instead of O(2^n). Otherwise Monte Carlo with `draws` sign vectors, keyed by the seed and the
    /// draw's index: tests over the same number of patients share their signs. Sums that agree within 1e-12 of Σ|d| count as ties.
    ///
    /// - Throws: `StatisticsError` when nothing is given or a difference is not finite.
    public static func test(_ differences: [Double], alternative: Alternative = .twoSided, draws: Int = 10_000, seed: UInt64) throws
        -> TestResult
    {
        guard !differences.isEmpty else { throw StatisticsError.empty(what: "differences") }
        try validate(differences, what: "differences")
        let informative = differences.filter { $0 != 0 }
        let observed = differences.reduce(0, +)
        let method: TestResult.Method = informative.count <= exactLimit ? .exact : .monteCarlo
        let tolerance = 1e-12 * informative.reduce(0) { $0 + abs($1) }
        // Everything is counted in the upper tail; the null distribution is symmetric.
        let threshold = (alternative == .twoSided ? abs(observed) : alternative == .greater ? observed : -observed) - tolerance
        func result(_ p: Double) -> TestResult {
            TestResult(statistic: observed, pValue: min(1, p), count: informative.count, method: method)
        }
        if alternative == .twoSided, threshold <= 0 { return result(1) }
        guard method == .monteCarlo else {
            let share = upperShare(informative, threshold)
            return result(alternative == .twoSided ? 2 * share : share)
        }
        guard draws > 0 else { throw StatisticsError.tooFew(what: "sign-flip draws", needed: 1, found: draws) }
        let hits = upperHits(differences, threshold, twoSided: alternative == .twoSided, draws: draws, seed: seed)
        return result(Double(1 + hits) / Double(1 + draws))
    }

    /// The share of all 2^n sign vectors whose sum is at least `threshold`.
    private static func upperShare(_ values: [Double], _ threshold: Double) -> Double {
        let low = signedSums(values[..<(values.count / 2)])
        let high = signedSums(values[(values.count / 2)...])
        var (count, j) = (0, high.count)
        for sum in low {
            while j > 0, sum + high[j - 1] >= threshold { j -= 1 }
            count += high.count - j
        }
        return Double(count) / (Double(low.count) * Double(high.count))
    }

    /// The sums under every choice of signs, ascending: each value merges the list shifted down with the list shifted up.
    private static func signedSums(_ values: ArraySlice<Double>) -> [Double] {
        var sums = [0.0]
        for value in values {
            let shift = abs(value)
            var merged: [Double] = []
            merged.reserveCapacity(2 * sums.count)
            var i = 0
            for sum in sums {
                while i < sums.count, sums[i] + shift < sum - shift {
                    merged.append(sums[i] + shift)
                    i += 1
                }
                merged.append(sum - shift)
            }
            while i < sums.count {
                merged.append(sums[i] + shift)
                i += 1
            }
            sums = merged
        }
        return sums
    }

    /// How many random sign vectors reach the threshold. Sums over eight patients are looked up by their eight sign bits.
    private static func upperHits(_ values: [Double], _ threshold: Double, twoSided: Bool, draws: Int, seed: UInt64) -> Int {
        let groups = (values.count + 7) / 8
        var table = [Double](repeating: 0, count: groups * 256)
        for g in 0..<groups {
            let members = values[8 * g..<min(values.count, 8 * g + 8)]
            for bits in 0..<256 {
                var sum = 0.0
                for (bit, value) in members.enumerated() { sum += bits >> bit & 1 == 1 ? -value : value }
                table[256 * g + bits] = sum
            }
        }
        var hits = 0
        for draw in 0..<draws {
            var generator = Philox(seed: seed, name: "sign flip", index: UInt64(draw))
            var sum = 0.0
            var g = 0
            while g < groups {
                var signs = generator.nextUInt32()
                for group in g..<min(groups, g + 4) {
                    sum += table[256 * group + Int(signs & 255)]
                    signs >>= 8
                }
                g += 4
            }
            if sum >= threshold || twoSided && -sum >= threshold { hits += 1 }
        }
        return hits
    }
}
