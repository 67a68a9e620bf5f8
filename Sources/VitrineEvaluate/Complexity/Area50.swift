import VitrineImage

/// The smallest share of the patches that holds 50 % of the positive mass; negative values count as 0, and their share is noted.
///
/// On the grid that the map is given on. Invariant to positive scaling and to any order of the values.
/// Source: this project.
public struct Area50: MapMetric {
    public static let facts = MetricFacts(
        "area-50", .complexity, better: .none, summary: "smallest share of the patches that holds 50 % of the positive mass",
        citation: "this project")

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func measure(_ map: HeatMap) throws(Undefined) -> Measurement { try MassArea.measure(map, holding: 0.50) }
}
