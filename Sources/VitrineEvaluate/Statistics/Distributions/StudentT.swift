/// Student's t distribution.
public struct StudentT: Sendable {
    /// ν > 0, not necessarily a whole number.
    public let degreesOfFreedom: Double

    public init(degreesOfFreedom: Double) { self.degreesOfFreedom = degreesOfFreedom }

    /// P(T > t), with relative precision in the upper tail: I_x(ν/2, 1/2) / 2 with x = ν / (ν + t²) (DLMF 8.17).
    public func survival(_ t: Double) -> Double {
        let half = 0.5 * twoSided(t)
        return t >= 0 ? half : 1 - half
    }

    /// P(|T| > |t|).
    public func twoSided(_ t: Double) -> Double {
        if t.isInfinite { return 0 }
        let square = t * t
        let sum = degreesOfFreedom + square
        return BetaFunction.regularised(degreesOfFreedom / sum, complement: square / sum, a: 0.5 * degreesOfFreedom, b: 0.5).lower
    }

    /// The t below which a share p of the distribution lies.
    public func quantile(_ p: Double) -> Double {
        guard p > 0, p < 1 else { return p == 0 ? -.infinity : p == 1 ? .infinity : .nan }
        let (x, complement) = BetaFunction.quantile(2 * min(p, 1 - p), a: 0.5 * degreesOfFreedom, b: 0.5)
        let t = (degreesOfFreedom * complement / x).squareRoot()
        return p < 0.5 ? -t : t
    }
}
