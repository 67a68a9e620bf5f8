import Foundation
import Testing
import VitrineTensor

@testable import VitrineModel

/// LoRA adapters: where their parts go under other names and joint tensors, and what is refused. That the merge is PEFT's own is shown by the
/// zoo (`Scripts/fixtures/adapters.py`).
@Suite struct AdapterTests {
    static func path(_ name: String) -> String { zooFolder.appending(path: name).path() }

    /// A copy of an adapter with another configuration or other tensors.
    static func changed(
        _ adapter: String, _ folder: URL, _ change: (inout [String: Any], inout [String: Tensor]) -> Void
    ) throws -> String {
        let copy = folder.appending(path: "adapter-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
        let text = try Data(contentsOf: URL(filePath: path(adapter + "/adapter_config.json")))
        var configuration = try #require(JSONSerialization.jsonObject(with: text) as? [String: Any])
        let file = try Checkpoint.open(path(adapter + "/adapter_model.safetensors"))
        var tensors = try Dictionary(uniqueKeysWithValues: file.names.map { ($0, try file.tensor(named: $0)) })
        change(&configuration, &tensors)
        try JSONSerialization.data(withJSONObject: configuration).write(to: copy.appending(path: "adapter_config.json"))
        try Safetensors.write(tensors, metadata: [:], to: copy.appending(path: "adapter_model.safetensors").path())
        return copy.path()
    }

    static func loaded(_ model: String, adapter: String, _ change: (inout LoadOptions) -> Void = { _ in }) throws -> LoadedModel {
        let model = try VariantTests.model(model)
        var options = model.options
        options.adapterPath = adapter
        change(&options)
        return try VisionTransformer.load(path(model.file), options: options)
    }

    static func logits(_ model: VisionTransformer, of name: String) throws -> [Float] {
        try model(VariantTests.model(name).image(channels: 3), workspace: Workspace()).values
    }

    static func difference(_ a: [Float], _ b: [Float]) -> Float {
        a.count == b.count && a.allSatisfy(\.isFinite) ? zip(a, b).map { abs($0 - $1) }.max() ?? .infinity : .infinity
    }

    // MARK: Queries, keys and values apart and together

    /// Queries and values of Hugging Face's names, on a file that holds them in one tensor under timm's.
    @Test(arguments: ["lora-vit", "lora-vit-old-names", "lora-vit-all"])
    func separatePartsMergeIntoAJointTensor(_ name: String) throws {
        try TowerTests.withFolder { folder in
            let base = try VisionTransformer.load(Self.path("hf-vit-model/model.safetensors")).model
            let joint = folder.appending(path: "joint.safetensors").path()
            let json = String(decoding: try JSONEncoder().encode(base.withTimmPositions().configuration), as: UTF8.self)
            try Safetensors.write(base.timmTensors(), metadata: [VisionTransformer.configurationKey: json], to: joint)
            var options = LoadOptions()
            options.adapterPath = Self.path(name)
            let loaded = try VisionTransformer.load(joint, options: options)
            let expected = try VariantTests.model(name).output
            #expect(Self.difference(try Self.logits(loaded.model, of: name), expected) < 1e-5)
            #expect(loaded.model.configuration.classes == 3)
        }
    }

    /// timm's joint map on a file that holds the three apart.
    @Test func aJointPartMergesIntoSeparateTensors() throws {
        try TowerTests.withFolder { folder in
            let file = try Checkpoint.open(Self.path("timm-mean-pool-fc-norm.safetensors"))
            var tensors: [String: Tensor] = [:]
            for name in file.names {
                let tensor = try file.tensor(named: name)
                guard name.contains("attn.qkv") else {
                    tensors[name] = tensor
                    continue
                }
                let rows = tensor.shape[0] / 3
                for (i, part) in ["q_proj", "k_proj", "v_proj"].enumerated() {
                    tensors[name.replacing("qkv", with: part)] = tensor[i * rows..<(i + 1) * rows]
                }
            }
            let apart = folder.appending(path: "apart.safetensors").path()
            try Safetensors.write(tensors, metadata: [:], to: apart)
            var options = LoadOptions(heads: 2, positionGrid: PatchGrid(rows: 4, columns: 3))
            options.adapterPath = Self.path("lora-timm")
            let loaded = try VisionTransformer.load(apart, options: options)
            #expect(Self.difference(try Self.logits(loaded.model, of: "lora-timm"), try VariantTests.model("lora-timm").output) < 1e-5)
        }
    }

    // MARK: What is said

    @Test func theAdapterIsAFactWithItsDigest() throws {
        let loaded = try VariantTests.model("lora-vit").load()
        let fact = try #require(loaded.report.facts.first { $0.name == "adapter" })
        let digest = try #require(AdapterFile.sha256(Self.path("lora-vit")))
        #expect(fact.origin == .given && fact.value.contains("rank 3 on 4 linear maps, 2 tensors replaced"), "\(fact.value)")
        #expect(fact.value.contains(digest.prefix(16)) && Array(loaded.report.files.values) == [digest])
        #expect(loaded.report.notes.contains { $0.contains(digest.prefix(16)) })
        // Another scale alone is another adapter.
        try TowerTests.withFolder { folder in
            let other = try Self.changed("lora-vit", folder) { configuration, _ in configuration["lora_alpha"] = 7 }
            #expect(AdapterFile.sha256(other) != digest)
            let logits = try Self.logits(Self.loaded("lora-vit", adapter: other).model, of: "lora-vit")
            #expect(Self.difference(logits, try VariantTests.model("lora-vit").output) > 1e-3)
        }
    }

    /// The classes of the base are not the adapter's.
    @Test func anAdaptersClassifierHasNoNamesOfTheBase() throws {
        try TowerTests.withFolder { folder in
            let model = try VariantTests.model("timm-own-configuration")
            let file = try Checkpoint.open(Self.path(model.file))
            var metadata = file.metadata
            metadata[VisionTransformer.classNamesKey] = #"["a","b","c"]"#
            let named = folder.appending(path: "named.safetensors").path()
            let tensors = try Dictionary(uniqueKeysWithValues: file.names.map { ($0, try file.tensor(named: $0)) })
            try Safetensors.write(tensors, metadata: metadata, to: named)
            let adapter = try Self.changed("lora-timm-bias", folder) { _, _ in }
            var options = model.options
            #expect(try VisionTransformer.load(named, options: options).report.classNames == ["a", "b", "c"])
            options.adapterPath = adapter
            let loaded = try VisionTransformer.load(named, options: options)
            #expect(loaded.report.classNames.isEmpty && loaded.model.configuration.classes == 5)
        }
    }

    /// A new head takes the place of the adapter's too; what it adapts stays.
    @Test func aFreshHeadLeavesTheAdaptersOut() throws {
        let loaded = try Self.loaded("lora-vit", adapter: Self.path("lora-vit")) { $0.head = .fresh(classes: 7) }
        #expect(loaded.model.configuration.classes == 7)
        let plain = try VisionTransformer.load(Self.path("hf-vit-model/model.safetensors")).model
        #expect(loaded.model.blocks[0].qkv.weight.values != plain.blocks[0].qkv.weight.values)
        #expect(loaded.model.blocks[0].fc1.weight.values == plain.blocks[0].fc1.weight.values)
    }

    /// The text tower's part of an adapter is left out, and an adapter of the text tower alone is none of this model's.
    @Test func partsOfTheTextTowerAreLeftOut() throws {
        for name in ["lora-clip", "lora-open-clip"] {
            let loaded = try VariantTests.model(name).load()
            #expect(loaded.report.unusedKeys.contains { $0.key.hasPrefix("adapter:") && $0.reason == "the text tower" }, "\(name)")
            try TowerTests.withFolder { folder in
                let texts = try Self.changed(name, folder) { _, tensors in
                    tensors = tensors.filter { !$0.key.contains(".vision_model.") && !$0.key.contains(".visual.") }
                }
                let message = Self.message(name, texts)
                #expect(message.contains("adapts nothing of this model"), "\(message)")
            }
        }
    }

    // MARK: What is refused

    static func message(_ model: String, _ adapter: String) -> String {
        do { _ = try loaded(model, adapter: adapter) } catch { return "\(error)" }
        return ""
    }

    /// A way in which an adapter is not what it seems, and what the error must say.
    struct Lie: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var says: [String]
        var change: @Sendable (inout [String: Any], inout [String: Tensor]) -> Void

        init(_ name: String, _ says: [String], _ change: @escaping @Sendable (inout [String: Any], inout [String: Tensor]) -> Void) {
            (testDescription, self.says, self.change) = (name, says, change)
        }
    }

