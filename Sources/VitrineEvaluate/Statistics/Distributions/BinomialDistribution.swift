/// The number of successes in `trials` independent trials of probability `probability`.
public struct BinomialDistribution: Sendable {
    public let trials: Int
    public let probability: Double

    /// `trials` is at least 0, `probability` in [0, 1].
    public init(trials: Int, probability: Double) {
        self.trials = trials
        self.probability = probability
    }

    /// P(X <= k) = I_{1-p}(n - k, k + 1) (DLMF 8.17.5).
    public func cumulative(_ k: Int) -> Double {
        if k < 0 { return 0 }
        if k >= trials { return 1 }
        return BetaFunction.regularised(1 - probability, complement: probability, a: Double(trials - k), b: Double(k + 1)).lower
    }

    /// P(X >= k) = I_p(k, n - k + 1).
    public func atLeast(_ k: Int) -> Double {
        if k <= 0 { return 1 }
        if k > trials { return 0 }
        return BetaFunction.regularised(probability, a: Double(k), b: Double(trials - k + 1)).lower
    }
}
