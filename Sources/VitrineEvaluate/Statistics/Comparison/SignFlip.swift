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
        try tests([differences], alternative: alternative, draws: draws, seed: seed)[0]
    }

    /// The same of several lists of differences, which share each draw of signs: as one by one, bit for bit.
    ///
    /// - Parameter workers: threads; results do not depend on it.
    /// - Complexity: O(tests · draws · patients / 8).
    public static func tests(
        _ lists: [[Double]], alternative: Alternative = .twoSided, draws: Int = 10_000, seed: UInt64, workers: Int = 1
    ) throws -> [TestResult] {
        let candidates = try lists.map { try Candidate($0, alternative) }
        // Those that only draws decide.
        let drawn = candidates.indices.filter { candidates[$0].needsDraws }
        if draws <= 0, !drawn.isEmpty { throw StatisticsError.tooFew(what: "sign-flip draws", needed: 1, found: draws) }
        let exact = orderedParallel(candidates.count, workers: workers) { i, _ in candidates[i].exactPValue }
        let hits = upperHits(drawn.map { candidates[$0] }, draws: draws, seed: seed, workers: workers)
        var pValues = exact.map { $0 ?? 1 }
        for (i, count) in zip(drawn, hits) { pValues[i] = Double(1 + count) / Double(1 + draws) }
        return zip(candidates, pValues).map { candidate, p in
            TestResult(statistic: candidate.observed, pValue: min(1, p), count: candidate.informative.count, method: candidate.method)
        }
    }

    /// A list of differences and what its sum is compared with.
    private struct Candidate: Sendable {
        let differences: [Double]
        let informative: [Double]
        let observed: Double
        let isTwoSided: Bool
        /// Everything is counted in the upper tail; the null distribution is symmetric.
        let threshold: Double

        init(_ differences: [Double], _ alternative: Alternative) throws {
            guard !differences.isEmpty else { throw StatisticsError.empty(what: "differences") }
            try validate(differences, what: "differences")
            self.differences = differences
            informative = differences.filter { $0 != 0 }
            observed = differences.reduce(0, +)
            isTwoSided = alternative == .twoSided
            let tolerance = 1e-12 * informative.reduce(0) { $0 + abs($1) }
            threshold = (isTwoSided ? abs(observed) : alternative == .greater ? observed : -observed) - tolerance
        }

        var method: TestResult.Method { informative.count <= exactLimit ? .exact : .monteCarlo }
        /// Every draw reaches the threshold.
        private var isCertain: Bool { isTwoSided && threshold <= 0 }
        var needsDraws: Bool { method == .monteCarlo && !isCertain }

        /// Nil where draws decide.
        var exactPValue: Double? {
            if isCertain { return 1 }
            guard method == .exact else { return nil }
            let share = upperShare(informative, threshold)
            return isTwoSided ? 2 * share : share
        }
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

    /// How many random sign vectors reach each threshold. Sums over eight patients are looked up by their eight sign bits.
    private static func upperHits(_ candidates: [Candidate], draws: Int, seed: UInt64, workers: Int) -> [Int] {
        guard let patients = candidates.map(\.differences.count).max() else { return [] }
        let groups = (patients + 7) / 8
        let parts = orderedParallel((draws + drawsTogether - 1) / drawsTogether, workers: workers) { part, _ -> [Int] in
            let range = part * drawsTogether..<min((part + 1) * drawsTogether, draws)
            let signs = signs(of: range, groups: groups, seed: seed)
            return candidates.map { candidate in
                let sums = Resampling.signedSums(of: candidate.differences, signs: signs, draws: range.count)
                return sums.count { $0 >= candidate.threshold || candidate.isTwoSided && -$0 >= candidate.threshold }
            }
        }
        return candidates.indices.map { i in parts.reduce(0) { $0 + $1[i] } }
    }

    /// Sign vectors that are drawn at once: their bits for one test stay in the second cache.
    private static let drawsTogether = 1024

    /// The sign bits of some draws, `[group of eight patients][draw]`.
    private static func signs(of draws: Range<Int>, groups: Int, seed: UInt64) -> [UInt8] {
        var signs = [UInt8](repeating: 0, count: groups * draws.count)
        for (column, draw) in draws.enumerated() {
            var generator = Philox(seed: seed, name: "sign flip", index: UInt64(draw))
            for first in stride(from: 0, to: groups, by: 4) {
                var bits = generator.nextUInt32()
                for group in first..<min(groups, first + 4) {
                    signs[group * draws.count + column] = UInt8(truncatingIfNeeded: bits)
                    bits >>= 8
                }
            }
        }
        return signs
    }
}
