import VitrineImage

/// Local Lipschitz estimate: the largest ‖φ(x) - φ(x')‖ / ‖x - x'‖ over copies x' of the image under uniform noise, each map divided by
/// its largest absolute value.
///
/// Invariant to scaling of both maps. Chance: permutations of the map.
/// Source: Alvarez-Melis & Jaakkola 2018, https://arxiv.org/abs/1806.08049; Quantus `LocalLipschitzEstimate`.
public struct LocalLipschitz: PairMetric {
    public static let facts = MetricFacts(
        "local-lipschitz", .stability, better: .lower, options: Neighbourhood.options, curve: "change of the map by change of the image",
        summary: "largest change of the map divided by the change of the image, under uniform noise",
        citation: "Alvarez-Melis & Jaakkola 2018, https://arxiv.org/abs/1806.08049; Quantus LocalLipschitzEstimate")

    public let identifier: String
    private let neighbourhood: Neighbourhood

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        neighbourhood = try Neighbourhood(&options)
    }

    public func circumstances(_ witness: some Witness) -> [Circumstance] { neighbourhood.circumstances(witness) }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        guard map.values.count == other.values.count else { throw Undefined("the map made again has another grid") }
        func scaled(_ map: HeatMap) -> [Double] {
            let most = Double(map.values.reduce(0) { max($0, abs($1)) })
            return map.values.map { most > 0 ? Double($0) / most : 0 }
        }
        let moved = witness.inBall(neighbourhood.radius, draw: index).values
        let distance = norm(zip(witness.image.values, moved).map { Double($0) - Double($1) })
        return norm(zip(scaled(map), scaled(other)).map { $0 - $1 }) / (distance + 1e-10)
    }

    public func summarise(_ values: [Double]) -> Measurement { Measurement(values.max() ?? 0, curve: values.map { Float($0) }) }
}
