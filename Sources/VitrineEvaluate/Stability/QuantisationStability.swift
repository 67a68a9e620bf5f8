import VitrineImage

/// Quantisation stability: how alike a map stays to itself under noise of half a grey level, which no eye sees.
///
/// Spearman's correlation on the native grid with the map of each noisy copy, mean over the copies. Invariant to monotone changes of
/// both maps. Chance: 0, the mean over permutations.
/// Source: this project.
public struct QuantisationStability: PairMetric {
    public static let facts = MetricFacts(
        "quantisation-stability", .stability, better: .higher, options: ["draws=10"],
        curve: "rank correlation with the map of each noisy copy",
        summary: "rank correlation with the maps under noise of half a grey level", citation: "this project")

    public let identifier: String
    private let draws: Int

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        draws = try options.count("draws", default: 10, in: 1...10_000)
    }

    public func circumstances(_ witness: some Witness) -> [Circumstance] {
        (0..<draws).map { .input(witness.noisy("quantisation", greyLevels: 1, draw: $0)) }
    }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        try rankCorrelation(map, other)
    }

    public func chance(of map: HeatMap, _ witness: some Witness, draws: Int) -> ChanceLevel? { noCorrelation }
}
