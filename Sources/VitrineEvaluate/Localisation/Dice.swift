/// Dice coefficient 2 |B ∩ M| / (|B| + |M|) of the mask with the region that the top k % of the map's pixels make.
///
/// For one region it is 2 IoU / (1 + IoU). Chance for a raw region of b pixels: 2 E[X] / (m + b) with E[X] = m b / n.
/// Source: Dice 1945, https://doi.org/10.2307/1932409.
public struct Dice: Metric {
    public let identifier: String
    private let overlap: RegionOverlap
    public let citation = "Dice 1945, https://doi.org/10.2307/1932409"

    /// Parameters as for `IntersectionOverUnion`.
    public init(identifier: String? = nil, percentage: Double, region: OverlapRegion, exactCount: Bool) {
        self.identifier = identifier ?? "dice@\(MetricRegistry.format(percentage))"
        overlap = RegionOverlap(measure: .dice, percentage: percentage, region: region, exactCount: exactCount)
    }

    public var summary: String { overlap.summary }
    public func value(of map: any RankedMap) -> Double? { overlap.value(of: map) }
    public func exactChance(of map: SiteRanking) -> Double? { overlap.exactChance(of: map) }
    public func ceiling(of map: SiteRanking) -> Double? { overlap.ceiling(of: map) }
}
