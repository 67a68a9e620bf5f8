import VitrineImage
import VitrineModel
import VitrineTensor

/// How much a method's map moves when nothing visible moves (methods.md §5b, quantisation stability).
///
/// The same image is explained again under uniform noise of half a grey level; each draw's native map is compared with the
/// undisturbed one. All draws run as one batch: ten draws cost ten forward and backward passes and no more.
public struct Stability: Sendable, Equatable, Codable {
    public var pearsonMean: Double?
    public var pearsonMinimum: Double?
    public var spearmanMean: Double?
    public var spearmanMinimum: Double?
    public var draws: Int

    /// - Parameter maps: native values of the undisturbed map, then of each draw. A draw whose correlation does not exist
    ///   (a constant or NaN map) makes the figures nil.
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
    /// Quantisation stability of every method on one image, in the order of the methods.
    ///
    /// - Parameters:
    ///   - undisturbed: what `explain` returned for this image; its target is kept, so that a draw never explains another class.
    ///   - greyLevel: one grey level in normalised units, per channel (`1 / 255 / deviation`).
    ///   - draws: number of noisy copies.
    ///   - batch: how many copies run at a time.
    public func stability(
        of image: PreparedImage, undisturbed: ImageExplanations, greyLevel: [Float], draws: Int = 10, batch: Int = 10, workspace: Workspace
    ) throws(ViTError) -> [Stability] {
        precondition(greyLevel.count == image.pixels.shape[0], "one grey level per channel")
        var maps = [[HeatMap]](repeating: [], count: methods.count)
        for start in stride(from: 0, to: draws, by: batch) {
            let copies = (start..<min(start + batch, draws)).map { draw in
                PreparedImage(
                    name: image.name, pixels: noisy(image, greyLevel: greyLevel, draw: draw),
                    target: undisturbed.target.map { .fixed($0) } ?? .predicted)
            }
            for result in try explain(copies, workspace: workspace) {
                for (m, explanation) in result.explanations.enumerated() { maps[m].append(explanation.map) }
            }
        }
        return methods.indices.map { Stability(original: undisturbed.explanations[$0].map, draws: maps[$0]) }
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
