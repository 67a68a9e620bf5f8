/// The chi-square distribution.
public struct ChiSquareDistribution: Sendable {
    /// Above 0.
    public let degreesOfFreedom: Double

    public init(degreesOfFreedom: Double) { self.degreesOfFreedom = degreesOfFreedom }

    /// P(X > x) = Q(ν/2, x/2), with relative precision in the upper tail.
    public func survival(_ x: Double) -> Double { x <= 0 ? 1 : GammaFunction.regularised(a: 0.5 * degreesOfFreedom, x: 0.5 * x).upper }

    /// P(X <= x) = P(ν/2, x/2).
    public func cumulative(_ x: Double) -> Double { x <= 0 ? 0 : GammaFunction.regularised(a: 0.5 * degreesOfFreedom, x: 0.5 * x).lower }
}
