import VitrineImage

/// Average drop: max(0, p - p'), p' being the answer to the normalised image multiplied by the displayed map.
///
/// Absolute, as pytorch-grad-cam has it; the first paper divides by p. Invariant to positive scaling. Chance: random maps.
/// Source: Chattopadhay et al. 2018, "Grad-CAM++", https://arxiv.org/abs/1710.11063; pytorch-grad-cam `DropInConfidence`.
public struct AverageDrop: ModelMetric {
    public static let facts = MetricFacts(
        "average-drop", .faithfulness, better: .lower, options: MaskedImage.options,
        summary: "fall of the model's answer when the image is multiplied by the map, 0 where it rises",
        citation: "Chattopadhay et al. 2018, https://arxiv.org/abs/1710.11063; pytorch-grad-cam DropInConfidence")

    public let identifier: String
    private let image: MaskedImage

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        image = try MaskedImage(&options)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let (whole, masked) = try image.answers(map, witness)
        return Measurement(max(0, whole - masked))
    }
}
