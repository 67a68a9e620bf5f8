/// The bias-corrected and accelerated bootstrap interval.
///
/// Source: Efron 1987, https://doi.org/10.1080/01621459.1987.10478410; clusters are resampled whole (Davison & Hinkley 1997, §3.8).
public enum BCaInterval {
    /// The interval from resampled and leave-one-out values.
    ///
    /// z0 = Φ⁻¹[(#{t* < t} + #{t* = t}/2) / B]; a = Σ (t̄ - t_i)³ / (6 [Σ (t̄ - t_i)²]^{3/2}) over leave-one-patient-out
    /// values t_i; the limits are the quantiles of t* at Φ(z0 + (z0 + z_q) / (1 - a (z0 + z_q))), interpolated linearly.
    /// Values that are NaN (undefined in a resample) are left out. Where the replicates do not vary the result is `.constant`;
    /// without at least two leave-one-out values it is `.undefined`.
    ///
    /// - Throws: `StatisticsError` when the estimate is not finite or the level is outside (0, 1).
    public static func interval(estimate: Double, replicates: [Double], leaveOneOut: [Double], level: Double = 0.95) throws -> Interval {
        try validate(level: level)
        try validate([estimate], what: "estimate")
        let sorted = replicates.filter(\.isFinite).sorted()
        let jackknife = leaveOneOut.filter(\.isFinite)
        guard jackknife.count >= 2, let least = sorted.first, let most = sorted.last else { return .undefined(level: level) }
        let tolerance = ClusterRatio.tieTolerance * max(abs(estimate), max(abs(least), abs(most)))
        if most - least <= tolerance { return Interval(lower: least, upper: most, level: level, method: .constant) }

        // Sums in another order differ in their last bits: such a replicate equals the estimate.
        let below = partition(sorted) { $0 < estimate - tolerance }
        let upTo = partition(sorted) { $0 <= estimate + tolerance }
        let bias = NormalDistribution.quantile(0.5 * Double(below + upTo) / Double(sorted.count))
        let acceleration = Self.acceleration(jackknife)
        func limit(_ p: Double) -> Double {
            // An estimate outside all replicates leaves nothing to correct: the limit is the nearest replicate.
            guard bias.isFinite else { return bias < 0 ? least : most }
            let z = bias + NormalDistribution.quantile(p)
            let denominator = 1 - acceleration * z
            // Beyond the pole of the correction its limit is the extreme replicate.
            guard denominator > 0 else { return z < 0 ? least : most }
            return quantile(ofSorted: sorted, NormalDistribution.cumulative(bias + z / denominator))
        }
        return Interval(lower: limit(0.5 * (1 - level)), upper: limit(0.5 * (1 + level)), level: level, method: .bca)
    }

    /// Efron's acceleration from leave-one-out values; 0 where they do not vary.
    public static func acceleration(_ leaveOneOut: [Double]) -> Double {
        let center = mean(leaveOneOut)
        var (squares, cubes) = (0.0, 0.0)
        for value in leaveOneOut {
            let d = center - value
            squares += d * d
            cubes += d * d * d
        }
        return squares > 0 ? cubes / (6 * squares * squares.squareRoot()) : 0
    }

    /// Number of leading elements for which `isBefore` holds.
    private static func partition(_ sorted: [Double], _ isBefore: (Double) -> Bool) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(sorted[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension ClusterResamples {
    /// The patient-cluster BCa intervals of several ratios over the same resamples.
    ///
    /// Degenerate samples do not resample: a proportion that is 0 or 1 for every image gets `fallback` with n the number of
    /// patients (not images: images of one patient are not independent), any other constant is a point, and one patient
    /// gives no interval at all.
    ///
    /// - Parameter fallback: `.wilson` or `.clopperPearson`.
    public func intervals(of ratios: [ClusterRatio], level: Double = 0.95, fallback: Interval.Method = .clopperPearson) throws -> [Interval]
    {
        try validate(level: level)
        try check(ratios)
        let varying = ratios.indices.filter { clusters > 1 && !ratios[$0].isConstant }
        let replicates = try replicates(of: varying.map { ratios[$0] })
        let found = orderedParallel(varying.count, workers: workers) { i, _ in
            let ratio = ratios[varying[i]]
            return Result {
                try BCaInterval.interval(
                    estimate: ratio.value, replicates: replicates[i], leaveOneOut: ratio.leaveOneOut, level: level)
            }
        }
        var result = try ratios.map { try degenerate($0, level, fallback) }
        for (i, interval) in zip(varying, found) { result[i] = try interval.get() }
        return result
    }

    /// The patient-cluster BCa interval of one ratio.
    public func interval(of ratio: ClusterRatio, level: Double = 0.95, fallback: Interval.Method = .clopperPearson) throws -> Interval {
        try intervals(of: [ratio], level: level, fallback: fallback)[0]
    }

    /// The patient-cluster BCa interval of any statistic, which receives how often each patient counts.
    ///
    /// - Parameter statistic: a function of patient multiplicities; NaN where it is undefined.
    public func interval(level: Double = 0.95, _ statistic: @Sendable ([Int]) -> Double) throws -> Interval {
        let ones = [Int](repeating: 1, count: clusters)
        let jackknife = orderedParallel(clusters, workers: workers) { left, _ in
            var weights = ones
            weights[left] = 0
            return statistic(weights)
        }
        return try BCaInterval.interval(
            estimate: statistic(ones), replicates: replicates(statistic), leaveOneOut: jackknife, level: level)
    }

    private func degenerate(_ ratio: ClusterRatio, _ level: Double, _ fallback: Interval.Method) throws -> Interval {
        let value = ratio.value
        if ratio.isProportion, value == 0 || value == 1 {
            let successes = value == 1 ? clusters : 0
            return fallback == .wilson
                ? try ProportionInterval.wilson(successes: successes, trials: clusters, level: level)
                : try ProportionInterval.clopperPearson(successes: successes, trials: clusters, level: level)
        }
        if clusters < 2 { return .undefined(level: level) }
        return Interval(lower: value, upper: value, level: level, method: .constant)
    }
}
