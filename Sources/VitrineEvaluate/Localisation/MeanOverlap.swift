/// Intersection over union of the mask with the pixels above the mean of the displayed map.
///
/// Invariant to positive scaling and to an added constant. Chance: hypergeometric for pixels, else permutations.
/// Source: Chefer, Gur & Wolf 2021, https://arxiv.org/abs/2012.09838, segmentation test.
public struct MeanOverlap: LocalisationMetric {
    public static let facts = MetricFacts(
        "iou-mean", .localisation, better: .higher, summary: "intersection over union of the mask with the pixels above the map's mean",
        citation: "Chefer, Gur & Wolf 2021, https://arxiv.org/abs/2012.09838")

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func value(of map: any RankedMap) -> Double? {
        let profile = map.profile
        return ThresholdOverlap.value(profile, classes: Self.classes(profile), mask: map.mask)
    }

    public func exactChance(of map: SiteRanking) -> Double? { ThresholdOverlap.exactChance(map, classes: Self.classes(map.profile)) }

    public func ceiling(of map: SiteRanking) -> Double? { ThresholdOverlap.ceiling(map, classes: Self.classes(map.profile)) }

    /// Number of tie classes above the mean.
    static func classes(_ profile: RankProfile) -> Int {
        let pixels = Double(profile.total.reduce(0, +))
        let mean = zip(profile.values, profile.total).reduce(0) { $0 + Double($1.0) * Double($1.1) } / pixels
        return max(1, profile.values.prefix { Double($0) > mean }.count)
    }
}
