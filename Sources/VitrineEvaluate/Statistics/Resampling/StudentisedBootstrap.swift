/// The studentised bootstrap of a ratio over patients: how far the statistic lies from its value in resamples, in standard errors of the
/// resamples themselves.
///
/// t* = (r* - r) / se*, with the linearised standard error se² = n/(n-1) Σ (N_i - r D_i)² / (Σ D_i)². The interval is
/// r - se q(1-α/2) ... r - se q(α/2) with the quantiles q of t*. With 8 to 20 patients it keeps its coverage where the BCa interval falls
/// to 87-92 % (`Scripts/coverage`), at the price of some width.
/// Source: Efron & Tibshirani 1993, "An Introduction to the Bootstrap", §12.5; Hall 1988, https://doi.org/10.1214/aos/1176350933.
public struct StudentisedBootstrap: Sendable, Equatable {
    /// The statistic on the whole sample.
    public let value: Double
    /// 0 where every patient gives the same value.
    public let standardError: Double
    /// t* in ascending order; infinite where a resample does not vary but lies elsewhere.
    let deviations: [Double]
    private let patients: Int
    /// Patients of equal weight that say as much (Kish): (Σ D_i)² / Σ D_i².
    private let effective: Double

    /// - Throws: `StatisticsError` when the ratio has another number of patients than the resamples.
    public init(_ ratio: ClusterRatio, resamples: ClusterResamples) throws {
        let value = ratio.value
        self.value = value
        patients = ratio.numerators.count
        let sum = ratio.denominators.reduce(0, +)
        effective = sum * sum / ratio.denominators.reduce(0) { $0 + $1 * $1 }
        guard patients > 1, !ratio.isConstant else {
            (standardError, deviations) = (0, [])
            try resamples.check([ratio])
            return
        }
        // Centred, so that squares of a nearly constant score do not cancel.
        let weights = ratio.denominators
        let residuals = zip(ratio.numerators, weights).map { $0 - value * $1 }
        let count = Double(weights.count)
        let small = count / (count - 1)
        let total = weights.reduce(0, +)
        standardError = (small * residuals.reduce(0) { $0 + $1 * $1 }).squareRoot() / abs(total)
        // Every sum of a resample as a ratio to its weight, and the weight as a ratio to the number of patients.
        func over(_ numerators: [Double]) throws -> ClusterRatio { try ClusterRatio(numerators: numerators, denominators: weights) }
        let columns = try resamples.replicates(of: [
            over(residuals), over(residuals.map { $0 * $0 }), over(zip(residuals, weights).map(*)), over(weights.map { $0 * $0 }),
            ClusterRatio(numerators: weights, denominators: weights.map { _ in 1 }),
        ])
        // A spread below this is rounding of equal values.
        let least = ClusterRatio.tieTolerance * standardError
        deviations = columns[0].indices.compactMap { i -> Double? in
            let shift = columns[0][i]
            let squares = columns[1][i] - 2 * shift * columns[2][i] + shift * shift * columns[3][i]
            let error = (small * max(0, squares) / (count * columns[4][i])).squareRoot()
            guard shift.isFinite, error.isFinite else { return nil }
            if error > least { return shift / error }
            return abs(shift) <= least ? 0 : shift > 0 ? .infinity : -.infinity
        }.sorted()
    }

    /// The interval; resamples that do not vary have no part in it.
    ///
    /// - Parameter range: what every score can be. A mean of such scores varies no more than a proportion of its two ends, so that the bounds
    ///   are cut to Wilson's of that proportion; the bootstrap of few, nearly equal scores would else run from one end to the other.
    /// - Returns: `.undefined` with one patient, `.constant` where every patient gives the same value.
    public func interval(level: Double = 0.95, within range: ClosedRange<Double>? = nil) throws -> Interval {
        try validate(level: level)
        guard standardError > 0 else {
            return patients < 2 ? .undefined(level: level) : Interval(lower: value, upper: value, level: level, method: .constant)
        }
        let finite = deviations.filter(\.isFinite)
        guard finite.count >= 2 else { return .undefined(level: level) }
        var lower = value - standardError * quantile(ofSorted: finite, 0.5 * (1 + level))
        var upper = value - standardError * quantile(ofSorted: finite, 0.5 * (1 - level))
        if let range {
            let width = range.upperBound - range.lowerBound
            let share = min(max((value - range.lowerBound) / width, 0), 1)
            let limits = try ProportionInterval.wilson(share: share, trials: effective, level: level)
            lower = max(lower, range.lowerBound + width * limits.lower)
            upper = min(upper, range.lowerBound + width * limits.upper)
        }
        return Interval(lower: lower, upper: upper, level: level, method: .studentised)
    }

    /// One-sided p-value of a statistic above `bar`: how often a resample deviates as far upwards, (1 + hits) / (1 + resamples); nil where
    /// nothing varies.
    ///
    /// Where fewer than ten resamples do, the tail of Student's t goes on from the tenth: a number of resamples would else be the least
    /// p-value, which no adjustment for many tests survives.
    public func above(_ bar: Double) -> Double? { tail((value - bar) / standardError, deviations.reversed()) }

    /// The same downwards.
    public func below(_ bar: Double) -> Double? { tail((bar - value) / standardError, deviations.map { -$0 }) }

    /// - Parameter farthest: deviations, the farthest first.
    private func tail(_ distance: Double, _ farthest: [Double]) -> Double? {
        guard standardError > 0, !farthest.isEmpty else { return nil }
        let hits = farthest.prefix { $0 >= distance }.count
        let scale = Double(1 + farthest.count)
        let few = Self.tailHits
        guard hits < few, farthest.count > 10 * few, farthest[few - 1].isFinite, farthest[few - 1] > 0 else {
            return Double(1 + hits) / scale
        }
        let t = StudentT(degreesOfFreedom: Double(patients - 1))
        let known = t.quantile(1 - Double(1 + few) / scale)
        return t.survival(distance * known / farthest[few - 1])
    }

    private static let tailHits = 10
}
