import VitrineImage
import VitrineTensor

/// IROF, iterative removal of features: segments of the image are replaced by its mean colour, most important first; the area under
/// the answer as a share of the first, over the share of segments from 0 to 1.
///
/// Segments: SLIC in RGB; a segment's importance is the mean of the displayed map in it; small areas are better. Quantus gives
/// segments minus area, segments the normalised image, and leaves out the untouched image. Invariant to positive scaling. Chance:
/// random maps under the same model.
/// Source: Rieger & Hansen 2020, https://arxiv.org/abs/2003.08747.
public struct IterativeRemoval: ModelMetric {
    public static let facts = MetricFacts(
        "irof", .faithfulness, better: .lower, options: ["segments=100", RemovalCurve.scaleOption],
        curve: "the model's answer as a share of the first, segment by segment, most important first",
        summary: "area under the model's answer, as a share of the first, while segments are replaced by the mean colour",
        citation: "Rieger & Hansen 2020, https://arxiv.org/abs/2003.08747")

    public let identifier: String
    private let segments: Int
    private let scale: AnswerScale

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        segments = try options.count("segments", default: 100, in: 2...10_000)
        scale = try options.choice("value", default: .probability)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let (labels, count) = witness.segments(segments)
        guard count > 1 else { throw Undefined("the image is one segment") }
        let shown = map.displayed()
        var (sums, sizes) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
        for (i, label) in labels.enumerated() {
            sums[label] += Double(shown[i])
            sizes[label] += 1
        }
        var random = witness.random("ties")
        let importance = (0..<count).map { sums[$0] / sizes[$0] }
        guard importance.contains(where: { $0 != importance[0] }) else { throw Undefined("the map says the same of every segment") }
        let order = PatchOrder.descending(importance, &random)
        var place = [Int](repeating: 0, count: count)
        for (i, segment) in order.enumerated() { place[segment] = i }
        let steps = labels.map { place[$0] }
        let whole = try witness.values(keeping: [Array(0..<witness.patchCount)], by: .drop, scale)[0]
        guard whole != 0 else { throw Undefined("the model's answer to the image is 0") }
        let image = witness.image
        let means = image.channelMeans
        var answers = [whole]
        try witness.logits(of: (1...count).lazy.map { step in Self.replaced(image, means, steps, step) }) { _, logits in
            answers.append(witness.value(logits, scale))
        }
        guard answers.allSatisfy(\.isFinite) else { throw Undefined("the model's answer is not finite") }
        try requireChange(answers)
        let curve = answers.map { $0 / whole }
        return Measurement(area(curve), curve: curve.map { Float($0) })
    }

    /// The image whose first `count` segments, in the order of `steps`, hold its mean.
    private static func replaced(_ image: Tensor, _ means: [Float], _ steps: [Int], _ count: Int) -> ChangedInput {
        var pixels = image
        pixels.withMutableSpan { span in for i in 0..<span.count where steps[i % steps.count] < count { span[i] = means[i / steps.count] } }
        return .pixels(pixels)
    }
}

extension Tensor {
    /// Mean of each channel of an image.
    fileprivate var channelMeans: [Float] {
        let plane = shape[1] * shape[2]
        return withSpan { span in
            (0..<shape[0]).map { c in
                var sum = 0.0
                for i in 0..<plane { sum += Double(span[c * plane + i]) }
                return Float(sum / Double(plane))
            }
        }
    }
}

extension Witness {
    /// The segments of the image, found once.
    fileprivate func segments(_ count: Int) -> (labels: [Int], count: Int) {
        if let known = memory.segments[count] { return known }
        let found = Superpixels.segments(image, scale, count: count)
        memory.segments[count] = found
        return found
    }
}
