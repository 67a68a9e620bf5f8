import VitrineImage

/// Insertion between chance and the best: (area - floor) / (ceiling - floor), 0 for random orders and 1 for a greedy search.
///
/// Over cells of patches (7 x 7) that go or come whole; floor: the mean of ten random orders; ceiling: the order of `OracleRank`. Larger is
/// better for both ranks. A search that looks one step ahead is no bound: an order can pass 1. Invariant to monotone changes of the
/// means over cells. Chance: 0.
/// Source: this project.
public struct InsertionRank: ModelMetric {
    public static let facts = MetricFacts(
        "insertion-rank", .faithfulness, better: .higher, options: OracleRank.options,
        curve: "the model's answer while the cells of patches go or come, as for insertion",
        summary: "insertion area on its way from random orders (0) to a greedy search (1), over cells of patches",
        citation: "this project")

    public let identifier: String
    private let rank: OracleRank

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        rank = try OracleRank(&options, isDeletion: false)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement { try rank.measure(map, witness) }

    public func chance(of map: HeatMap, _ witness: some Witness, draws: Int) throws -> ChanceLevel? { try rank.chance(witness) }
}
