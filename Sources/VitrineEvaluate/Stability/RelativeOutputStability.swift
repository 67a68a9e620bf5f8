import VitrineImage

/// Relative output stability: the largest ‖(φ - φ') / φ‖ / ‖h - h'‖ over copies of the image under uniform noise, h being the logits.
///
/// An element of 0 divides as 1e-6 does, which a map of many zeros feels: look at the max-sensitivity beside it. Invariant to scaling
/// of both maps. Chance: permutations of the map.
/// Source: Agarwal et al. 2022, https://arxiv.org/abs/2203.06877; Quantus `RelativeOutputStability`.
public struct RelativeOutputStability: PairMetric {
    public static let facts = MetricFacts(
        "relative-output-stability", .stability, better: .lower, options: Neighbourhood.options,
        curve: "relative change of the map by change of the logits",
        summary: "largest relative change of the map divided by the change of the logits, under uniform noise",
        citation: "Agarwal et al. 2022, https://arxiv.org/abs/2203.06877; Quantus RelativeOutputStability")

    public let identifier: String
    private let neighbourhood: Neighbourhood

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        neighbourhood = try Neighbourhood(&options)
    }

    public func circumstances(_ witness: some Witness) -> [Circumstance] { neighbourhood.circumstances(witness) }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        let own = try witness.logits(keeping: [Array(0..<witness.patchCount)], by: .drop)[0]
        let moved = try neighbourhood.logits(index, witness)
        let change = norm(zip(own, moved).map { Double($0) - Double($1) })
        guard change > 0 else { throw Undefined("the model's answer does not change") }
        return try elementwiseChange(map, other) / change
    }

    public func summarise(_ values: [Double]) -> Measurement { Measurement(values.max() ?? 0, curve: values.map { Float($0) }) }
}
