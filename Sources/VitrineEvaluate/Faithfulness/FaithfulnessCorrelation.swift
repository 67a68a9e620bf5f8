import VitrineImage

/// Faithfulness correlation: Pearson's correlation, over random sets of a fifth of the patches, of the map's sum in the set with the
/// fall of the answer without it.
///
/// Invariant to positive scaling and to an added constant. Chance: 0 in expectation, from random maps.
/// Source: Bhatt, Weller & Moura 2020, https://arxiv.org/abs/2005.00631; on patches.
public struct FaithfulnessCorrelation: ModelMetric {
    public static let facts = MetricFacts(
        "faithfulness-correlation", .faithfulness, better: .higher,
        options: ["subset=0.2", "sets=200", RemovalCurve.removalOption, RemovalCurve.scaleOption],
        summary: "correlation of the map's sums over random sets of patches with the falls of the model's answer",
        citation: "Bhatt, Weller & Moura 2020, https://arxiv.org/abs/2005.00631")

    public let identifier: String
    private let subset: Double
    private let sets: Int
    private let removal: RemovalRule
    private let scale: AnswerScale

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        subset = try options.value("subset", default: 0.2, in: 0...1)
        sets = try options.count("sets", default: 200, in: 3...1_000_000)
        removal = try options.choice("removal", default: .drop)
        scale = try options.choice("value", default: .probability)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let values = try PatchOrder(map, witness).values
        let size = max(1, Int((subset * Double(witness.patchCount)).rounded()))
        let subsets = try RandomSubsets(
            "faithfulness-correlation-\(size)", sizes: [Int](repeating: size, count: sets), removal, scale, witness)
        guard let found = pearson(subsets.sums(values), subsets.falls) else {
            throw Undefined("the map's sums, or the model's answers, are the same for all sets")
        }
        return Measurement(found)
    }
}
