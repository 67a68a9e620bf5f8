import Foundation
import VitrineModel
import VitrineTensor
import VitrineTrain

/// What `Scripts/fixtures/train.py` wrote.
struct TrainFixture: Decodable {
    struct Sizes: Decodable {
        let rows: Int, columns: Int, patch: Int, width: Int, heads: Int, depth: Int, hidden: Int, classes: Int
    }
    struct GradientCase: Decodable {
        let weights: String
        let pooling: String
        var normPlacement: String?
        var hasLayerScale: Bool?
        var swiGLU: Bool?
        var registers: Int?
        var positionedPrefixTokens: Int?
        var hasDistillationToken: Bool?
        var activation: String?
        var classWeights: [Double]?
        var labelSmoothing: Double?
        var frozenBlocks: Int?
        let labels: [Int]
        let loss: Double
    }
    struct Curves: Decodable {
        let labels: [Int]
        let batches: [[Int]]
        let losses: [String: [Double]]
    }

    let sizes: Sizes
    let gradients: [String: GradientCase]
    let curves: Curves

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/train")

    static func load() throws -> TrainFixture {
        try JSONDecoder().decode(TrainFixture.self, from: Data(contentsOf: folder.appending(path: "train.json")))
    }

    static func tensors(_ name: String) throws -> CheckpointFile { try Checkpoint.open(folder.appending(path: name).path) }

    func configuration(_ item: GradientCase? = nil) -> ViTConfiguration {
        ViTConfiguration(
            patchSize: sizes.patch, width: sizes.width, depth: sizes.depth, heads: sizes.heads, hidden: sizes.hidden,
            classes: sizes.classes,
            positionGrid: PatchGrid(rows: sizes.rows, columns: sizes.columns), hasDistillationToken: item?.hasDistillationToken ?? false,
            registers: item?.registers ?? 0, positionedPrefixTokens: item?.positionedPrefixTokens,
            pooling: item.flatMap { ViTConfiguration.Pooling(rawValue: $0.pooling) } ?? .classToken,
            normPlacement: item?.normPlacement == "afterPooling" ? .afterPooling : .beforePooling,
            mlp: item?.swiGLU == true ? .swiGLU : .activation(item?.activation.flatMap(Activation.init) ?? .gelu),
            hasLayerScale: item?.hasLayerScale ?? false)
    }
}

/// A model of this configuration with the weights stored under `prefix`.
func toyModel(_ configuration: ViTConfiguration, _ file: CheckpointFile, prefix: String) throws -> VisionTransformer {
    var model = VisionTransformer.scratch(configuration, seed: 0)
    try model.forEachParameter { info, tensor in
        let stored = try file.tensor(named: prefix + info.name)
        tensor = Tensor(tensor.shape, stored.values)
    }
    return model
}

/// Largest difference relative to the largest expected value.
func relativeDifference(_ a: [Float], _ b: [Float]) -> Double {
    precondition(a.count == b.count && !a.isEmpty)
    let top = b.map { abs(Double($0)) }.max()!
    let difference = zip(a, b).map { abs(Double($0) - Double($1)) }.max()!
    return difference == 0 ? 0 : difference / top
}
