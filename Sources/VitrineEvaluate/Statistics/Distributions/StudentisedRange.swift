import Foundation

/// The range of k independent standard normal numbers: the studentised range at infinitely many degrees of freedom.
///
/// Nemenyi's test needs exactly this case, because the variance of ranks is known (Demšar 2006,
/// https://jmlr.org/papers/v7/demsar06a.html).
public struct StudentisedRange: Sendable {
    /// k, at least 2.
    public let groups: Int

    public init(groups: Int) {
        precondition(groups >= 2, "a range needs at least two numbers")
        self.groups = groups
    }

    /// P(range > q) = k ∫ φ(z) [Φ(z)^(k-1) - (Φ(z) - Φ(z-q))^(k-1)] dz.
    ///
    /// The trapezoidal rule converges faster than any power for such an integrand: at a step of 1/16 the error is below rounding.
    /// Written as a difference under the integral, small probabilities keep their relative precision.
    public func survival(_ q: Double) -> Double {
        guard q > 0 else { return q.isNaN ? .nan : 1 }
        let step = 0.0625
        let power = Double(groups - 1)
        var sum = 0.0
        var z = -12.0
        while z <= 12 + min(q, 40) {
            let below = NormalDistribution.cumulative(z)
            let ratio = min(1, NormalDistribution.cumulative(z - q) / max(below, .leastNormalMagnitude))
            let loss = ratio < 1 ? -expm1(power * log1p(-ratio)) : 1
            sum += NormalDistribution.density(z) * pow(below, power) * loss
            z += step
        }
        return min(1, Double(groups) * sum * step)
    }

    /// The range exceeded with probability `tail`, 0 < tail < 1.
    public func upperQuantile(_ tail: Double) -> Double {
        guard tail > 0, tail < 1 else { return tail == 1 ? 0 : tail == 0 ? .infinity : .nan }
        var low = 0.0
        var high = 1.0
        while survival(high) > tail { high *= 2 }
        while true {
            let middle = 0.5 * (low + high)
            if middle <= low || middle >= high || high - low < 1e-14 * high { return middle }
            if survival(middle) > tail { low = middle } else { high = middle }
        }
    }
}
