import VitrineImage

/// Deletion: the area under the model's answer while the most important patches go first.
///
/// Point k of K has lost round(k P / K) of the P patches; the area is the trapezoid rule's over fractions from 0 to 1. Invariant to
/// monotone changes of the map. Chance: random orders under the same model.
/// Source: Petsiuk, Das & Saenko 2018, "RISE", https://arxiv.org/abs/1806.07421; tokens dropped instead of painted: Walker et al. 2024.
public struct Deletion: ModelMetric {
    public static let facts = MetricFacts(
        "deletion", .faithfulness, better: .lower, options: RemovalCurve.options,
        curve: "the model's answer from the whole image to nothing, most important patches first",
        summary: "area under the model's answer while the most important patches are removed first",
        citation: "Petsiuk, Das & Saenko 2018, https://arxiv.org/abs/1806.07421")

    public let identifier: String
    private let curve: RemovalCurve

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        curve = try RemovalCurve(&options)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        try curve.measurement(try curve.deletion(try PatchOrder(map, witness).patches, witness), witness)
    }
}
