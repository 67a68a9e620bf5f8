/// The number of successes in independent trials that each have their own probability.
///
/// The null distribution of the pointing game under unequal chance levels: trial i succeeds with the chance c_i of image i.
/// Images of one patient are not independent; where patients have several images prefer the sign-flip test.
public struct PoissonBinomial: Sendable {
    /// P(X = k) for k = 0...n.
    public let probabilities: [Double]

    /// Exact, by convolution of the n two-point distributions (Hong 2013, https://doi.org/10.1016/j.csda.2012.10.006).
    ///
    /// - Complexity: O(n²); all terms are positive, so that the relative error stays near n roundings.
    /// - Throws: `StatisticsError` unless every probability lies in [0, 1].
    public init(_ successProbabilities: [Double]) throws {
        try validate(successProbabilities, what: "chance levels")
        if let bad = successProbabilities.first(where: { $0 < 0 || $0 > 1 }) {
            throw StatisticsError.outOfRange(what: "chance level", value: "\(bad)", allowed: "[0, 1]")
        }
        var mass = [Double](repeating: 0, count: successProbabilities.count + 1)
        mass[0] = 1
        for (n, p) in successProbabilities.enumerated() {
            for k in stride(from: n + 1, to: 0, by: -1) { mass[k] = mass[k] * (1 - p) + mass[k - 1] * p }
            mass[0] *= 1 - p
        }
        probabilities = mass
    }

    /// P(X >= k): the one-sided p-value of k hits against chance.
    public func atLeast(_ k: Int) -> Double {
        guard k > 0 else { return 1 }
        guard k < probabilities.count else { return 0 }
        return min(1, probabilities[k...].reversed().reduce(0, +))
    }

    /// P(X <= k).
    public func atMost(_ k: Int) -> Double {
        guard k >= 0 else { return 0 }
        guard k < probabilities.count - 1 else { return 1 }
        return min(1, probabilities[...k].reduce(0, +))
    }
}
