/// Friedman's test of several methods over independent blocks (images, or data sets), with Iman and Davenport's correction.
///
/// Sources: Friedman 1937; Iman & Davenport 1980; Demšar 2006, https://jmlr.org/papers/v7/demsar06a.html. Blocks must be
/// independent: patients, not images x initialisations x metrics.
public struct Friedman: Sendable, Equatable {
    /// Mean rank of every method over the blocks; 1 is best, the highest score.
    public let averageRanks: [Double]
    /// Number of blocks N.
    public let blocks: Int
    /// χ² = [12 Σ R_j² / (N k (k+1)) - 3 N (k+1)] / (1 - Σ(t³-t) / (N k (k²-1))), with R_j the rank sums.
    public let chiSquare: TestResult
    /// F = (N-1) χ² / (N (k-1) - χ²) on k-1 and (k-1)(N-1) degrees of freedom: the test to report.
    public let imanDavenport: TestResult

    /// Number of methods k.
    public var methods: Int { averageRanks.count }

    /// Ranks `scores[block][method]`, higher being better, ties sharing their mean rank.
    ///
    /// Where every block ties completely both p-values are 1; where all blocks agree completely F is infinite and its p-value 0.
    /// - Throws: `StatisticsError` unless there are two blocks and two methods at least and all scores are finite.
    public init(_ scores: [[Double]]) throws {
        guard scores.count >= 2 else { throw StatisticsError.tooFew(what: "blocks of Friedman's test", needed: 2, found: scores.count) }
        let k = scores[0].count
        guard k >= 2 else { throw StatisticsError.tooFew(what: "methods of Friedman's test", needed: 2, found: k) }
        var sums = [Double](repeating: 0, count: k)
        var ties = 0.0
        for block in scores {
            try validate(block, what: "scores of a block", count: k)
            let (ranks, groups) = midRanks(block.map { -$0 })
            for j in 0..<k { sums[j] += ranks[j] }
            ties += tieTerm(groups)
        }
        let (n, m) = (Double(scores.count), Double(k))
        blocks = scores.count
        averageRanks = sums.map { $0 / n }
        let correction = 1 - ties / (n * m * (m * m - 1))
        let raw = 12 / (n * m * (m + 1)) * sums.reduce(0) { $0 + $1 * $1 } - 3 * n * (m + 1)
        // With complete ties in every block nothing differs: 0/0 is 0 here.
        let statistic = correction > 0 ? max(0, raw / correction) : 0
        chiSquare = TestResult(
            statistic: statistic, pValue: ChiSquareDistribution(degreesOfFreedom: m - 1).survival(statistic), count: scores.count,
            method: .chiSquare)
        let rest = n * (m - 1) - statistic
        // Rounding leaves a remainder of some ulps where all blocks agree.
        let f = rest > 1e-12 * n * m ? (n - 1) * statistic / rest : .infinity
        imanDavenport = TestResult(
            statistic: f, pValue: FDistribution(numerator: m - 1, denominator: (m - 1) * (n - 1)).survival(f), count: scores.count,
            method: .fisher)
    }
}
