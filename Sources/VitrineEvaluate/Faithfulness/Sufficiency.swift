import VitrineImage

/// Sufficiency: how far the answer falls when only the top 1, 5, 10, 20 and 50 % of the patches are left, mean over the five; small
/// where those patches are enough.
///
/// Invariant to monotone changes of the map. Chance: random maps under the same model. Quantus calls another metric by this name.
/// Source: DeYoung et al. 2020, "ERASER", https://arxiv.org/abs/1911.03429.
public struct Sufficiency: ModelMetric {
    public static let facts = MetricFacts(
        "sufficiency", .faithfulness, better: .lower, options: TopShares.options,
        curve: "fall of the model's answer with only the top 1, 5, 10, 20 and 50 % of the patches",
        summary: "fall of the model's answer with only the top patches, mean over 1, 5, 10, 20 and 50 %",
        citation: "DeYoung et al. 2020, https://arxiv.org/abs/1911.03429")

    public let identifier: String
    private let top: TopShares

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        top = try TopShares(&options)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        try top.falls(map, witness, keepingTop: true)
    }
}
