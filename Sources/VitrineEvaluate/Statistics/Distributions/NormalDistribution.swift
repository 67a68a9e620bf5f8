import Foundation

/// The standard normal distribution.
public enum NormalDistribution {
    /// exp(-z²/2) / sqrt(2π).
    public static func density(_ z: Double) -> Double { exp(-0.5 * z * z) / (2 * Double.pi).squareRoot() }

    /// Φ(z), the probability below z, with relative precision in the lower tail.
    public static func cumulative(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }

    /// 1 - Φ(z), with relative precision in the upper tail.
    public static func survival(_ z: Double) -> Double { cumulative(-z) }

    /// Φ⁻¹(p): -∞ at 0, ∞ at 1, NaN outside [0, 1].
    ///
    /// A classical approximation (Abramowitz & Stegun 26.2.23, error 4.5e-4) refined by Halley's method to full precision.
    public static func quantile(_ p: Double) -> Double {
        guard p >= 0, p <= 1 else { return .nan }
        if p == 0 { return -.infinity }
        if p == 1 { return .infinity }
        if p == 0.5 { return 0 }
        // 1 - p is exact for p in [0.5, 1]: only the lower half needs solving.
        let tail = min(p, 1 - p)
        let t = (-2 * log(tail)).squareRoot()
        var z = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))))
        for _ in 0..<3 {
            let u = (cumulative(z) - tail) / density(z)
            // The second derivative of Φ is -z φ(z).
            let step = u / (1 + 0.5 * z * u)
            z -= step
            if abs(step) < 1e-16 * abs(z) { break }
        }
        return p < 0.5 ? z : -z
    }
}
