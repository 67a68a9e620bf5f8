import Foundation
import Testing
import VitrineModel
import VitrineTensor

@Suite struct StateDictTests {
    /// A file with these names, each a tensor of one element.
    private func file(_ names: [String]) throws -> CheckpointFile {
        let path = try CheckpointFixtures.temporaryFolder().appendingPathComponent("x.safetensors").path
        try Safetensors.write(Dictionary(uniqueKeysWithValues: names.map { ($0, Tensor([1])) }), to: path)
        return try Checkpoint.open(path)
    }

    private let timm = ["cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "norm.weight"]
    private let torchvision = ["class_token", "conv_proj.weight", "encoder.pos_embedding", "encoder.layers.encoder_layer_0.ln_1.weight"]
    private let huggingFace = [
        "vit.embeddings.cls_token", "vit.embeddings.patch_embeddings.projection.weight", "vit.encoder.layer.0.layernorm_before.weight",
        "classifier.weight",
    ]

    private func withPrefix(_ prefix: String, _ names: [String]) -> [String] { names.map { prefix + $0 } }

    @Test func ownNamesStayAsTheyAre() throws {
        let bare = huggingFace.filter { $0.hasPrefix("vit.") }.map { String($0.dropFirst(4)) }
        for names in [timm, torchvision, huggingFace, bare] {
            let state = try file(names).stateDict()
            #expect(state.names.sorted() == names.sorted())
            #expect(state.selection.prefixes == [])
        }
    }

    @Test func wrappersComeOff() throws {
        let wrappers: [([String], [String])] = [
            (["module."], timm), (["module.", "backbone."], timm), (["model."], timm), (["net."], timm), (["encoder."], timm),
            (["model."], torchvision), (["encoder."], torchvision), (["module.", "encoder."], torchvision), (["model."], huggingFace),
            (["module.", "model.", "backbone."], timm),
        ]
        for (prefixes, names) in wrappers {
            let state = try file(withPrefix(prefixes.joined(), names)).stateDict()
            #expect(state.names.sorted() == names.sorted(), "\(prefixes)")
            #expect(state.selection.prefixes == prefixes)
            #expect(state.selection.strippedCount == names.count && state.selection.untouchedCount == 0)
        }
    }

    @Test func namesOutsideTheWrapperStay() throws {
        let state = try file(withPrefix("backbone.", timm) + ["head.weight", "head.bias"]).stateDict()
        #expect(state.names.sorted() == (timm + ["head.weight", "head.bias"]).sorted())
        #expect(state.selection.strippedCount == timm.count && state.selection.untouchedCount == 2)
    }

    @Test func aPrefixWhoseRemovalWouldHideANameStays() throws {
        let names = withPrefix("backbone.", timm) + ["norm.weight"]
        #expect(try file(names).stateDict().names.sorted() == names.sorted())
    }

    @Test func severalModelsAreAskedFor() throws {
        let several = try file(withPrefix("teacher.backbone.", timm) + withPrefix("student.backbone.", timm))
        #expect(throws: CheckpointError.severalModels(path: several.path, prefixes: ["student.backbone.", "teacher.backbone."])) {
            try several.stateDict()
        }
        let teacher = try several.stateDict(prefix: "teacher.backbone.")
        #expect(teacher.names.sorted() == timm.sorted())
        #expect(throws: CheckpointError.noSuchPrefix(path: several.path, prefix: "ema.", firstKey: several.groups[0].entries[0].key)) {
            try several.stateDict(prefix: "ema.")
        }
    }

    @Test func teacherOfATrainingCheckpoint() throws {
        let file = try Checkpoint.open(CheckpointFixtures.path("dino.pth"))
        let state = try file.stateDict()
        #expect(state.selection.key == "teacher" && state.selection.prefixes == ["backbone."])
        #expect(state.selection.alternatives == ["student"])
        #expect(state.names == ["cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.0.norm1.weight", "head.mlp.0.weight"])
        let values = try file.tensor(named: "teacher/backbone.cls_token").values
        #expect(try state.tensor(named: "cls_token").values == values)

        let student = try file.stateDict(key: "student")
        #expect(student.selection.prefixes == ["module.", "backbone."])
        #expect(try student.tensor(named: "cls_token").values == file.tensor(named: "student/module.backbone.cls_token").values)
        #expect(throws: CheckpointError.noSuchKey(path: file.path, key: "ema", found: file.groups.map(\.name))) {
            try file.stateDict(key: "ema")
        }
    }

    @Test func modelOfATrainingCheckpoint() throws {
        let file = try Checkpoint.open(CheckpointFixtures.path("training.pth"))
        let state = try file.stateDict()
        #expect(state.selection.key == "model")
        #expect(state.names == ["0.weight", "0.bias", "1.weight", "1.bias"])
    }

    // MARK: real files

    private struct Statistics: Decodable {
        struct Described: Decodable {
            let type: String
            let shape: [Int]
            let sum: Double
            let absoluteSum: Double
        }
        let count: Int
        let tensors: [String: Described]
    }

    static let real = ["busi_vits14_finetuned.pth", "dinov2_vits14_pretrained.safetensors"]
    static let areHere = real.allSatisfy {
        FileManager.default.fileExists(atPath: CheckpointFixtures.models.appendingPathComponent($0).path)
    }

    @Test(.enabled(if: areHere, "../shared/models is absent"), arguments: real)
    func realCheckpointsHoldWhatTorchReads(name: String) throws {
        let data = try Data(contentsOf: CheckpointFixtures.folder.appendingPathComponent("statistics.json"))
        let expected = try #require(try JSONDecoder().decode([String: Statistics].self, from: data)[name])
        let state = try Checkpoint.open(CheckpointFixtures.models.appendingPathComponent(name).path).stateDict()
        #expect(state.entries.count == expected.count)
        for (key, described) in expected.tensors {
            let entry = try #require(state[key])
            #expect(entry.type.description == described.type && entry.shape == described.shape)
            let values = try entry.tensor().values.map(Double.init)
            let absoluteSum = values.reduce(0) { $0 + abs($1) }
            // Halves are exact in Float32 and the sums are taken in Double: only their order differs.
            #expect(abs(absoluteSum - described.absoluteSum) <= 1e-10 * described.absoluteSum, "\(key)")
            #expect(abs(values.reduce(0, +) - described.sum) <= 1e-10 * described.absoluteSum, "\(key)")
        }
    }
}
