import VitrineImage

/// Class sensitivity: how alike the map of the explained class is to that of the strongest other class; 1 for a class-blind map.
///
/// Spearman's correlation on the native grid. Invariant to monotone changes of both maps. Chance: 0, the mean over permutations.
/// Source: random logit test of Sixt, Granz & Landgraf 2020, https://arxiv.org/abs/1912.09818, with the strongest other class.
public struct ClassSensitivity: PairMetric {
    public static let facts = MetricFacts(
        "class-sensitivity", .randomisation, better: .lower, summary: "rank correlation with the map of the strongest other class",
        citation: "Sixt, Granz & Landgraf 2020, https://arxiv.org/abs/1912.09818")

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func circumstances(_ witness: some Witness) throws -> [Circumstance] {
        let logits = try witness.logits(keeping: [Array(0..<witness.patchCount)], by: .drop)[0]
        let others = logits.indices.filter { $0 != witness.explainedClass }
        guard let strongest = others.max(by: { logits[$0] < logits[$1] }) else { throw Undefined("the model has one class alone") }
        return [.target(strongest)]
    }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        try rankCorrelation(map, other)
    }

    public func summarise(_ values: [Double]) -> Measurement { Measurement(values[0]) }

    public func chance(of map: HeatMap, _ witness: some Witness, draws: Int) -> ChanceLevel? { noCorrelation }
}
