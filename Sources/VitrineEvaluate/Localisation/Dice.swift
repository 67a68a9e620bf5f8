/// Dice coefficient 2 |B ∩ M| / (|B| + |M|) of the mask with the region that the top k % of the map's pixels make.
///
/// For one region it is 2 IoU / (1 + IoU). Chance for a raw region of b pixels: 2 E[X] / (m + b) with E[X] = m b / n.
/// Source: Dice 1945, https://doi.org/10.2307/1932409.
public struct Dice: LocalisationMetric {
    public static let facts = MetricFacts(
        "dice@K", .localisation, better: .higher, options: OverlapRegion.allCases.map(\.rawValue), usualNumber: 20,
        summary: "Dice coefficient of the mask with the top K % of the pixels",
        citation: "Dice 1945, https://doi.org/10.2307/1932409")
    public static var scoresConstantMaps: Bool { true }

    public let identifier: String
    private let overlap: RegionOverlap

    /// Parameters as for `IntersectionOverUnion`.
    public init(identifier: String? = nil, percentage: Double, region: OverlapRegion, exactCount: Bool) {
        self.identifier = identifier ?? "dice@\(MetricOptions.format(percentage))"
        overlap = RegionOverlap(measure: .dice, percentage: percentage, region: region, exactCount: exactCount)
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
