import Foundation

/// The regularised incomplete beta function and its inverse, from which binomial, Student and F probabilities follow.
public enum BetaFunction {
    /// I_x(a, b) and its complement, for 0 <= x <= 1 and a, b > 0; NaN outside.
    ///
    /// Lentz's continued fraction (DLMF 8.17.22) on the side where it converges fast, under Loader's saddle-point
    /// prefactor. Relative error below 1e-12 in the tail that is computed, for a, b up to about 1e5.
    ///
    /// - Parameter complement: 1 - x, for callers that know it without rounding.
    /// - Complexity: O(sqrt(max(a, b))) steps.
    public static func regularised(_ x: Double, complement: Double? = nil, a: Double, b: Double) -> (lower: Double, upper: Double) {
        let y = complement ?? 1 - x
        guard a > 0, b > 0, x >= 0, y >= 0 else { return (.nan, .nan) }
        if x == 0 { return (0, 1) }
        if y == 0 { return (1, 0) }
        if x <= (a + 1) / (a + b + 2) {
            let lower = min(1, density(x, y, a, b) / a * continuedFraction(x, a, b))
            return (lower, 1 - lower)
        }
        let upper = min(1, density(x, y, a, b) / b * continuedFraction(y, b, a))
        return (1 - upper, upper)
    }

    /// The x at which I_x(a, b) = p, and 1 - x, each to full relative precision.
    ///
    /// Newton's method inside a shrinking bracket, on the smaller of x and 1 - x. NaN unless 0 <= p <= 1 and a, b > 0.
    public static func quantile(_ p: Double, a: Double, b: Double) -> (x: Double, complement: Double) {
        guard a > 0, b > 0, p >= 0, p <= 1 else { return (.nan, .nan) }
        if p == 0 { return (0, 1) }
        if p == 1 { return (1, 0) }
        let middle = regularised(0.5, complement: 0.5, a: a, b: b)
        if p <= middle.lower {
            let x = smallQuantile(a, b) { regularised($0, a: a, b: b).lower - p }
            return (x, 1 - x)
        }
        let y = smallQuantile(b, a) { p - regularised(1 - $0, complement: $0, a: a, b: b).lower }
        return (1 - y, y)
    }

    /// The root in (0, 1/2] of an increasing function whose slope is the Beta(a, b) density.
    private static func smallQuantile(_ a: Double, _ b: Double, _ excess: (Double) -> Double) -> Double {
        // In the logarithm of x: lower tails are powers of x, so that Newton's steps are nearly exact.
        var low = -745.0
        var high = Foundation.log(0.5)
        var u = Foundation.log(0.5 * a / (a + b))
        for _ in 0..<300 {
            let x = exp(u)
            let value = excess(x)
            if value == 0 { return x }
            if value < 0 { low = u } else { high = u }
            let slope = density(x, 1 - x, a, b) / (1 - x)
            var next = u - value / slope
            if !(next > low && next < high) { next = 0.5 * (low + high) }
            if abs(next - u) <= 1e-16 * max(1, abs(u)) || next == low || next == high { return exp(next) }
            u = next
        }
        return exp(u)
    }

    /// x^a (1-x)^b / B(a, b).
    private static func density(_ x: Double, _ y: Double, _ a: Double, _ b: Double) -> Double {
        let n = a + b
        let exponent =
            GammaFunction.stirlingError(n) - GammaFunction.stirlingError(a) - GammaFunction.stirlingError(b)
            - GammaFunction.deviance(a, n * x) - GammaFunction.deviance(b, n * y)
        return exp(exponent) * (a * b / (2 * Double.pi * n)).squareRoot()
    }

    private static func continuedFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let tiny = GammaFunction.tiny
        var c = 1.0
        var d = 1 - (a + b) * x / (a + 1)
        if abs(d) < tiny { d = tiny }
        d = 1 / d
        var fraction = d
        for i in 1...100_000 {
            let m = Double(i)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 + even * d
            if abs(d) < tiny { d = tiny }
            c = 1 + even / c
            if abs(c) < tiny { c = tiny }
            d = 1 / d
            fraction *= d * c
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 + odd * d
            if abs(d) < tiny { d = tiny }
            c = 1 + odd / c
            if abs(c) < tiny { c = tiny }
            d = 1 / d
            let step = d * c
            fraction *= step
            if abs(step - 1) < 1e-16 { break }
        }
        return fraction
    }
}
