import VitrineImage

/// Average sensitivity: the mean ‖φ(x') - φ(x)‖ / ‖φ(x)‖ over copies x' of the image under uniform noise.
///
/// Invariant to scaling of both maps. Chance: permutations of the map.
/// Source: Yeh et al. 2019, https://arxiv.org/abs/1901.09392; Quantus `AvgSensitivity`.
public struct AverageSensitivity: PairMetric {
    public static let facts = MetricFacts(
        "average-sensitivity", .stability, better: .lower, options: Neighbourhood.options, curve: "relative change of the map by copy",
        summary: "mean relative change of the map under uniform noise",
        citation: "Yeh et al. 2019, https://arxiv.org/abs/1901.09392; Quantus AvgSensitivity")

    public let identifier: String
    private let neighbourhood: Neighbourhood

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        neighbourhood = try Neighbourhood(&options)
    }

    public func circumstances(_ witness: some Witness) -> [Circumstance] { neighbourhood.circumstances(witness) }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        try relativeChange(map, other)
    }
}
