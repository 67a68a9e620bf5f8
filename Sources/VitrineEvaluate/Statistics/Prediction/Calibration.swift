/// How well a classifier's confidence agrees with its accuracy: the bins of a reliability diagram and their summary.
///
/// Source: Guo et al. 2017, "On calibration of modern neural networks", https://arxiv.org/abs/1706.04599, equations 2-5.
public struct Calibration: Sendable, Equatable {
    /// One bin of confidence (lower, upper]; confidence 0 falls into the first.
    public struct Bin: Sendable, Equatable {
        public let lower: Double
        public let upper: Double
        public let count: Int
        /// Share of right predictions; NaN in an empty bin.
        public let accuracy: Double
        /// Mean confidence; NaN in an empty bin.
        public let confidence: Double
    }

    public let bins: [Bin]
    /// ECE = Σ_b n_b/n |accuracy_b - confidence_b|.
    public let expectedError: Double
    /// MCE = max_b |accuracy_b - confidence_b|.
    public let maximumError: Double

    /// - Parameters:
    ///   - confidences: probability of the predicted class, in [0, 1].
    ///   - correct: whether that prediction was right.
    ///   - bins: number of bins of equal width.
    /// - Throws: `StatisticsError` when lengths differ, nothing is given, or a confidence is outside [0, 1].
    public init(confidences: [Double], correct: [Bool], bins binCount: Int = 15) throws {
        guard !confidences.isEmpty else { throw StatisticsError.empty(what: "confidences") }
        guard binCount > 0 else { throw StatisticsError.tooFew(what: "bins of calibration", needed: 1, found: binCount) }
        try validateProbabilities(confidences, what: "confidence", count: correct.count)
        var counts = [Int](repeating: 0, count: binCount)
        var hits = [Int](repeating: 0, count: binCount)
        var sums = [Double](repeating: 0, count: binCount)
        for (confidence, right) in zip(confidences, correct) {
            let b = max(0, min(binCount - 1, Int((confidence * Double(binCount)).rounded(.up)) - 1))
            counts[b] += 1
            hits[b] += right ? 1 : 0
            sums[b] += confidence
        }
        bins = (0..<binCount).map { b in
            Bin(
                lower: Double(b) / Double(binCount), upper: Double(b + 1) / Double(binCount), count: counts[b],
                accuracy: Double(hits[b]) / Double(counts[b]), confidence: sums[b] / Double(counts[b]))
        }
        let gaps = bins.filter { $0.count > 0 }.map { (weight: Double($0.count), gap: abs($0.accuracy - $0.confidence)) }
        expectedError = gaps.reduce(0) { $0 + $1.weight * $1.gap } / Double(confidences.count)
        maximumError = gaps.map(\.gap).max() ?? 0
    }
}

func validateProbabilities(_ values: [Double], what: String, count: Int) throws {
    try validate(values, what: what, count: count)
    if let bad = values.first(where: { $0 < 0 || $0 > 1 }) {
        throw StatisticsError.outOfRange(what: what, value: "\(bad)", allowed: "[0, 1]")
    }
}
