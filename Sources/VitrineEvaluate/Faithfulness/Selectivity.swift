import VitrineImage

/// Selectivity: deletion one patch at a time, the area over all P steps.
///
/// Invariant to monotone changes of the map. Chance: random maps under the same model.
/// Source: Montavon, Samek & Müller 2018, https://doi.org/10.1016/j.dsp.2017.10.011; on patches, from the whole image on.
public struct Selectivity: ModelMetric {
    public static let facts = MetricFacts(
        "selectivity", .faithfulness, better: .lower, options: [RemovalCurve.removalOption, RemovalCurve.scaleOption],
        curve: "the model's answer while the patches go one by one, most important first",
        summary: "area under the model's answer while the patches are removed one by one, most important first",
        citation: "Montavon, Samek & Müller 2018, https://doi.org/10.1016/j.dsp.2017.10.011")

    public let identifier: String
    private let removal: RemovalRule
    private let scale: AnswerScale

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        removal = try options.choice("removal", default: .drop)
        scale = try options.choice("value", default: .probability)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let curve = RemovalCurve(steps: witness.patchCount, removal: removal, scale: scale)
        return try curve.measurement(try curve.deletion(try PatchOrder(map, witness).patches, witness), witness)
    }
}
