import VitrineImage

/// Monotonicity correlation: Spearman's correlation, over the patches, of the map's absolute value with the absolute change of the
/// answer without the patch.
///
/// Invariant to positive scaling, and to monotone changes of the absolute values. Chance: 0 in expectation, from random maps.
/// Source: Nguyen & Martínez 2020, https://arxiv.org/abs/2007.07584, in the form of single patches.
public struct Monotonicity: ModelMetric {
    public static let facts = MetricFacts(
        "monotonicity", .faithfulness, better: .higher, options: [RemovalCurve.removalOption, RemovalCurve.scaleOption],
        summary: "rank correlation of the map's absolute values with the absolute changes of the model's answer without each patch",
        citation: "Nguyen & Martínez 2020, https://arxiv.org/abs/2007.07584")

    public let identifier: String
    private let removal: RemovalRule
    private let scale: AnswerScale

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        removal = try options.choice("removal", default: .drop)
        scale = try options.choice("value", default: .probability)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let values = try PatchOrder(map, witness).values
        let all = 0..<witness.patchCount
        let answers = try witness.values(
            keeping: [Array(all)] + all.map { witness.patches(without: CollectionOfOne($0)) }, by: removal, scale)
        try requireChange(answers)
        guard let found = spearman(values.map { abs($0) }, answers.dropFirst().map { abs($0 - answers[0]) }) else {
            throw Undefined("the map's absolute values, or the changes of the model's answer, are all the same")
        }
        return Measurement(found)
    }
}
