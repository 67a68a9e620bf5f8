import Foundation
import Testing
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineTensor

/// Maps of tiny random models against pytorch-grad-cam and txv; `Scripts/fixtures/explain.py` says how theirs were made.
@Suite struct PublicPackageTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/explain").path

    private func explain(_ model: VisionTransformer, _ methods: [String], _ image: Tensor, target: Int) throws -> [HeatMap] {
        let plan = try ExplanationPlan(model: model, methods: ConfiguredMethod.parse(methods), seed: 0)
        let image = PreparedImage(name: "one", pixels: image, target: .fixed(.logit(target)))
        return try plan.explain([image], workspace: Workspace(poisons: true))[0].explanations.map(\.map)
    }

    private func largest(_ a: [Float], _ b: [Float]) -> Float {
        a.count == b.count && (a + b).allSatisfy { $0.isFinite } ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
    }

    private func relative(_ a: [Float], _ b: [Float]) -> Float { largest(a, b) / b.reduce(0) { max($0, abs($1)) } }

    /// Displayed maps lie in [0, 1], so differences are absolute. 1e-5: Float32 rounding through two blocks and a min-max.
    @Test func gradCAMEqualsPytorchGradCAM() throws {
        let options = LoadOptions(heads: 2, positionGrid: PatchGrid(rows: 4, columns: 6))
        let model = try VisionTransformer.load(Self.folder + "/gradcam-model.safetensors", options: options).model
        let file = try readSafetensors(Self.folder + "/gradcam.safetensors")
        let logits = try model(file["input"]!, workspace: Workspace())
        #expect(largest(logits.values, file["logits"]!.values) < 1e-5)
        for b in 0..<3 {
            let methods = ["gradcam", "gradcam-augmented", "gradcam-study", "gradcam-eigen"]
            let maps = try explain(model, methods, file["input"]![b], target: b)
            for (method, map) in zip(methods, maps).prefix(3) {
                let error = largest(map.displayed(), file["\(b).\(method)"]!.values)
                #expect(error < 1e-5, "\(method), image \(b): \(error)")
            }
            // The sign is LAPACK's choice there and documented here: one of the two sides is equal.
            var flipped = maps[3]
            flipped.values = flipped.values.map { -$0 }
            let eigen = file["\(b).eigen"]!.values
            #expect(min(largest(maps[3].displayed(), eigen), largest(flipped.displayed(), eigen)) < 1e-5)
        }
    }

    /// Float64 there: 1e-5 of the maximum is what Float32 leaves.
    @Test func transitionAttentionEqualsTxv() throws {
        var options = LoadOptions(heads: 3)
        options.normEpsilon = 1e-5
        let model = try VisionTransformer.load(Self.folder + "/txv-model.safetensors", options: options).model
        let file = try readSafetensors(Self.folder + "/txv.safetensors")
        for b in 0..<3 {
            let map = try explain(model, ["transition-attention:steps=5"], file["input"]![b], target: b)[0]
            #expect(relative(map.values, file["\(b).transition-attention:steps=5"]!.values) < 1e-5)
        }
    }

    @Test func cheferEqualsTxv() throws {
        var options = LoadOptions(heads: 3)
        options.normEpsilon = 1e-5
        let model = try VisionTransformer.load(Self.folder + "/txv-model.safetensors", options: options).model
        let file = try readSafetensors(Self.folder + "/txv.safetensors")
        let sites: Set<Site> = [.attention(0), .attention(1), .attention(2)]
        let request = TraceRequest(gradient: sites, relevance: [.study: sites])
        // All three images in one batch, each with a target of its own; txv was given one at a time.
        let targets = (0..<3).map { TargetChoice.fixed(.logit($0)) }
        let trace = try model.trace(file["input"]!, targets: targets, request: request, workspace: Workspace(poisons: true))
        for b in 0..<3 {
            #expect(largest(trace.logits(of: b), file["\(b).logits"]!.values) < 1e-5)
            for l in 0..<3 {
                let gradient = relative(trace.gradient[.attention(l)]![b].values, file["\(b).gradient.\(l)"]!.values)
                #expect(gradient < 1e-5, "gradient, image \(b), block \(l): \(gradient)")
                let relevance = relative(trace.relevance(.study)[.attention(l)]![b].values, file["\(b).relevance.\(l)"]!.values)
                // Both sides are Float32, and the published rule amplifies rounding.
                #expect(relevance < 1e-3, "relevance, image \(b), block \(l): \(relevance)")
            }
            let map = try explain(model, ["chefer"], file["input"]![b], target: b)[0]
            let error = relative(map.values, file["\(b).chefer"]!.values)
            // The same rounding in a sum over the blocks: 1.3e-4 at the most.
            #expect(error < 3e-4, "chefer, image \(b): \(error)")
        }
    }

    /// What the installed package returns, its two faults included.
    @Test func txvsReadingEqualsTxv() throws {
        var options = LoadOptions(heads: 3)
        options.normEpsilon = 1e-5
        let model = try VisionTransformer.load(Self.folder + "/txv-model.safetensors", options: options).model
        let file = try readSafetensors(Self.folder + "/txv.safetensors")
        for b in 0..<3 {
            let map = try explain(model, ["chefer:reading=txv"], file["input"]![b], target: b)[0]
            // Float64 there, and a rule that amplifies rounding.
            let error = relative(map.values, file["\(b).installed"]!.values)
            #expect(error < 3e-4, "image \(b): \(error)")
        }
    }
}
