import Foundation
import Testing
import VitrineTensor

@testable import VitrineModel

/// What tensors do not show is proven by a configuration, a convention of all published models, or asked for; never guessed.
@Suite struct ModelFactTests {
    private static let tiny = KeyMapTests.tiny

    private func load(
        _ shapes: [String: [Int]], _ change: (inout LoadOptions) -> Void = { _ in }, prepare: (inout NamedTensors) -> Void = { _ in }
    ) throws -> LoadedModel {
        var options = LoadOptions(heads: 2)
        change(&options)
        var tensors = KeyMapTests.tensors(shapes)
        prepare(&tensors)
        return try VisionTransformer.assemble(tensors, options: options)
    }

    /// The setting that the loader asks for.
    private func asked(
        _ shapes: [String: [Int]], _ change: (inout LoadOptions) -> Void = { _ in }, prepare: (inout NamedTensors) -> Void = { _ in }
    ) -> LoadSetting? {
        do { _ = try load(shapes, change, prepare: prepare) } catch { return (error as? LoadError)?.setting }
        return nil
    }

    private func changed(_ change: (inout ViTConfiguration) -> Void) -> [String: [Int]] {
        var c = Self.tiny
        change(&c)
        return KeyMapTests.timmShapes(c)
    }

    @Test func factsSayWhereTheyComeFrom() throws {
        let report = try load(KeyMapTests.timmShapes(Self.tiny)).report
        func fact(_ setting: LoadSetting) -> ModelFact? { report.facts.first { $0.setting == setting } }
        #expect(fact(.heads)?.origin == .given)
        #expect(report.assumptions.compactMap(\.setting).contains(.activation))
        #expect(fact(.epsilon)?.isAssumed == true && fact(.pooling)?.isAssumed == true && fact(.positionGrid)?.isAssumed == true)
        let json = #"{"model_type": "vit", "hidden_size": 8, "num_attention_heads": 4, "layer_norm_eps": 1e-5, "hidden_act": "gelu"}"#
        let configured = try load(
            KeyMapTests.timmShapes(Self.tiny), { $0.heads = nil }, prepare: { $0.neighbour = (Array(json.utf8), "config.json") })
        #expect(configured.report.facts.first { $0.setting == .heads }?.origin == .configuration(source: "config.json"))
        #expect(!configured.report.assumptions.contains { $0.setting == .epsilon || $0.setting == .activation })
    }

