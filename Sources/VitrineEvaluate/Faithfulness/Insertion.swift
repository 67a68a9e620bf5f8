import VitrineImage

/// Insertion: the area under the model's answer while the most important patches come first.
///
/// Starts from nothing (the prefix tokens alone, or the removal rule everywhere); points and area as for `Deletion`. Invariant to
/// monotone changes of the map. Chance: random orders under the same model.
/// Source: Petsiuk, Das & Saenko 2018, "RISE", https://arxiv.org/abs/1806.07421.
public struct Insertion: ModelMetric {
    public static let facts = MetricFacts(
        "insertion", .faithfulness, better: .higher, options: RemovalCurve.options,
        curve: "the model's answer from nothing to the whole image, most important patches first",
        summary: "area under the model's answer while the most important patches come first",
        citation: "Petsiuk, Das & Saenko 2018, https://arxiv.org/abs/1806.07421")

    public let identifier: String
    private let curve: RemovalCurve

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        curve = try RemovalCurve(&options)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        try curve.measurement(try curve.insertion(try PatchOrder(map, witness).patches, witness), witness)
    }
}
