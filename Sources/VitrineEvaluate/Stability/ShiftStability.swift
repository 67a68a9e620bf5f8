import VitrineImage

/// Shift stability: how alike a map stays to itself when the image moves by two pixels, up, down, left and right.
///
/// The map of each moved image is brought back by bilinear sampling on the native grid; Spearman's correlation, mean over the four.
/// Chance: permutations of the map.
/// Source: this project.
public struct ShiftStability: PairMetric {
    public static let facts = MetricFacts(
        "shift-stability", .stability, better: .higher, options: ["pixels=2"],
        curve: "rank correlation after a shift down, up, to the right, to the left",
        summary: "rank correlation with the maps of the image moved by two pixels, brought back", citation: "this project")

    public let identifier: String
    private let motions: [Motion]

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        let pixels = try options.value("pixels", default: 2, in: 0.01...1000)
        motions = [Motion(down: pixels), Motion(down: -pixels), Motion(right: pixels), Motion(right: -pixels)]
    }

    public func circumstances(_ witness: some Witness) -> [Circumstance] {
        motions.map { .input(.pixels($0.applied(to: witness.image))) }
    }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        try rankCorrelation(map, other, undoing: motions[index])
    }
}
