import VitrineImage

/// Rotation stability: how alike a map stays to itself when the image turns by three degrees to either side.
///
/// The map of each turned image is brought back by bilinear sampling on the native grid; Spearman's correlation, mean over the two.
/// Chance: permutations of the map.
/// Source: this project.
public struct RotationStability: PairMetric {
    public static let facts = MetricFacts(
        "rotation-stability", .stability, better: .higher, options: ["degrees=3"],
        curve: "rank correlation after a turn to either side",
        summary: "rank correlation with the maps of the image turned by three degrees, brought back", citation: "this project")

    public let identifier: String
    private let motions: [Motion]

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        let degrees = try options.value("degrees", default: 3, in: 0.01...180)
        motions = [Motion(degrees: degrees), Motion(degrees: -degrees)]
    }

    public func circumstances(_ witness: some Witness) -> [Circumstance] {
        motions.map { .input(.pixels($0.applied(to: witness.image))) }
    }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        try rankCorrelation(map, other, undoing: motions[index])
    }
}