    /// 192 and 384 with plain blocks have 3 and 6 heads in timm, and 12 in MoCo v3, MAE-Lite and TinyMIM.
    @Test func headsOfAWidthThatPublishedModelsDifferInAreAskedFor() {
        func heads(_ width: Int, _ depth: Int, _ hidden: Int, _ change: (inout KnownModels.Layout) -> Void = { _ in }) -> Int? {
            var layout = KnownModels.Layout(width: width, depth: depth, hidden: hidden, hasClassToken: true)
            change(&layout)
            return KnownModels.heads(layout)
        }
        #expect(heads(192, 12, 768) == nil && heads(384, 12, 1536) == nil)
        #expect(
            heads(384, 12, 1536) { $0.hasLayerScale = true } == 6 && heads(384, 12, 1536) { $0.patchSize = 14 } == 6
                && heads(192, 12, 768) { $0.hasDistillationToken = true } == 3)
        #expect(heads(768, 12, 3072) == 12 && heads(1024, 24, 4096) == 16)
        // timm's first small models (8 heads), and a checkpoint whose last block is missing.
        #expect(heads(768, 8, 2304) == nil && heads(768, 11, 3072) == nil && heads(1280, 2, 5120) == nil)
        #expect(heads(768, 12, 3072) { $0.hasClassToken = false } == nil)
    }

    /// 3 x 5 patches and a class token are no 4 x 4 grid.
    @Test func aGridWithItsClassTokenIsNoSquare() throws {
        let shapes = changed { $0.positionGrid = PatchGrid(rows: 3, columns: 5) }
        #expect(shapes["pos_embed"] == [1, 16, 8])
        #expect(asked(shapes) == .positionGrid)
        #expect(try load(shapes, { $0.positionGrid = PatchGrid(rows: 3, columns: 5) }).model.configuration.positionedPrefixTokens == 1)
        // DeiT III has LayerScale and a class token without a position, in its own sizes only.
        var layout = KnownModels.Layout(width: 384, depth: 12, hidden: 1536, hasClassToken: true, hasLayerScale: true)
        #expect(KnownModels.isDeiT3(layout, rows: 196) && !KnownModels.isDeiT3(layout, rows: 225))
        layout.depth = 2
        #expect(!KnownModels.isDeiT3(layout, rows: 196))
        let scaled = changed {
            $0.positionGrid = PatchGrid(rows: 3, columns: 5)
            $0.hasLayerScale = true
        }
        #expect(asked(scaled) == .positionGrid)
    }

    /// An image of 2 x 8 patches under 16 positions that were taken for 4 x 4.
    @Test func anImageOfAsManyPatchesInAnotherShapeIsAskedAbout() throws {
        let loaded = try load(KeyMapTests.timmShapes(Self.tiny))
        try loaded.check(grid: PatchGrid(rows: 4, columns: 4))
        try loaded.check(grid: PatchGrid(rows: 3, columns: 8))
        #expect { try loaded.check(grid: PatchGrid(rows: 2, columns: 8)) } throws: { ($0 as? LoadError)?.setting == .positionGrid }
        let given = try load(KeyMapTests.timmShapes(Self.tiny), { $0.positionGrid = PatchGrid(rows: 4, columns: 4) })
        try given.check(grid: PatchGrid(rows: 2, columns: 8))
    }

    /// timm, DINOv2's own code and Hugging Face resample these positions in three ways.
    @Test func anotherImageSizeIsAskedAboutWhereCodesDiffer() throws {
        let shapes = changed {
            $0.patchSize = 14
            $0.hasLayerScale = true
        }
        let loaded = try load(shapes)
        try loaded.check(grid: PatchGrid(rows: 4, columns: 4))
        #expect { try loaded.check(grid: PatchGrid(rows: 5, columns: 5)) } throws: { ($0 as? LoadError)?.setting == .positionResampling }
        try load(shapes, { $0.positionResampling = .bicubic }).check(grid: PatchGrid(rows: 5, columns: 5))
    }

    @Test func aGateIsAskedAbout() throws {
        let shapes = changed { $0.mlp = .swiGLU }
        #expect(asked(shapes) == .activation)
        #expect(try load(shapes, { try? $0.set(.activation, to: "swiglu") }).model.configuration.mlp == .swiGLU)
        // DINOv2's own names are proof.
        let named = Dictionary(
            uniqueKeysWithValues: shapes.map { key, shape in
                (key.replacing("mlp.fc1", with: "mlp.w12").replacing("mlp.fc2", with: "mlp.w3"), shape)
            })
        #expect(try load(named).model.configuration.mlp == .swiGLU)
        #expect(asked(KeyMapTests.timmShapes(Self.tiny), { $0.isSwiGLU = true }) == .activation)
    }

    /// SigLIP's models without a class token are published with exact GELU and with tanh.
    @Test func theActivationOfPatchesAloneIsAskedFor() {
        let shapes = changed {
            $0.pooling = .mean
            $0.hasClassToken = false
            $0.positionedPrefixTokens = 0
        }
        #expect(asked(shapes) == .activation)
        #expect(asked(shapes, { $0.activation = .geluTanh }) == nil)
    }

    @Test func aHeadBesideItsBackboneIsAskedAbout() throws {
        var shapes = Dictionary(
            uniqueKeysWithValues: KeyMapTests.timmShapes(Self.tiny).map { key, shape in
                (key.hasPrefix("head") ? key.replacing("head", with: "fc") : "backbone." + key, shape)
            })
        #expect(asked(shapes) == .pooling)
        let loaded = try load(shapes, { $0.pooling = .mean })
        #expect(loaded.model.configuration.classes == 3 && loaded.model.configuration.pooling == .mean)
        // Two tokens' worth: which two, in which order?
        shapes["fc.weight"] = [3, 16]
        #expect(asked(shapes) == .pooling)
        var inside = KeyMapTests.timmShapes(Self.tiny)
        inside["head.weight"] = [3, 16]
        #expect(asked(inside) == .pooling)
        // A sequence of dropout and a linear map, in the place of the model's own head.
        inside["head.weight"] = nil
        inside["head.bias"] = nil
        inside["head.1.weight"] = [3, 8]
        inside["head.1.bias"] = [3]
        #expect(try load(inside).model.configuration.pooling == .classToken)
    }

    /// `ViTForImageClassification` never stores a pooler: a classifier beside one reads its output.
    @Test func aClassifierOnThePoolerIsAskedAbout() throws {
        let map = KeyMap.huggingFace
        var shapes: [String: [Int]] = [:]
        for (name, shape) in KeyMapTests.timmShapes(Self.tiny) where !name.contains("attn.qkv") {
            let parameter = [".weight", ".bias"].first { name.hasSuffix($0) } ?? ""
            let module = String(name.dropLast(parameter.count))
            let number = module.split(separator: ".").first { Int($0) != nil }.map(String.init) ?? ""
            let pattern = number.isEmpty ? module : module.replacing(".\(number).", with: ".#.")
            let published = try #require(map.names.first { $0.ours == pattern }?.published).replacing("#", with: number)
            shapes[(pattern == "head" ? "" : "vit.") + published + parameter] = shape
        }
        for block in 0..<2 {
            for part in ["query", "key", "value"] {
                shapes["vit.encoder.layer.\(block).attention.attention.\(part).weight"] = [8, 8]
                shapes["vit.encoder.layer.\(block).attention.attention.\(part).bias"] = [8]
            }
        }
        #expect(try load(shapes).model.configuration.pooling == .classToken)
        shapes["vit.pooler.dense.weight"] = [8, 8]
        shapes["vit.pooler.dense.bias"] = [8]
        #expect(asked(shapes) == .pooling)
        #expect(try load(shapes, { $0.pooling = .classToken }).report.unusedKeys.count == 2)
    }

    @Test func modelsWithoutTheirBiasesAreRefused() throws {
        var shapes = KeyMapTests.timmShapes(Self.tiny)
        for key in shapes.keys where key.hasSuffix("attn.qkv.bias") { shapes[key] = nil }
        #expect(try load(shapes).model.configuration == Self.tiny)
        for key in shapes.keys where key.hasSuffix(".bias") && !key.contains("norm") { shapes[key] = nil }
        #expect(throws: LoadError.self) { try load(shapes) }
    }

    /// The order of a state dict and the names of its modules are proofs that safetensors do not keep.
    @Test func normsBehindTheBranchesShowInTheOrder() throws {
        let shapes = KeyMapTests.timmShapes(Self.tiny)
        let usual = Self.tiny.expectedTensors().map(\.name)
        #expect(throws: Never.self) { try load(shapes, prepare: { $0.order = usual }) }
        let block = ["attn.qkv.weight", "attn.proj.weight", "norm1.weight", "mlp.fc1.weight"].map { "blocks.0." + $0 }
        #expect(throws: LoadError.self) { try load(shapes, prepare: { $0.order = block + usual.filter { !block.contains($0) } }) }
        // Sorted by name, `attn` stands before `norm1` in every model.
        #expect(throws: Never.self) { try load(shapes, prepare: { $0.order = usual.sorted() }) }
    }

    @Test func modulesWithoutTensorsShowWhatIsMissing() throws {
        let shapes = KeyMapTests.timmShapes(Self.tiny)
        let names: Set<String> = ["", "blocks", "blocks.0", "blocks.1", "blocks.1.attn"]
        #expect(throws: Never.self) { try load(shapes, prepare: { $0.modules = names }) }
        #expect(throws: LoadError.self) { try load(shapes, prepare: { $0.modules = names.union(["blocks.2.norm1"]) }) }
        #expect(throws: LoadError.self) { try load(shapes, prepare: { $0.modules = names.union(["rope"]) }) }
    }

    @Test func aConfigurationOfAnotherModelIsRefused() {
        let shapes = KeyMapTests.timmShapes(Self.tiny)
        for json in [
            #"{"num_attention_heads": 4}"#, #"{"hidden_size": 16, "num_attention_heads": 4}"#,
            #"{"hidden_size": 8, "num_attention_heads": 4, "num_hidden_layers": 3}"#,
            #"{"hidden_size": 8, "num_attention_heads": 4, "intermediate_size": 32}"#,
            #"{"hidden_size": 8, "num_attention_heads": 4, "id2label": {"0": "a", "1": "b"}}"#,
            #"{"hidden_size": 8, "num_attention_heads": 4, "image_size": 32}"#,
            #"{"model_type": "swin", "hidden_size": 8, "num_attention_heads": 4}"#,
            #"{"architecture": "vit_base_patch16_224"}"#,
            #"{"architecture": "vit_base_patch16_rope_ape_224", "model_args": {"embed_dim": 8}}"#,
            #"{"architecture": "vit_base_patch16_rpn_224", "model_args": {"embed_dim": 8, "depth": 2, "num_heads": 2}}"#,
        ] {
            #expect(throws: LoadError.self, "\(json)") {
                try load(shapes, { $0.heads = nil }, prepare: { $0.neighbour = (Array(json.utf8), "config.json") })
            }
        }
    }

    @Test func otherArchitecturesAreNamed() {
        func name(_ keys: [String]) -> String? { ForeignArchitecture.name(of: keys) }
        #expect(name(["layers.0.blocks.0.attn.relative_position_bias_table", "layers.1.downsample.reduction.weight"]) == "Swin")
        #expect(name(["cls_token", "reg_token", "patch_embed.proj.weight", "blocks.0.gamma_1"]) == nil)
        #expect(name(["blocks.0.attn.wq.weight", "blocks.0.ffn.w12.weight", "storage_tokens"]) == "Sapiens 2")
        #expect(name(["blocks_token_only.0.gamma_1", "blocks.0.attn.proj_l.weight"]) == "CaiT")
        for keys in [Array(KeyMapTests.timmShapes(Self.tiny).keys), KeyMapTests.huggingFaceKeys(depth: 2)] { #expect(name(keys) == nil) }
        let long = LoadError.keys(
            path: "p", missing: (0..<400).map { "name\($0)" }, unused: [String(repeating: "k", count: 90_000)], mismatched: [])
        #expect(long.description.utf8.count < 400 && long.description.contains("and 395 more"))
    }

    @Test func oneLogitIsASigmoid() throws {
        let shapes = changed { $0.classes = 1 }
        let c = try load(shapes).model.configuration
        #expect(c.probabilities == .sigmoid)
        // 1 / (1 + e^0.7279) to seven digits; Float32 has no more.
        #expect(abs(c.probabilities([-0.7279])[0] - 0.3256557) < 1e-6)
        #expect(c.predictedClass([-0.1]) == 0 && c.predictedClass([0.1]) == 1)
        let json = #"{"model_type": "vit", "hidden_size": 8, "num_attention_heads": 2, "problem_type": "multi_label_classification"}"#
        let multi = try load(KeyMapTests.timmShapes(Self.tiny), prepare: { $0.neighbour = (Array(json.utf8), "config.json") })
        #expect(multi.model.configuration.probabilities == .sigmoid)
        #expect(try load(KeyMapTests.timmShapes(Self.tiny), { $0.probabilities = .sigmoid }).model.configuration.probabilities == .sigmoid)
        #expect(Self.tiny.probabilities([0, 0, 0]) == [Float](repeating: 1 / 3, count: 3))
    }

    @Test func classesAreMatchedByName() throws {
        let order = try ClassOrder(model: ["Malignant", "normal tissue", "benign"], dataset: ["benign", "malignant"], count: 3)
        #expect(order.logits == [2, 0, 1])
        #expect(order.target(.fixed(.logit(1))) == .fixed(.logit(0)) && order.target(.predicted) == .predicted)
        var c = Self.tiny
        let decision = order.decision([5, 1, 2], c)
        #expect(decision.predicted == 1 && decision.probabilities[1] > decision.probabilities[0])
        #expect(throws: ClassOrderError.self) { try ClassOrder(model: ["cat", "dog"], dataset: ["benign", "malignant"], count: 2) }
        #expect(try ClassOrder(model: ["LABEL_0", "LABEL_1"], dataset: ["benign", "malignant"], count: 2).logits == [0, 1])
        #expect(try ClassOrder(model: [], dataset: ["benign", "malignant"], count: 2).logits == [0, 1])
        c.classes = 1
        c.probabilities = .sigmoid
        let single = try ClassOrder(model: [], dataset: ["benign", "malignant"], count: 1)
        #expect(single.target(.fixed(.logit(1))) == .fixed(.logit(0)) && single.target(.fixed(.logit(0))) == nil)
        let one = single.decision([2], c)
        #expect(one.predicted == 1 && one.probabilities.count == 2 && abs(one.probabilities.reduce(0, +) - 1) < 1e-6)
    }

    @Test func settingsAreReadFromText() throws {
        var options = LoadOptions()
        for (setting, text) in [
            (LoadSetting.heads, "6"), (.activation, "quick_gelu"), (.epsilon, "1e-5"), (.pooling, "class+mean"),
            (.probabilities, "sigmoid"),
            (.classes, "a, b"), (.positionGrid, "3x5"), (.positionResampling, "bicubic"), (.group, "student"), (.prefix, "m."),
            (.ignore, "a.*,b"), (.rotary, "eva:14x14"),
        ] { try options.set(setting, to: text) }
        #expect(options.heads == 6 && options.activation == .quickGelu && options.normEpsilon == 1e-5 && options.pooling == .classAndMean)
        #expect(
            options.positionGrid == PatchGrid(rows: 3, columns: 5) && options.ignoredKeys == ["a.*", "b"]
                && options.classNames == ["a", "b"])
        for (setting, text) in [
            (LoadSetting.heads, "0"), (.heads, "six"), (.activation, "relu"), (.epsilon, "-1"), (.epsilon, "nan"), (.pooling, "max"),
            (.probabilities, "both"), (.positionGrid, "3x"), (.positionGrid, "0x4"), (.positionResampling, "nearest"), (.classes, "a,,b"),
            (.rotary, "eva"), (.rotary, "eva:0x2"),
        ] { #expect(throws: LoadError.badSetting(setting, text: text)) { try options.set(setting, to: text) } }
    }
}
