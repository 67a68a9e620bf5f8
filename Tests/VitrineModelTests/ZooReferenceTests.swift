import Foundation
import Testing
import VitrineModel
import VitrineTensor

/// Real checkpoints beside the project.
private let sharedFolder = zooFolder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "shared")

private func isShared(_ file: String) -> Bool { FileManager.default.fileExists(atPath: sharedFolder.appending(path: file).path()) }

/// Published weights, loaded without a single option.
@Suite struct ZooReferenceTests {
    static let backbone = "models/dinov2_vits14_pretrained.safetensors"
    static let reference = "reference/busi"

    @Test(.enabled(if: isShared(backbone), "needs ../shared/models"))
    func architectureOfDinov2() throws {
        let loaded = try VisionTransformer.load(sharedFolder.appending(path: Self.backbone).path())
        let expected = ViTConfiguration(
            patchSize: 14, width: 384, depth: 12, heads: 6, classes: 0, positionGrid: PatchGrid(rows: 37, columns: 37), hasLayerScale: true,
            positionResampling: .bicubic)
        #expect(loaded.model.configuration == expected)
        #expect(loaded.model.head == nil)
        #expect(loaded.report.family == .dinov2)
        // DINOv2's 22,056,576 without the mask token's 384, which the file lacks.
        #expect(loaded.report.parameterCount == 22_056_192)
        #expect(loaded.report.unusedKeys.isEmpty)
    }

    /// A 37x37 position grid brought to 16x16, twelve blocks, one norm: the reference's class token.
    @Test(.enabled(if: isShared(backbone) && isShared(reference), "needs ../shared/models and ../shared/reference"))
    func classTokenUnderDinov2() throws {
        let model = try VisionTransformer.load(sharedFolder.appending(path: Self.backbone).path()).model
        let workspace = Workspace()
        var worst: Float = 0
        for name in ["benign_178", "benign_366", "malignant_12", "malignant_129", "normal_14"] {
            let file = try Checkpoint.open(sharedFolder.appending(path: "\(Self.reference)/\(name).safetensors").path())
            let image = try file.tensor(named: "input").reshaped([1, 3, 224, 224])
            let expected = try file.tensor(named: "pretrained.class_token_after_norm").values
            let found = try model(image, workspace: workspace).values
            try #require(found.count == expected.count)
            worst = max(worst, zip(found, expected).map { abs($0 - $1) }.max()!)
        }
        // Values of order 1 to 10 after twelve blocks in Float32; another way of resampling moves them by 0.025 and more.
        #expect(worst <= 1e-3, "\(worst)")
    }
}
