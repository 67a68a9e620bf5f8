import VitrineImage

/// Comprehensiveness: how far the answer falls without the top 1, 5, 10, 20 and 50 % of the patches, mean over the five.
///
/// Invariant to monotone changes of the map. Chance: random maps under the same model.
/// Source: DeYoung et al. 2020, "ERASER", https://arxiv.org/abs/1911.03429.
public struct Comprehensiveness: ModelMetric {
    public static let facts = MetricFacts(
        "comprehensiveness", .faithfulness, better: .higher, options: TopShares.options,
        curve: "fall of the model's answer without the top 1, 5, 10, 20 and 50 % of the patches",
        summary: "fall of the model's answer without the top patches, mean over 1, 5, 10, 20 and 50 %",
        citation: "DeYoung et al. 2020, https://arxiv.org/abs/1911.03429")

    public let identifier: String
    private let top: TopShares

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        top = try TopShares(&options)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        try top.falls(map, witness, keepingTop: false)
    }
}