    static let query = "base_model.model.vit.layers.0.attention.q_proj.lora_"

    static let lies: [Lie] = [
        Lie("DoRA", ["use_dora", "DoRA"]) { c, _ in c["use_dora"] = true },
        Lie("IA3", ["IA3", "LORA"]) { c, _ in c["peft_type"] = "IA3" },
        Lie("no kind", ["peft_type", "missing"]) { c, _ in c["peft_type"] = nil },
        Lie("a setting of tomorrow", ["sora_config", "steps"]) { c, _ in c["sora_config"] = ["steps": 3] },
        Lie("layers replicated", ["layer_replication", "list of 1"]) { c, _ in c["layer_replication"] = [[0, 1]] },
        Lie("PiSSA", ["init_lora_weights", "pissa"]) { c, _ in c["init_lora_weights"] = "pissa" },
        Lie("another rank", ["rank 5", "[3, 24]"]) { c, _ in c["r"] = 5 },
        Lie("no rank", ["r is", "missing"]) { c, _ in c["r"] = nil },
        Lie("alpha as text", ["lora_alpha", "six"]) { c, _ in c["lora_alpha"] = "six" },
        Lie("two ranks for one module", ["rank_pattern", "both 3", "and 2"]) { c, _ in
            c["rank_pattern"] = ["q_proj": 2, "attention.q_proj": 3]
        },
        Lie("no expression", ["rank_pattern", "q_proj("]) { c, _ in c["rank_pattern"] = ["q_proj(": 3] },
        Lie("half a pair", ["q_proj", "lora_A and no lora_B"]) { _, t in t[query + "B.weight"] = nil },
        Lie("another width", ["[30, 24]", "[24, 24]"]) { _, t in t[query + "B.weight"] = Tensor([30, 3]) },
        Lie("other inputs", ["[24, 20]", "[24, 24]"]) { _, t in t[query + "A.weight"] = Tensor([3, 20]) },
        Lie("a block is missing", ["q_proj", "1 of 2 blocks", "block 0"]) { _, t in
            (t[query + "A.weight"], t[query + "B.weight"]) = (nil, nil)
        },
        Lie("a target is missing", ["target_modules", "fc1"]) { c, _ in c["target_modules"] = ["q_proj", "v_proj", "fc1"] },
        Lie("a saved module is missing", ["modules_to_save", "classifier"]) { _, t in t = t.filter { $0.key.contains("lora_") } },
        Lie("a magnitude", ["lora_magnitude_vector"]) { _, t in t[query + "magnitude_vector.weight"] = Tensor([24]) },
        Lie("an attention module of PyTorch", ["nn.MultiheadAttention", "merge_and_unload"]) { _, t in
            t["base_model.model.vit.layers.0.attention.base_layer.out_proj.lora_A.weight"] = Tensor([3, 24])
        },
        Lie("an unknown module", ["mystery", "encoder.layer.0"]) { _, t in
            t["base_model.model.vit.mystery.lora_A.weight"] = Tensor([3, 24])
            t["base_model.model.vit.mystery.lora_B.weight"] = Tensor([24, 3])
        },
        Lie("a block too many", ["attn.q.weight", "does not have"]) { _, t in
            for part in ["A", "B"] { t["base_model.model.vit.layers.2.attention.q_proj.lora_\(part).weight"] = t[query + part + ".weight"] }
        },
        Lie("names of its own", ["base_model.model."]) { _, t in t["vit.layers.0.attention.q_proj.lora_A.weight"] = Tensor([3, 24]) },
        Lie("one module twice", ["are both the model's"]) { _, t in
            for part in ["A", "B"] {
                t["base_model.model.vit.encoder.layer.0.attention.attention.query.lora_\(part).weight"] = t[query + part + ".weight"]
            }
        },
        Lie("two models", ["belong to two models"]) { _, t in
            for part in ["A", "B"] {
                t["base_model.model.other.layers.1.attention.k_proj.lora_\(part).weight"] = t[query + part + ".weight"]
            }
        },
    ]

    @Test(arguments: lies)
    func whatIsNotUnderstoodIsRefusedByName(_ lie: Lie) throws {
        try TowerTests.withFolder { folder in
            let message = Self.message("lora-vit", try Self.changed("lora-vit", folder, lie.change))
            #expect(!message.isEmpty && lie.says.allSatisfy(message.contains), "\(message)")
            #expect(!message.contains("\n"))
        }
    }

    @Test func foldersWithoutAnAdapterAreNamed() throws {
        try TowerTests.withFolder { folder in
            #expect(Self.message("lora-vit", folder.path()).contains("adapter_config.json"))
            try Data("{".utf8).write(to: folder.appending(path: "adapter_config.json"))
            #expect(Self.message("lora-vit", folder.path()).contains("adapter_model.safetensors"))
            try Safetensors.write(["x": Tensor([1])], metadata: [:], to: folder.appending(path: "adapter_model.safetensors").path())
            #expect(Self.message("lora-vit", folder.path()).contains("is not a JSON object"))
        }
    }
}
