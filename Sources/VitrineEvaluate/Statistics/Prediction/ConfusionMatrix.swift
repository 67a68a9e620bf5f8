/// Right and wrong predictions of two classes, and the proportions read from them with Wilson intervals.
public struct ConfusionMatrix: Sendable, Equatable {
    /// A proportion k of n with its interval.
    public struct Proportion: Sendable, Equatable {
        public let successes: Int
        public let trials: Int
        /// successes / trials.
        public let value: Double
        /// Wilson's interval; images are taken as independent. With several images per patient use `ClusterRatio.share`.
        public let interval: Interval
    }

    public let truePositives: Int
    public let falsePositives: Int
    public let trueNegatives: Int
    public let falseNegatives: Int

    public init(truePositives: Int, falsePositives: Int, trueNegatives: Int, falseNegatives: Int) {
        self.truePositives = truePositives
        self.falsePositives = falsePositives
        self.trueNegatives = trueNegatives
        self.falseNegatives = falseNegatives
    }

    /// Counts predictions against labels.
    /// - Throws: `StatisticsError.lengthMismatch` when they differ in number.
    public init(predictions: [Bool], labels: [Bool]) throws {
        guard predictions.count == labels.count else {
            throw StatisticsError.lengthMismatch(what: "predictions", expected: labels.count, found: predictions.count)
        }
        let pairs = zip(predictions, labels)
        self.init(
            truePositives: pairs.count { $0 && $1 }, falsePositives: pairs.count { $0 && !$1 },
            trueNegatives: pairs.count { !$0 && !$1 }, falseNegatives: pairs.count { !$0 && $1 })
    }

    /// Share of right predictions; nil without images.
    public func accuracy(level: Double = 0.95) throws -> Proportion? {
        try proportion(truePositives + trueNegatives, truePositives + falsePositives + trueNegatives + falseNegatives, level)
    }

    /// TP / (TP + FN), also called recall; nil without positives.
    public func sensitivity(level: Double = 0.95) throws -> Proportion? {
        try proportion(truePositives, truePositives + falseNegatives, level)
    }

    /// TN / (TN + FP); nil without negatives.
    public func specificity(level: Double = 0.95) throws -> Proportion? {
        try proportion(trueNegatives, trueNegatives + falsePositives, level)
    }

    /// TP / (TP + FP), also called precision; nil without positive predictions.
    public func positivePredictiveValue(level: Double = 0.95) throws -> Proportion? {
        try proportion(truePositives, truePositives + falsePositives, level)
    }

    /// TN / (TN + FN); nil without negative predictions.
    public func negativePredictiveValue(level: Double = 0.95) throws -> Proportion? {
        try proportion(trueNegatives, trueNegatives + falseNegatives, level)
    }

    /// Mean of sensitivity and specificity; nil where a class is missing.
    public var balancedAccuracy: Double? {
        let (positives, negatives) = (truePositives + falseNegatives, trueNegatives + falsePositives)
        guard positives > 0, negatives > 0 else { return nil }
        return 0.5 * (Double(truePositives) / Double(positives) + Double(trueNegatives) / Double(negatives))
    }

    private func proportion(_ k: Int, _ n: Int, _ level: Double) throws -> Proportion? {
        guard n > 0 else { return nil }
        return Proportion(
            successes: k, trials: n, value: Double(k) / Double(n),
            interval: try ProportionInterval.wilson(successes: k, trials: n, level: level))
    }
}
