import VitrineImage
import VitrineModel
import VitrineTensor

/// How much a method's map moves when nothing visible moves.
///
/// The same image is explained again under uniform noise of half a grey level; each draw's native map is compared with the
/// undisturbed one. Each draw costs what explaining the image cost.
public struct Stability: Sendable, Equatable, Codable {
    public var pearsonMean: Double?
    public var pearsonMinimum: Double?
    public var spearmanMean: Double?
    public var spearmanMinimum: Double?
    public var draws: Int

    /// - Parameters:
    ///   - original: the undisturbed map.
    ///   - draws: the same method's maps under noise. One whose correlation does not exist (constant, or NaN) makes the figures nil.
    init(original: HeatMap, draws: [HeatMap]) {
        let pearson = draws.map { Correlation.pearson(original.values, $0.values) }
        let spearman = draws.map { Correlation.spearman(original.values, $0.values) }
        (pearsonMean, pearsonMinimum) = Self.summary(pearson)
        (spearmanMean, spearmanMinimum) = Self.summary(spearman)
        self.draws = draws.count
    }

    private static func summary(_ values: [Double?]) -> (Double?, Double?) {
        let present = values.compactMap { $0 }
        guard !values.isEmpty, present.count == values.count else { return (nil, nil) }
        return (present.reduce(0, +) / Double(present.count), present.min())
    }
}

extension ExplanationPlan {
    /// Quantisation stability of every method that served the image, by its place in the plan.
    ///
    /// - Parameters:
    ///   - undisturbed: what `explain` returned for this image; its target is kept, so that a draw never explains another class.
    ///   - greyLevel: one grey level in normalised units, per channel (`1 / 255 / deviation`).
    ///   - draws: number of noisy copies.
    ///   - batch: how many copies run at a time.
    public func stability(
        of image: PreparedImage, undisturbed: ImageExplanations, greyLevel: [Float], draws: Int = 10, batch: Int = 10,
        workspace: Workspace, watch: Watch = Watch()
    ) throws -> [Int: Stability] {
        precondition(greyLevel.count == image.pixels.shape[0], "one grey level per channel")
        var maps: [Int: [HeatMap]] = [:]
        for start in stride(from: 0, to: draws, by: batch) {
            let copies = (start..<min(start + batch, draws)).map { draw in
                PreparedImage(
                    name: image.name, pixels: noisy(image, greyLevel: greyLevel, draw: draw),
                    target: undisturbed.target.map { .fixed($0) } ?? .predicted, scale: image.scale)
            }
            for result in try explain(copies, workspace: workspace, watch: watch) {
                for explanation in result.explanations { maps[explanation.index, default: []].append(explanation.map) }
            }
        }
        var found: [Int: Stability] = [:]
        for explanation in undisturbed.explanations {
            let own = maps[explanation.index] ?? []
            // A method that failed for some draw says nothing about its stability.
            if own.count == draws { found[explanation.index] = Stability(original: explanation.map, draws: own) }
        }
        return found
    }

    private func noisy(_ image: PreparedImage, greyLevel: [Float], draw: Int) -> Tensor {
        var random = Philox(seed: seed, name: "quantisation/\(image.name)", index: UInt64(draw))
        var pixels = image.pixels
        let plane = pixels.count / greyLevel.count
        pixels.withMutableSpan { span in
            for i in 0..<span.count { span[i] += greyLevel[i / plane] * Float(random.uniform() - 0.5) }
        }
        return pixels
    }
}
