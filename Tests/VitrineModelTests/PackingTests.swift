import Foundation
import ReferenceViT
import Testing
import VitrineTensor

@testable import VitrineModel

/// A model that packs its weights is the same model.
@Suite struct PackingTests {
    /// Every pass up and down, before, while and after the weights are packed.
    @Test(arguments: RandomModel.all)
    func packedWeightsChangeNoBit(_ random: RandomModel) throws {
        let model = try Self.mapped(random)
        let packing = model.packing()
        var request = TwinTests.everything
        request.backward[.gradient(GradientRule(gamma: 0.25, patchGamma: 0.25))] = [.pixels]
        let workspace = Workspace(poisons: true, threads: 2)
        let targets: [TargetChoice] = [.predicted, .predicted]
        let expected = try model.trace(random.images(2), targets: targets, request: request, workspace: workspace)
        for pass in 1...PackedWeight.patience + 2 {
            let found = try packing.trace(random.images(2), targets: targets, request: request, workspace: workspace)
            #expect(found.logits!.values == expected.logits!.values, "pass \(pass)")
            #expect(found.forward.keys == expected.forward.keys && found.backward.keys == expected.backward.keys)
            for (site, value) in expected.forward { #expect(found.forward[site]!.values == value.values, "\(site), pass \(pass)") }
            let bits = { (tensor: Tensor) in tensor.values.map(\.bitPattern) }
            for (backward, pass) in expected.backward {
                #expect(found.backward[backward]!.sums == pass.sums)
                for (site, value) in pass.values {
                    #expect(bits(found.backward[backward]!.values[site]!) == bits(value), "\(backward), \(site)")
                }
            }
        }
        // A gate and a value that lie apart in the file are joined in memory, and such a copy is not packed a second time.
        #expect(packing.blocks[0].projection.matrix.isPacked && !model.blocks[0].projection.matrix.isPacked)
    }

    /// A weight that is changed after it was packed counts from then on, as random networks do to a model that explains.
    @Test func changedWeightsAreSeen() throws {
        let random = RandomModel.all[0]
        var packing = try Self.mapped(random).packing()
        let workspace = Workspace()
        for _ in 0...PackedWeight.patience { _ = try packing(random.images(1), workspace: workspace) }
        #expect(packing.blocks[1].qkv.matrix.isPacked)
        var plain = random.model
        scale(&packing.blocks[1].qkv.weight, by: 2)
        scale(&plain.blocks[1].qkv.weight, by: 2)
        #expect(!packing.blocks[1].qkv.matrix.isPacked)
        #expect(try packing(random.images(1), workspace: workspace).values == plain(random.images(1), workspace: workspace).values)
    }

    /// The model as it lies in a file.
    private static func mapped(_ random: RandomModel) throws -> VisionTransformer {
        let path = FileManager.default.temporaryDirectory.appending(path: "vitrine-packing-\(UUID().uuidString).safetensors").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let json = String(decoding: try JSONEncoder().encode(random.model.withTimmPositions().configuration), as: UTF8.self)
        try Safetensors.write(random.model.timmTensors(), metadata: [VisionTransformer.configurationKey: json], to: path)
        return try VisionTransformer.load(path).model
    }
}
