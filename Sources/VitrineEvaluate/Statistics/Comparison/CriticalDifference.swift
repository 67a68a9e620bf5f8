/// Nemenyi's comparison of all pairs of methods after Friedman's test: what a critical-difference diagram draws.
///
/// Source: Nemenyi 1963; Demšar 2006, https://jmlr.org/papers/v7/demsar06a.html. Its answer for a pair depends on the pool of
/// methods: back it with Holm-adjusted pairwise tests (Benavoli et al. 2016, https://jmlr.org/papers/v17/benavoli16a.html).
public struct CriticalDifference: Sendable, Equatable {
    /// Mean ranks in the order of the methods given; 1 is best.
    public let averageRanks: [Double]
    /// Methods from best to worst mean rank.
    public let order: [Int]
    /// CD = q sqrt(k (k+1) / (6 N)): mean ranks closer than this are not told apart.
    public let criticalDifference: Double
    /// `pValues[i][j]` of methods i and j; 1 on the diagonal.
    public let pValues: [[Double]]
    /// Maximal runs of `order`, at least two methods long, in which no two methods are told apart: the bars of the diagram.
    public let indistinguishable: [[Int]]

    /// - Parameter alpha: family-wise level, 0.05 in published diagrams.
    /// - Throws: `StatisticsError.outOfRange` unless alpha is in (0, 1).
    public init(_ friedman: Friedman, alpha: Double = 0.05) throws {
        guard alpha > 0, alpha < 1 else { throw StatisticsError.outOfRange(what: "alpha", value: "\(alpha)", allowed: "(0, 1)") }
        let ranks = friedman.averageRanks
        let k = Double(ranks.count)
        let unit = (k * (k + 1) / (6 * Double(friedman.blocks))).squareRoot()
        let distribution = StudentisedRange(groups: ranks.count)
        let critical = Self.criticalValue(groups: ranks.count, alpha: alpha) * unit
        averageRanks = ranks
        criticalDifference = critical
        pValues = ranks.indices.map { i in
            ranks.indices.map { j in i == j ? 1 : distribution.survival(abs(ranks[i] - ranks[j]) / unit * 2.0.squareRoot()) }
        }
        let order = ranks.indices.sorted { (ranks[$0], $0) < (ranks[$1], $1) }
        var runs: [[Int]] = []
        var reached = 0
        for start in order.indices {
            var end = start + 1
            while end < order.count, ranks[order[end]] - ranks[order[start]] < critical { end += 1 }
            if end - start >= 2, end > reached { runs.append(Array(order[start..<end])) }
            reached = max(reached, end)
        }
        self.order = order
        indistinguishable = runs
    }

    /// q: the upper α quantile of the studentised range at infinite degrees of freedom, divided by sqrt 2.
    public static func criticalValue(groups: Int, alpha: Double) -> Double {
        StudentisedRange(groups: groups).upperQuantile(alpha) / 2.0.squareRoot()
    }
}
