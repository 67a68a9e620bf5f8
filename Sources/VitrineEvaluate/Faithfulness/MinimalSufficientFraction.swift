import VitrineImage

/// Minimal sufficient fraction: the smallest share of the patches, from the top of the map, that alone keeps the explained class the
/// predicted one.
///
/// By bisection, about log2 P questions: where the prediction comes and goes as patches arrive, the share found is one at which it
/// comes, not surely the smallest. Invariant to monotone changes of the map. Chance: random maps under the same model.
/// Source: this project, after Carter et al. 2019, "Sufficient input subsets", https://arxiv.org/abs/1810.03805.
public struct MinimalSufficientFraction: ModelMetric {
    public static let facts = MetricFacts(
        "minimal-sufficient-fraction", .faithfulness, better: .lower, options: [RemovalCurve.removalOption],
        summary: "smallest share of the top patches that alone keeps the explained class predicted",
        citation: "this project; after Carter et al. 2019, https://arxiv.org/abs/1810.03805")

    public let identifier: String
    private let removal: RemovalRule

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        removal = try options.choice("removal", default: .drop)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let order = try PatchOrder(map, witness)
        func keeps(_ count: Int) throws -> Bool {
            predictedClass(try witness.logits(keeping: [order.top(count)], by: removal)[0]) == witness.explainedClass
        }
        guard try keeps(witness.patchCount) else { throw Undefined("the model does not predict the explained class") }
        guard try !keeps(0) else { throw Undefined("the explained class is predicted without any patch") }
        var (low, high) = (0, witness.patchCount)
        while high - low > 1 {
            let middle = (low + high) / 2
            if try keeps(middle) { high = middle } else { low = middle }
        }
        return Measurement(Double(high) / Double(witness.patchCount), note: witness.emptyNote(removal))
    }
}
