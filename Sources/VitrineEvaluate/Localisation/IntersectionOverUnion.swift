/// Intersection over union of the mask with the region that the top k % of the map's pixels make.
///
/// Chance for a region of b pixels of which X ~ Hypergeometric(n, m, b) are lesion: E[X / (m + b - X)]; the expected IoU of
/// the random rectangle likewise follows from the distribution of its bounds. Ceiling: min(m, b) / max(m, b) for raw
/// regions, min(m, b) / m for a component, the best rectangle of at least b pixels for the rectangle.
/// Source: Jaccard 1912; the study's rectangle is that of Chung et al. 2024, https://doi.org/10.1007/978-3-031-77610-6_11.
public struct IntersectionOverUnion: LocalisationMetric {
    public static let facts = MetricFacts(
        "iou@K", .localisation, better: .higher, options: OverlapRegion.allCases.map(\.rawValue), usualNumber: 20,
        summary: "intersection over union of the mask with the top K % of the pixels",
        citation: "Jaccard 1912; rectangle: Chung et al. 2024, https://doi.org/10.1007/978-3-031-77610-6_11")
    public static var scoresConstantMaps: Bool { true }

    public let identifier: String
    private let overlap: RegionOverlap

    /// - Parameters:
    ///   - percentage: k, above 0 and below 100.
    ///   - exactCount: raw regions hold exactly k %, ties by expectation; else every pixel that reaches the threshold.
    public init(identifier: String? = nil, percentage: Double, region: OverlapRegion, exactCount: Bool) {
        self.identifier = identifier ?? "iou@\(MetricOptions.format(percentage))"
        overlap = RegionOverlap(
            measure: .intersectionOverUnion, percentage: percentage, region: region, exactCount: exactCount)
    }

    public init(_ options: inout MetricOptions) {
        let region = options.choice(OverlapRegion.self) ?? (options.rules == .study ? .rectangle : .raw)
        self.init(
            identifier: options.identifier, percentage: options.number, region: region, exactCount: options.rules == .corrected)
    }

    public var summary: String { overlap.summary }
    public func value(of map: any RankedMap) -> Double? { overlap.value(of: map) }
    public func exactChance(of map: SiteRanking) -> Double? { overlap.exactChance(of: map) }
    public func ceiling(of map: SiteRanking) -> Double? { overlap.ceiling(of: map) }
}
