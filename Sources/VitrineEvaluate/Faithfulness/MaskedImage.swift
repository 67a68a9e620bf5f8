import VitrineImage
import VitrineTensor

/// The image multiplied by the displayed map, as average drop and average increase show it to the model.
struct MaskedImage: Sendable {
    let scale: AnswerScale

    static let options = [RemovalCurve.scaleOption]

    init(_ options: inout MetricOptions) throws(MetricError) { scale = try options.choice("value", default: .probability) }

    /// The answers to the image and to the image times the map, which is brought to 0...1 first.
    func answers(_ map: HeatMap, _ witness: some Witness) throws -> (whole: Double, masked: Double) {
        let shown = map.displayed()
        guard let low = shown.min(), let high = shown.max(), high > low else { throw Undefined("the map is displayed as one value") }
        var pixels = witness.image
        let plane = witness.height * witness.width
        pixels.withMutableSpan { span in for i in 0..<span.count { span[i] *= (shown[i % plane] - low) / (high - low) } }
        let whole = try witness.values(keeping: [Array(0..<witness.patchCount)], by: .drop, scale)[0]
        var masked = Double.nan
        try witness.logits(of: CollectionOfOne(ChangedInput.pixels(pixels))) { _, logits in masked = witness.value(logits, scale) }
        guard masked.isFinite else { throw Undefined("the model's answer is not finite") }
        try requireChange([whole, masked])
        return (whole, masked)
    }
}
