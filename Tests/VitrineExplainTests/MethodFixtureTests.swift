import Foundation
import Testing
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineTensor

/// Maps of tiny random models against public packages and PyTorch's autograd; `Scripts/fixtures/methods.py` says how theirs were made.
///
/// A key of the fixture is `<image>.<method as a user writes it>`; every key is tested.
@Suite struct MethodFixtureTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/methods").path
    static let targets = [1, 3]

    /// Largest difference in shares of the largest value; infinity for NaN or another number of values.
    static func relative(_ a: [Float], _ b: [Float]) -> Float {
        guard a.count == b.count, !a.isEmpty, (a + b).allSatisfy(\.isFinite) else { return .infinity }
        // A map that is 0 all over, as clamped ones may be, has to be so in both.
        let largest = b.map(abs).max()!
        return zip(a, b).map { abs($0 - $1) }.max()! / (largest > 0 ? largest : 1)
    }

    /// What a fixture holds: pytorch-grad-cam's maps are displayed ones, captum's window of one patch is repeated over its pixels.
    static func comparable(_ method: String, _ map: HeatMap) -> [Float] {
        let displayed = [
            "gradcam", "hirescam", "gradcam-plusplus", "elementwise-cam", "layercam", "xgradcam", "segeigencam", "fem", "scorecam",
            "ablationcam",
        ]
        // The mean of six displayed maps is displayed already.
        if method == "gradcam-augmented" { return map.values }
        if displayed.contains(String(method.split(separator: ":")[0])) { return map.displayed() }
        guard method.hasPrefix("occlusion"), map.rows != map.height else { return map.values }
        var repeated = map
        repeated.display = DisplayRule(upsampling: .nearest, normalisation: .none)
        return repeated.displayed()
    }

    // 1e-4 of the map's maximum is the contract; Float32 through three blocks leaves about 1e-6.
    @Test(arguments: ["class-token", "registers", "mean", "swiglu", "torchvision", "dinov3", "eva02", "beit"])
    func everyMapEqualsThePublicOne(_ name: String) throws {
        let grid = name == "torchvision" ? PatchGrid(rows: 6, columns: 6) : PatchGrid(rows: 4, columns: 6)
        var options = LoadOptions(heads: 3, positionGrid: grid)
        // What the tensors leave open, and a user would be asked for.
        if name == "mean" {
            options.pooling = .mean
            options.activation = .gelu
        }
        options.isSwiGLU = name == "swiglu"
        if name == "dinov3" { options.pooling = .classToken }
        if name == "eva02" { options.rotary = RotaryKind("eva:16x16") }
        let model = try VisionTransformer.load("\(Self.folder)/\(name).safetensors", options: options).model
        let file = try readSafetensors("\(Self.folder)/\(name)-maps.safetensors")
        #expect(Self.relative(try model(file["input"]!, workspace: Workspace()).values, file["logits"]!.values) < 1e-5)
        let keys = file.keys.filter { $0.first!.isNumber }.sorted()
        #expect(!keys.isEmpty)
        for key in keys {
            let (b, method) = (Int(String(key.first!))!, String(key.dropFirst(2)))
            let plan = try ExplanationPlan(model: model, methods: ConfiguredMethod.parse([method]), seed: 0)
            let image = PreparedImage(name: "one", pixels: file["input"]![b], target: .fixed(.logit(Self.targets[b])))
            let result = try plan.explain([image], workspace: Workspace(poisons: true))[0]
            #expect(result.failures.isEmpty, "\(result.failures)")
            let error = Self.relative(Self.comparable(method, result.explanations[0].map), file[key]!.values)
            #expect(error < 1e-4, "\(name), \(key): \(error)")
        }
    }
}
