import VitrineData
import VitrineModel
import VitrineTensor

/// What a model says of some images, in their order.
public struct Predictions: Sendable {
    public let samples: [Sample]
    public let logits: [[Float]]

    public var labels: [Int] { samples.map { $0.label! } }
    public var probabilities: [[Float]] { logits.map { softmax($0) } }

    /// Runs the model over images that are not augmented; the result does not depend on the number of workers.
    ///
    /// - Parameter isStopped: asked before every piece; throws `Interrupted` when it says so.
    static func make(
        _ model: VisionTransformer, samples: [Sample], store: ImageStore, workers: Int, isStopped: @Sendable () -> Bool = { false }
    ) throws -> Predictions {
        let rows = try outputs(model, samples: samples, store: store, workers: workers, isStopped: isStopped) { $0.logits! }
        return Predictions(samples: samples, logits: rows)
    }

    /// What the head reads of every image, for linear probing.
    static func features(
        _ model: VisionTransformer, samples: [Sample], store: ImageStore, workers: Int, isStopped: @Sendable () -> Bool = { false }
    ) throws -> [[Float]] {
        try outputs(model, samples: samples, store: store, workers: workers, isStopped: isStopped) { $0.pooled }
    }

    private static func outputs(
        _ model: VisionTransformer, samples: [Sample], store: ImageStore, workers: Int, isStopped: @Sendable () -> Bool,
        _ rows: @Sendable (Trace) -> Tensor
    ) throws -> [[Float]] {
        let size = VisionTransformer.imagesPerPass(tokens: model.configuration.prefixTokens + model.configuration.positionGrid.count)
        let pieces = (samples.count + size - 1) / size
        let workspaces = (0..<max(workers, 1)).map { _ in Workspace() }
        let results = IndexedResults<[[Float]]>()
        try parallelFor(pieces, workers: workers) { worker, i in
            if isStopped() { throw Interrupted() }
            let piece = samples[i * size..<min((i + 1) * size, samples.count)]
            let images = try store.tensor(piece, changes: nil, workspace: workspaces[worker])
            let trace = try model.trace(images, targets: [], request: .logits, workspace: workspaces[worker])
            let values = rows(trace)
            results.store((0..<piece.count).map { values[$0].values }, at: i)
        }
        return results.sorted.flatMap(\.value)
    }

    /// Metrics of these predictions under a loss.
    func metrics(loss: CrossEntropy, positiveLabel: Int) throws -> ClassificationMetrics {
        let total = zip(logits, labels).reduce(0) { $0 + loss(logits: $1.0, label: $1.1).loss }
        return try ClassificationMetrics(
            probabilities: probabilities, labels: labels, positiveLabel: positiveLabel, loss: total / max(loss.denominator(labels), 1e-300))
    }
}
