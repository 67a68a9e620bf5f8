import Foundation
import VitrineData
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineTensor

struct WorkloadOptions {
    var model = ""
    var image = ""
    var batch = 1
    var workers = 2
    /// None: the study's three.
    var methods: [String] = []
}

/// One turn of a workload; returns a figure to print beside its time, such as the memory it allocated.
typealias Turn = () throws -> String?

enum Workload {
    static let all: [String: @Sendable (WorkloadOptions) throws -> Turn] = [
        "forward": forward, "explain": explain, "curves": curves, "decode": decode, "products": products,
    ]

    /// Logits of a batch, its images shared among the workers.
    private static func forward(_ o: WorkloadOptions) throws -> Turn {
        let model = try VisionTransformer.load(o.model).model.packing()
        let images = batch(o.batch, model)
        let pieces = pieces(o.batch, o.workers)
        let workspaces = pieces.map { _ in Workspace(threads: o.workers / pieces.count) }
        return {
            try parallelFor(pieces.count, workers: pieces.count) { worker, i in
                _ = try model(images[pieces[i]], workspace: workspaces[worker])
            }
            return allocated(workspaces)
        }
    }

    /// The maps of every image of a batch; the study's three methods unless others are named.
    private static func explain(_ o: WorkloadOptions) throws -> Turn {
        let model = try VisionTransformer.load(o.model).model.packing()
        let methods = o.methods.isEmpty ? ["attention", "gradcam-study", "chefer"] : o.methods
        let plan = try ExplanationPlan(model: model, methods: ConfiguredMethod.parse(methods), seed: 0)
        let images = batch(o.batch, model)
        let pieces = pieces(o.batch, o.workers)
        let workspaces = pieces.map { _ in Workspace(threads: o.workers / pieces.count) }
        return {
            try parallelFor(pieces.count, workers: pieces.count) { worker, i in
                let subjects = pieces[i].map { PreparedImage(name: "\($0)", pixels: images[$0], target: .predicted) }
                _ = try plan.explain(subjects, workspace: workspaces[worker])
            }
            return allocated(workspaces)
        }
    }

    /// The passes of deletion and insertion in twenty steps: an image of which ever fewer patches are left, and ever more.
    private static func curves(_ o: WorkloadOptions) throws -> Turn {
        let model = try VisionTransformer.load(o.model).model.packing()
        let image = batch(1, model)[0]
        let grid = try model.configuration.grid(height: image.shape[1], width: image.shape[2])
        var random = Philox(seed: 2, name: "benchmark")
        let order = (0..<grid.count).shuffled(using: &random)
        let counts = (0...20).map { (grid.count * $0 + 10) / 20 }
        let sets = counts.map { order[$0...].sorted() } + counts.dropFirst().dropLast().map { order[..<$0].sorted() }
        let workspace = Workspace(threads: o.workers)
        return {
            let probe = Probe(model: model, image: image, grid: grid, target: nil, workspace: workspace)
            try probe.logits(of: sets.map { .patches($0) }) { _, _ in }
            return nil
        }
    }

    /// Decoding, resizing to 224 x 224 and normalising one JPEG.
    private static func decode(_ o: WorkloadOptions) throws -> Turn {
        let preprocess = try Preprocess(parsing: "resize:224")
        return {
            for _ in 0..<20 { _ = try PreprocessedImage(contentsOf: o.image, preprocess: preprocess) }
            return nil
        }
    }

    /// The products of a forward pass alone, at eight images of 204 rows: what the machine's sgemm reaches.
    private static func products(_ o: WorkloadOptions) throws -> Turn {
        let shapes = [(768, 2304), (768, 768), (768, 3072), (3072, 768)]
        let rows = 204 * 8 / o.workers
        let operations = shapes.reduce(0) { $0 + 2 * rows * $1.0 * $1.1 } * 12 * o.workers
        let left = (0..<o.workers).map { _ in shapes.map { filled([rows, $0.0]) } }
        let weights = shapes.map { filled([$0.1, $0.0]) }
        let workspaces = (0..<o.workers).map { _ in Workspace() }
        return {
            let start = DispatchTime.now().uptimeNanoseconds
            try parallelFor(o.workers, workers: o.workers) { _, w in
                for _ in 0..<12 {
                    for (i, shape) in shapes.enumerated() {
                        var y = workspaces[w].tensor([rows, shape.1])
                        multiply(left[w][i].matrix, weights[i].matrix.transposed, into: &y)
                    }
                }
            }
            let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
            return "\(Double(operations) / seconds / 1e9)"
        }
    }

    // MARK: Pieces

    private static func batch(_ count: Int, _ model: VisionTransformer) -> Tensor {
        let c = model.configuration
        return filled([count, c.channels, c.positionGrid.rows * c.patchSize, c.positionGrid.columns * c.patchSize])
    }

    private static func filled(_ shape: Shape) -> Tensor {
        var random = Philox(seed: 1, name: "benchmark")
        return Tensor(shape, (0..<shape.count).map { _ in Float(random.uniform()) * 2 - 1 })
    }

    private static func pieces(_ count: Int, _ workers: Int) -> [Range<Int>] {
        let size = (count + workers - 1) / workers
        return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
    }

    private static func allocated(_ workspaces: [Workspace]) -> String { "\(workspaces.reduce(0) { $0 + $1.allocatedCount })" }
}
