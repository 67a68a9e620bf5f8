import VitrineImage

/// Arithmetic stability: what a picture owes to rounding. As quantisation stability, under noise of a millionth of a grey level.
///
/// Spearman's correlation on the native grid with the map of each copy, mean over the copies. The noise lies below the spacing of
/// Float32, so that values move to their neighbours at random. Invariant to monotone changes of both maps. Chance: 0.
/// Source: this project.
public struct ArithmeticStability: PairMetric {
    public static let facts = MetricFacts(
        "arithmetic-stability", .stability, better: .higher, options: ["draws=10"],
        curve: "rank correlation with the map of each copy",
        summary: "rank correlation with the maps under noise of a millionth of a grey level", citation: "this project")

    public let identifier: String
    private let draws: Int

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        draws = try options.count("draws", default: 10, in: 1...10_000)
    }

    public func circumstances(_ witness: some Witness) -> [Circumstance] {
        (0..<draws).map { .input(witness.rounded("arithmetic", greyLevels: 1e-6, draw: $0)) }
    }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        try rankCorrelation(map, other)
    }

    public func chance(of map: HeatMap, _ witness: some Witness, draws: Int) -> ChanceLevel? { noCorrelation }
}
