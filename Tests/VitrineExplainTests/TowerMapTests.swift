import Foundation
import Testing
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineTensor

/// Maps of a zero-shot CLIP classifier, through projection, unit length and text vectors, against pytorch-grad-cam and captum;
/// `Scripts/fixtures/tower_maps.py` says how theirs were made.
@Suite struct TowerMapTests {
    // 1e-4 of the map's maximum is the contract; Float32 through two blocks leaves about 1e-6.
    @Test func clipMapsEqualThePublicOnes() throws {
        let zoo = URL(fileURLWithPath: MethodFixtureTests.folder).deletingLastPathComponent().appending(path: "zoo").path
        var options = LoadOptions()
        options.headPath = zoo + "/clip-texts.npy"
        let model = try VisionTransformer.load(zoo + "/hf-clip/model.safetensors", options: options).model
        let file = try readSafetensors("\(MethodFixtureTests.folder)/clip-maps.safetensors")
        #expect(MethodFixtureTests.relative(try model(file["input"]!, workspace: Workspace()).values, file["logits"]!.values) < 1e-5)
        let methods = file.keys.filter { $0.hasPrefix("0.") }.map { String($0.dropFirst(2)) }.sorted()
        #expect(methods.count >= 15)
        let plan = try ExplanationPlan(model: model, methods: ConfiguredMethod.parse(methods), seed: 0)
        let image = PreparedImage(name: "one", pixels: file["input"]![0], target: .fixed(.logit(1)))
        let result = try plan.explain([image], workspace: Workspace(poisons: true))[0]
        #expect(result.failures.isEmpty, "\(result.failures)")
        for (method, explanation) in zip(methods, result.explanations) {
            let error = MethodFixtureTests.relative(MethodFixtureTests.comparable(method, explanation.map), file["0.\(method)"]!.values)
            #expect(error < 1e-4, "\(method): \(error)")
        }
    }
}
