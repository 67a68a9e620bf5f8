/// Whether different metrics rank the methods alike, with the uncertainty that comes from the patients.
public struct RankAgreement: Sendable, Equatable {
    /// Kendall's W over all metrics; NaN where undefined. Near ties make it jump, so that a bootstrap of it does not hold the truth:
    /// `PatientConcordance` has an interval.
    public let concordance: Double
    /// Kendall's tau-b of every pair of metrics, `[metric][metric]`; NaN where a metric ties all methods.
    public let tau: [[Double]]
    public let tauIntervals: [[Interval]]

    /// Ranks the methods by each metric's mean in every resample of the patients.
    ///
    /// - Parameter scores: `[metric][method]`, all over the patients of `resamples`, higher is better: negate error measures.
    /// - Throws: `StatisticsError` unless there are two metrics and two methods at least, with equal numbers of patients.
    public init(_ scores: [[ClusterRatio]], resamples: ClusterResamples, level: Double = 0.95) throws {
        guard scores.count >= 2 else { throw StatisticsError.tooFew(what: "metrics", needed: 2, found: scores.count) }
        let methods = scores[0].count
        guard methods >= 2 else { throw StatisticsError.tooFew(what: "methods", needed: 2, found: methods) }
        for row in scores where row.count != methods {
            throw StatisticsError.lengthMismatch(what: "methods of a metric", expected: methods, found: row.count)
        }
        let flat = scores.flatMap { $0 }
        let metrics = scores.indices
        func tables(_ columns: [[Double]]) -> [[[Double]]] {
            columns[0].indices.map { r in metrics.map { m in (0..<methods).map { columns[m * methods + $0][r] } } }
        }
        // A table with a score undefined in that resample has no ranks: it is left out.
        func isDefined(_ table: [[Double]]) -> Bool { table.allSatisfy { $0.allSatisfy(\.isFinite) } }
        let estimate = scores.map { $0.map(\.value) }
        let resampled = try tables(resamples.replicates(of: flat)).filter(isDefined)
        let jackknife = tables(flat.map(\.leaveOneOut)).filter(isDefined)
        @Sendable func interval(_ a: Int, _ b: Int, _ value: Double) throws -> Interval {
            guard value.isFinite else { return .undefined(level: level) }
            func taus(_ tables: [[[Double]]]) -> [Double] { tables.map { kendallTauB($0[a], $0[b]) } }
            return try BCaInterval.interval(
                estimate: value, replicates: taus(resampled), leaveOneOut: taus(jackknife), level: level)
        }
        concordance = KendallW.concordance(estimate)
        let none = Interval.undefined(level: level)
        var tau = metrics.map { _ in metrics.map { _ in 1.0 } }
        var tauIntervals = metrics.map { _ in metrics.map { _ in none } }
        let pairs = metrics.flatMap { a in metrics.filter { $0 > a }.map { (a, $0) } }
        let found = orderedParallel(pairs.count, workers: resamples.workers) { i, _ in
            let (a, b) = pairs[i]
            let value = kendallTauB(estimate[a], estimate[b])
            return Result { (value: value, interval: try interval(a, b, value)) }
        }
        for a in metrics { tauIntervals[a][a] = Interval(lower: 1, upper: 1, level: level, method: .constant) }
        for ((a, b), result) in zip(pairs, found) {
            let pair = try result.get()
            (tau[a][b], tau[b][a]) = (pair.value, pair.value)
            (tauIntervals[a][b], tauIntervals[b][a]) = (pair.interval, pair.interval)
        }
        self.tau = tau
        self.tauIntervals = tauIntervals
    }
}
