import VitrineImage

/// Relative input stability: the largest ‖(φ - φ') / φ‖ / ‖(x - x') / x‖ over copies x' of the image under uniform noise, element by
/// element.
///
/// An element of 0 divides as 1e-6 does, which a map of many zeros feels: look at the max-sensitivity beside it.
/// Invariant to scaling of both maps. Chance: permutations of the map.
/// Source: Agarwal et al. 2022, https://arxiv.org/abs/2203.06877; Quantus `RelativeInputStability`.
public struct RelativeInputStability: PairMetric {
    public static let facts = MetricFacts(
        "relative-input-stability", .stability, better: .lower, options: Neighbourhood.options,
        curve: "relative change of the map by relative change of the image",
        summary: "largest relative change of the map divided by the relative change of the image, under uniform noise",
        citation: "Agarwal et al. 2022, https://arxiv.org/abs/2203.06877; Quantus RelativeInputStability")

    public let identifier: String
    private let neighbourhood: Neighbourhood

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        neighbourhood = try Neighbourhood(&options)
    }

    public func circumstances(_ witness: some Witness) -> [Circumstance] { neighbourhood.circumstances(witness) }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        let change = norm(
            zip(witness.image.values, witness.inBall(neighbourhood.radius, draw: index).values).map {
                (Double($0) - Double($1)) / ($0 == 0 ? 1e-6 : Double($0))
            })
        return try elementwiseChange(map, other) / (change == 0 ? 1e-6 : change)
    }

    public func summarise(_ values: [Double]) -> Measurement { Measurement(values.max() ?? 0, curve: values.map { Float($0) }) }
}
