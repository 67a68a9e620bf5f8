/// Fisher and Snedecor's F distribution.
public struct FDistribution: Sendable {
    public let numerator: Double
    public let denominator: Double

    /// Degrees of freedom of the numerator and the denominator, both above 0.
    public init(numerator: Double, denominator: Double) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// P(F > f): I_y(d2/2, d1/2) with y = d2 / (d2 + d1 f), with relative precision in the upper tail.
    public func survival(_ f: Double) -> Double {
        if f <= 0 { return 1 }
        if f == .infinity { return 0 }
        let sum = denominator + numerator * f
        return BetaFunction.regularised(
            denominator / sum, complement: numerator * f / sum, a: 0.5 * denominator, b: 0.5 * numerator
        ).lower
    }

    /// The f below which a share p of the distribution lies.
    public func quantile(_ p: Double) -> Double {
        let (x, complement) = BetaFunction.quantile(p, a: 0.5 * numerator, b: 0.5 * denominator)
        return denominator * x / (numerator * complement)
    }
}
