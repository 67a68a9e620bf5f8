/// The area under the ROC curve with DeLong's variance.
///
/// The area is P(score of a positive > score of a negative) + P(equal)/2. Source: DeLong et al. 1988,
/// https://doi.org/10.2307/2531595, by mid-ranks as Sun & Xu 2014, https://doi.org/10.1109/LSP.2014.2337313.
public struct ROCArea: Sendable, Equatable {
    /// In [0, 1].
    public let value: Double
    /// Structural components of the positives, in order: each one's share of negatives below it.
    let positiveComponents: [Double]
    /// Structural components of the negatives: each one's share of positives above it.
    let negativeComponents: [Double]

    /// - Parameters:
    ///   - scores: one per image, higher for the positive class.
    ///   - labels: whether the image is positive.
    /// - Throws: `StatisticsError` when lengths differ, a score is not finite or a class is missing.
    /// - Complexity: O(n log n).
    public init(scores: [Double], labels: [Bool]) throws {
        try validate(scores, what: "scores", count: labels.count)
        let positives = zip(scores, labels).filter(\.1).map(\.0)
        let negatives = zip(scores, labels).filter { !$0.1 }.map(\.0)
        guard !positives.isEmpty, !negatives.isEmpty else {
            throw StatisticsError.tooFew(what: "images of each class for an ROC curve", needed: 1, found: 0)
        }
        let all = midRanks(positives + negatives).ranks
        let (p, n) = (Double(positives.count), Double(negatives.count))
        positiveComponents = zip(all, midRanks(positives).ranks).map { ($0 - $1) / n }
        negativeComponents = zip(all[positives.count...], midRanks(negatives).ranks).map { 1 - ($0 - $1) / p }
        value = mean(positiveComponents)
    }

    /// DeLong's variance of the area, images being independent; NaN with fewer than two images of a class.
    public var variance: Double { Self.covariance(self, self) }

    /// Normal interval with DeLong's standard error, cut at 0 and 1; `.constant` where the classes separate completely.
    public func interval(level: Double = 0.95) throws -> Interval {
        try validate(level: level)
        let error = variance.squareRoot()
        if error.isNaN { return .undefined(level: level) }
        if error == 0 { return Interval(lower: value, upper: value, level: level, method: .constant) }
        let reach = NormalDistribution.quantile(0.5 * (1 + level)) * error
        return Interval(lower: max(0, value - reach), upper: min(1, value + reach), level: level, method: .standardError)
    }

    /// DeLong's test that two models have the same area on the same images; the statistic is z.
    ///
    /// - Throws: `StatisticsError.lengthMismatch` when the areas come from different numbers of images.
    public static func compare(_ first: ROCArea, _ second: ROCArea) throws -> TestResult {
        let (expected, found) = (first.positiveComponents.count, second.positiveComponents.count)
        guard expected == found, first.negativeComponents.count == second.negativeComponents.count else {
            throw StatisticsError.lengthMismatch(what: "images of two ROC curves", expected: expected, found: found)
        }
        let variance = first.variance + second.variance - 2 * covariance(first, second)
        let difference = first.value - second.value
        let z = difference == 0 ? 0 : difference / max(0, variance).squareRoot()
        return TestResult(
            statistic: z, pValue: min(1, 2 * NormalDistribution.survival(abs(z))), count: expected + first.negativeComponents.count,
            method: .normal)
    }

    private static func covariance(_ a: ROCArea, _ b: ROCArea) -> Double {
        func term(_ x: [Double], _ y: [Double]) -> Double {
            let (centerX, centerY) = (mean(x), mean(y))
            let sum = zip(x, y).reduce(0) { $0 + ($1.0 - centerX) * ($1.1 - centerY) }
            return x.count > 1 ? sum / Double(x.count - 1) / Double(x.count) : .nan
        }
        return term(a.positiveComponents, b.positiveComponents) + term(a.negativeComponents, b.negativeComponents)
    }

    /// The patient-cluster BCa interval of the area, for data sets in which patients have several images.
    ///
    /// Resamples that lack a class are left out.
    /// - Complexity: O(n log n + resamples · n).
    public static func bootstrapInterval(
        scores: [Double], labels: [Bool], clusters: Clusters, resamples: ClusterResamples, level: Double = 0.95
    ) throws -> Interval {
        _ = try ROCArea(scores: scores, labels: labels)
        guard clusters.index.count == scores.count else {
            throw StatisticsError.lengthMismatch(what: "patients of the scores", expected: scores.count, found: clusters.index.count)
        }
        guard resamples.clusters == clusters.count else {
            throw StatisticsError.lengthMismatch(what: "patients of the resamples", expected: clusters.count, found: resamples.clusters)
        }
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        let sorted = order.map { (score: scores[$0], positive: labels[$0], patient: clusters.index[$0]) }
        return try resamples.interval(level: level) { weights in
            var (below, wins, positives, i) = (0.0, 0.0, 0.0, 0)
            while i < sorted.count {
                let score = sorted[i].score
                var (tiedPositives, tiedNegatives) = (0.0, 0.0)
                while i < sorted.count, sorted[i].score == score {
                    let weight = Double(weights[sorted[i].patient])
                    if sorted[i].positive { tiedPositives += weight } else { tiedNegatives += weight }
                    i += 1
                }
                wins += tiedPositives * (below + 0.5 * tiedNegatives)
                below += tiedNegatives
                positives += tiedPositives
            }
            return wins / (positives * below)
        }
    }
}
