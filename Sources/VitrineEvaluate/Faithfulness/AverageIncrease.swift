import VitrineImage

/// Average increase: 1 where the answer rises when the normalised image is multiplied by the displayed map.
///
/// Invariant to positive scaling. Chance: random maps.
/// Source: Chattopadhay et al. 2018, "Grad-CAM++", https://arxiv.org/abs/1710.11063; pytorch-grad-cam `IncreaseInConfidence`.
public struct AverageIncrease: ModelMetric {
    public static let facts = MetricFacts(
        "average-increase", .faithfulness, better: .higher, isHit: true, options: MaskedImage.options,
        summary: "whether the model's answer rises when the image is multiplied by the map",
        citation: "Chattopadhay et al. 2018, https://arxiv.org/abs/1710.11063; pytorch-grad-cam IncreaseInConfidence")

    public let identifier: String
    private let image: MaskedImage

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        image = try MaskedImage(&options)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let (whole, masked) = try image.answers(map, witness)
        return Measurement(masked > whole ? 1 : 0)
    }
}
