/// Intervals of a binomial proportion.
public enum ProportionInterval {
    /// Wilson's score interval: centre (p + z²/2n) / (1 + z²/n), half-width z sqrt(p(1-p)/n + z²/4n²) / (1 + z²/n).
    ///
    /// Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953; recommended by Brown, Cai & DasGupta 2001.
    /// - Throws: `StatisticsError` unless 0 <= successes <= trials and trials > 0.
    public static func wilson(successes: Int, trials: Int, level: Double = 0.95) throws -> Interval {
        try check(successes, trials, level)
        return try wilson(share: Double(successes) / Double(trials), trials: Double(trials), level: level)
    }

    /// The same from a share and a number of trials that need not be whole.
    static func wilson(share p: Double, trials n: Double, level: Double) throws -> Interval {
        try validate(level: level)
        let z = -NormalDistribution.quantile(0.5 * (1 - level))
        let scale = 1 + z * z / n
        let center = (p + z * z / (2 * n)) / scale
        let half = z / scale * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        // At 0 and n the bound is the proportion itself; rounding must not move it.
        return Interval(
            lower: p == 0 ? 0 : center - half, upper: p == 1 ? 1 : center + half, level: level, method: .wilson)
    }

    /// Clopper and Pearson's interval, whose coverage is never below nominal: quantiles of Beta(k, n-k+1) and Beta(k+1, n-k).
    ///
    /// Source: Clopper & Pearson 1934, https://doi.org/10.1093/biomet/26.4.404.
    /// - Throws: `StatisticsError` unless 0 <= successes <= trials and trials > 0.
    public static func clopperPearson(successes: Int, trials: Int, level: Double = 0.95) throws -> Interval {
        try check(successes, trials, level)
        let tail = 0.5 * (1 - level)
        let (k, n) = (Double(successes), Double(trials))
        let lower = successes == 0 ? 0 : BetaFunction.quantile(tail, a: k, b: n - k + 1).x
        // The upper bound is one minus the lower bound of the failures.
        let upper = successes == trials ? 1 : BetaFunction.quantile(tail, a: n - k, b: k + 1).complement
        return Interval(lower: lower, upper: upper, level: level, method: .clopperPearson)
    }

    private static func check(_ successes: Int, _ trials: Int, _ level: Double) throws {
        try validate(level: level)
        guard trials > 0 else { throw StatisticsError.empty(what: "proportion") }
        guard (0...trials).contains(successes) else {
            throw StatisticsError.outOfRange(what: "successes", value: "\(successes)", allowed: "0...\(trials)")
        }
    }
}
