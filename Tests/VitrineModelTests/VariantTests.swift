import Foundation
import ReferenceViT
import Testing
import VitrineTensor

@testable import VitrineModel

/// Rotary and relative positions, keys without bias, norms inside attention and MLP: what their checkpoints show, and the traps in them.
@Suite struct VariantTests {
    static func model(_ name: String) throws -> ZooTests.Model { try #require(ZooTests.models.first { $0.name == name }) }

    static func options(_ name: String, _ change: (inout LoadOptions) -> Void) throws -> LoadedModel {
        let model = try model(name)
        var options = model.options
        change(&options)
        return try VisionTransformer.load(zooFolder.appending(path: model.file).path(), options: options)
    }

    /// The setting that a checkpoint asks for.
    static func asked(_ name: String, _ change: (inout LoadOptions) -> Void) -> LoadSetting? {
        do { _ = try options(name, change) } catch { return (error as? LoadError)?.setting }
        return nil
    }

    /// Difference of the outputs from the original's under other facts.
    static func distance(_ name: String, _ change: (inout VisionTransformer) -> Void) throws -> Float {
        let model = try model(name)
        var network = try model.load().model
        change(&network)
        let found = try network(model.image(channels: 3), workspace: Workspace()).values
        return zip(found, model.output).map { abs($0 - $1) }.max()!
    }

    // MARK: Weights

    /// The derivative of the second output by every weight, by its length and by its product with a fixed vector.
    @Test func weightGradientsEqualTheOriginals() throws {
        var compared = 0
        for model in ZooTests.models {
            guard let expected = model.weights else { continue }
            let loaded = try model.load().model
            let grid = try loaded.configuration.grid(height: model.height, width: model.width)
            let network = loaded.withPositionGrid(grid)
            var gradients = WeightGradients(like: network)
            _ = try network.weightGradient(
                of: model.image(channels: 3), into: &gradients, workspace: Workspace(poisons: true)
            ) { logits in Tensor(logits.shape, (0..<logits.count).map { $0 == 1 ? 1 : 0 }) }
            let found = gradients.model!.timmTensors()
            #expect(Set(found.keys) == Set(expected.keys), "\(model.name)")
            for (name, values) in expected {
                guard let tensor = found[name] else { continue }
                let g = tensor.values.map(Double.init)
                let length = g.reduce(0) { $0 + $1 * $1 }.squareRoot()
                let product = g.indices.reduce(0) { $0 + g[$1] * cos(Double($1)) }
                // Float32 in both; a gradient that is 0 but for rounding, such as that of a bias in front of a norm, has no digits to compare.
                let bar = 2e-5 * values[0] + 1e-6
                #expect(
                    abs(length - values[0]) <= bar && abs(product - values[1]) <= 3 * bar, "\(model.name), \(name): \(length), \(values)")
                compared += 1
            }
        }
        #expect(compared >= 500)
    }

    /// A key bias that is not there stays 0 in training, and its third of the gradient too.
    @Test func keysWithoutBiasReceiveNoGradient() throws {
        let random = try #require(RandomModel.all.first { !$0.configuration.hasKeyBias })
        let model = random.model
        var gradients = WeightGradients(like: model)
        _ = try model.weightGradient(of: random.images(2), into: &gradients, workspace: Workspace()) { logits in
            Tensor(logits.shape, (0..<logits.count).map { Float($0) - 2 })
        }
        let d = random.configuration.width
        for block in gradients.model!.blocks {
            let bias = block.qkv.bias!.values
            #expect(bias[d..<2 * d].allSatisfy { $0 == 0 })
            #expect(bias[..<d].contains { $0 != 0 } && bias[(2 * d)...].contains { $0 != 0 })
        }
    }

    // MARK: Traps of published files

    /// DINOv3's files hold a key bias that does not count, and a mask that may be NaN.
    @Test func dinov3KeyBiasIsForcedToZero() throws {
        let file = try Checkpoint.open(zooFolder.appending(path: Self.model("dinov3-original").file).path())
        let stored = try file.tensor(named: "blocks.0.attn.qkv.bias").values
        #expect(stored[24..<48].allSatisfy { $0 == 7 })
        #expect(try file.tensor(named: "blocks.0.attn.qkv.bias_mask").values[0].isNaN)
        let loaded = try Self.model("dinov3-original").load()
        #expect(loaded.model.blocks[0].qkv.bias!.values[24..<48].allSatisfy { $0 == 0 })
        #expect(!loaded.model.configuration.hasKeyBias)
        // Left in, it would show: with rotary positions a key bias is no constant of the softmax.
        let with = try Self.distance("dinov3-original") {
            $0.blocks[0].qkv.bias!.replace(from: 24, with: Tensor([24], stored[24..<48].map { $0 }))
        }
        #expect(with > 1e-3)
    }

    /// Periods as the file has them, rounded to bfloat16, and not as they would be computed.
    @Test func dinov3PeriodsComeFromTheFile() throws {
        let loaded = try Self.model("dinov3-original").load()
        guard case .axial(let frequencies)? = loaded.model.configuration.rotary?.frequencies else {
            Issue.record("no frequencies")
            return
        }
        // 100^(2/3) is 21.54; bfloat16 has 21.5.
        #expect(frequencies.count == 3 && abs(2 * Float.pi / frequencies[2] - 21.5) < 1e-5)
        #expect(loaded.report.facts.contains { $0.value.contains("as stored") && $0.origin == .tensors })
        // Their number is a quarter of a head's width.
        #expect(loaded.model.configuration.heads == 2)
        #expect(throws: LoadError.self) { try Self.options("dinov3-original") { $0.heads = 3 } }
    }

    /// Prefix tokens do not turn, and each axis is stretched by its own size.
    @Test func rotationIsOfPatchesAlone() throws {
        for name in ["dinov3-original", "eva02-packed", "rope-mixed"] {
            let configuration = try Self.model(name).load().model.configuration
            let swapped = try Self.distance(name) { $0.configuration.rotary!.columnsFirst.toggle() }
            #expect(swapped > 1e-4, "\(name): rows and columns")
            let paired = try Self.distance(name) {
                $0.configuration.rotary!.pairing = configuration.rotary!.pairing == .halves ? .neighbours : .halves
            }
            #expect(paired > 1e-4, "\(name): pairs")
        }
    }

    /// DINOv3's 1280 is 20 heads and not 16: no table of widths decides.
    @Test func dinov3HeadsAreAskedFor() throws {
        #expect(Self.asked("dinov3-timm-bias") { $0.heads = nil } == .heads)
        #expect(Self.asked("hf-dinov3-bare") { $0.heads = nil } == .heads)
        #expect(KnownModels.timm("vit_huge_plus_patch16_dinov3") == .init(width: 1280, depth: 32, heads: 20))
        #expect(KnownModels.timm("vit_7b_patch16_dinov3.lvd1689m") == .init(width: 4096, depth: 40, heads: 32))
        #expect(KnownModels.timm("vit_small_plus_patch16_dinov3")?.heads == 6)
    }

    /// timm reads the mean, DINOv3's own code the class token.
    @Test func dinov3PoolingIsAskedFor() throws {
        #expect(Self.asked("dinov3-timm-bias") { $0.pooling = nil } == .pooling)
        let wrong = try Self.options("dinov3-timm-bias") { $0.pooling = .classToken }.model
        let model = try Self.model("dinov3-timm-bias")
        let found = try wrong(model.image(channels: 3), workspace: Workspace()).values
        #expect(zip(found, model.output).contains { abs($0 - $1) > 1e-2 })
        // A configuration that says so answers.
        #expect(try Self.model("dinov3-timm-config").load().model.configuration.pooling == .classToken)
    }

    @Test func dinov3EpsilonIs1e5() throws {
        for name in ["dinov3-timm-config", "dinov3-timm-bias", "dinov3-original", "hf-dinov3", "hf-dinov3-bare"] {
            #expect(try Self.model(name).load().model.configuration.normEpsilon == 1e-5, "\(name)")
        }
        #expect(try Self.model("eva02-packed").load().model.configuration.normEpsilon == 1e-6)
    }

    /// "224 divided by the patch" is wrong for EVA-02 CLIP of patch 16: its reference is 16 x 16, EVA-X's is 14 x 14.
    @Test func theReferenceGridOfEvaShowsInItsNorms() throws {
        func reference(_ name: String) throws -> RotaryPositions.Coordinates? {
            try Self.model(name).load().model.configuration.rotary?.coordinates
        }
        #expect(try reference("eva-x") == .scaled(to: PatchGrid(rows: 14, columns: 14)))
        #expect(try reference("eva-x-packed") == .scaled(to: PatchGrid(rows: 14, columns: 14)))
        #expect(try reference("eva02-clip") == .scaled(to: PatchGrid(rows: 16, columns: 16)))
        #expect(Self.asked("eva02-asked") { $0.rotary = nil } == .rotary)
        let other = try Self.distance("eva-x") { $0.configuration.rotary!.coordinates = .scaled(to: PatchGrid(rows: 16, columns: 16)) }
        #expect(other > 1e-3)
    }

    /// A plain MLP beside keys without bias is EVA, or EVA-02 Enormous with its norms behind the branches: only the order of a state dict or a
    /// configuration tells.
    @Test func postNormEvaIsToldByOrderOrRefused() throws {
        #expect(try Self.model("eva-first-module").load().model.configuration.rotary == nil)
        let model = try Self.model("eva-first")
        #expect(throws: LoadError.self) {
            try Self.options("eva-first") {
                $0.readsNeighbouringConfiguration = false
                $0.heads = 2
                $0.positionGrid = PatchGrid(rows: 3, columns: 5)
            }
        }
        #expect(model.file.contains("/"))
        #expect(KnownModels.unsupportedTimm("eva02_enormous_patch14_clip_224") != nil)
    }

    /// timm's class as it is, of no published model: no base, no order of the axes shows.
    @Test func rotationOfNoPublishedModelIsAskedFor() throws {
        #expect(Self.asked("rope-custom-asked") { $0.rotary = nil } == .rotary)
    }

    /// One norm over all heads is not one over each.
    @Test func aNormOverAllHeadsShowsNoHeads() {
        var shapes = KeyMapTests.timmShapes(KeyMapTests.tiny)
        for l in 0..<2 {
            for part in ["q_norm", "k_norm"] {
                for parameter in ["weight", "bias"] { shapes["blocks.\(l).attn.\(part).\(parameter)"] = [8] }
            }
        }
        func load(_ heads: Int?) throws {
            _ = try VisionTransformer.assemble(KeyMapTests.tensors(shapes), options: LoadOptions(heads: heads))
        }
        do { try load(nil) } catch { #expect((error as? LoadError)?.setting == .heads) }
        #expect(throws: LoadError.self) { try load(2) }
    }

    /// PathoDuet puts its pretext token before the class token: the class token is token 0 here, with its own position.
    @Test func theClassTokenNeedNotComeFirst() throws {
        let model = try Self.model("pathoduet")
        let loaded = try model.load()
        let file = try Checkpoint.open(zooFolder.appending(path: model.file).path())
        let stored = try file.tensor(named: "pos_embed").values
        #expect(Array(loaded.model.positionEmbedding!.values[0..<24]) == Array(stored[24..<48]))
        #expect(loaded.model.configuration.registers == 1 && loaded.model.configuration.positionedPrefixTokens == 2)
        #expect(loaded.model.classToken!.values == (try file.tensor(named: "cls_token").values))
    }

    /// RoPE-ViT gives its class token no position: 16 rows are 4 x 4 patches.
    @Test func ropeViTGivesItsClassTokenNoPosition() throws {
        let model = try Self.options("rope-ape-square") { $0.positionGrid = nil }.model
        #expect(model.configuration.positionGrid == PatchGrid(rows: 3, columns: 3) && model.configuration.positionedPrefixTokens == 0)
    }

    /// What one block has the others have too: a damaged file is not taken for one of another kind.
    @Test func whatSomeBlocksLackIsMissing() throws {
        for block in 0..<2 {
            #expect(throws: LoadError.self) {
                try Self.options("hf-dinov3-bare") { $0.ignoredKeys = ["layer.\(block).attention.k_proj.bias"] }
            }
        }
        let gates = (0..<2).flatMap { l in ["weight", "bias"].map { "blocks.\(l).mlp.fc1_g.\($0)" } }
        #expect(throws: LoadError.self) { try Self.options("dinov3-timm-swiglu") { $0.ignoredKeys = gates } }
        let projections = (0..<2).flatMap { l in ["weight", "bias"].map { "layer.\(l).mlp.gate_proj.\($0)" } }
        #expect(throws: LoadError.self) { try Self.options("hf-dinov3-gated") { $0.ignoredKeys = projections } }
        #expect(throws: LoadError.self) {
            try Self.options("beit") { $0.ignoredKeys = ["blocks.1.attn.relative_position_bias_table"] }
        }
    }

    /// What is said of a stored model changes it, or is refused where it cannot.
    @Test func rotationOfAStoredModelCanBeSaid() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "vitrine-rotary-\(UUID().uuidString).safetensors").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let model = try Self.model("dinov3-timm-bias").load().model
        let json = String(decoding: try JSONEncoder().encode(model.configuration), as: UTF8.self)
        try Safetensors.write(model.timmTensors(), metadata: [VisionTransformer.configurationKey: json], to: path)
        var options = LoadOptions()
        options.rotary = .axial
        let changed = try VisionTransformer.load(path, options: options)
        #expect(changed.model.configuration.rotary?.columnsFirst == true)
        #expect(changed.report.facts.first { $0.setting == .rotary }?.origin == .given)
        #expect(!changed.report.facts.contains { $0.setting == .positionResampling })
        options.rotary = .mixed
        #expect(throws: LoadError.self) { try VisionTransformer.load(path, options: options) }
    }

    /// gamma_1 with learnt positions is DeiT III or RoPE-ViT.
    @Test func gammaWithPositionsIsAskedAbout() throws {
        #expect(Self.asked("rope-ape-asked") { $0.rotary = nil } == .rotary)
        let plain = try Self.options("rope-ape-asked") { $0.rotary = RotaryKind.none }.model
        #expect(plain.configuration.rotary == nil && plain.configuration.hasPositionEmbedding)
        let model = try Self.model("rope-ape-asked")
        let found = try plain(model.image(channels: 3), workspace: Workspace()).values
        #expect(zip(found, model.output).contains { abs($0 - $1) > 1e-3 })
    }

    /// An embedding of positions that EVA-02 has and the file lacks is missing; DINOv3 has none.
    @Test func missingPositionsAreMissing() throws {
        let model = try Self.model("eva-x-packed")
        #expect(throws: LoadError.self) {
            try Self.options("eva-x-packed") { $0.ignoredKeys = ["pos_embed"] }
        }
        #expect(try model.load().model.configuration.hasPositionEmbedding)
        #expect(try !Self.model("dinov3-timm-bias").load().model.configuration.hasPositionEmbedding)
    }

    /// A table of relative positions belongs to one grid.
    @Test func relativePositionsRefuseAnotherGrid() throws {
        let model = try Self.model("beit").load().model
        #expect(model.configuration.positionGrid == PatchGrid(rows: 3, columns: 5))
        #expect(throws: ViTError.relativePositions(stored: PatchGrid(rows: 3, columns: 5), found: PatchGrid(rows: 5, columns: 3))) {
            try model(Tensor([1, 3, 40, 24]), workspace: Workspace())
        }
        #expect(model.withPositionGrid(PatchGrid(rows: 4, columns: 4)).configuration == model.configuration)
        // Of 5 x 9 offsets and three more a square is none.
        #expect(Self.asked("beit") { $0.positionGrid = nil } == .positionGrid)
    }

    /// transformers reads the table of a grid that is not square with its sides exchanged.
    @Test func transformersBeitIsSquare() throws {
        for size in ["[24, 40]", "[40, 24]"] {
            let json = #"{"model_type": "beit", "hidden_size": 24, "num_attention_heads": 2, "image_size": \#(size), "patch_size": 8}"#
            #expect(throws: LoadError.self) { try ArchitectureHints(json: Array(json.utf8), source: "config.json") }
        }
    }

    @Test func settingsOfRotaryModelsAreRead() throws {
        for (text, kind) in [
            ("dinov3", RotaryKind.dinov3), ("axial", .axial), ("mixed", .mixed), ("none", RotaryKind.none),
            ("eva:14x16", .eva(PatchGrid(rows: 14, columns: 16))),
        ] {
            let read = try #require(RotaryKind(text))
            #expect(read == kind && read.description == text)
        }
        // The k-th of d/4 frequencies, by hand for d = 8: DINOv3's second period is 100^(1/2).
        guard case .axial(let own)? = RotaryKind.dinov3.positions(headWidth: 8)?.frequencies else { return }
        #expect(own.count == 2 && abs(own[0] - 2 * .pi) < 1e-6 && abs(own[1] - 0.2 * .pi) < 1e-6)
    }

    /// Frozen: a configuration that was stored before there was any of this, and one with all of it.
    @Test func storedConfigurationsAreRead() throws {
        let old = #"""
            {"patchSize": 8, "width": 24, "depth": 2, "heads": 4, "hidden": 48, "classes": 3, "channels": 3,
            "positionGrid": {"rows": 4, "columns": 4}, "hasClassToken": true, "hasDistillationToken": false, "registers": 0,
            "positionedPrefixTokens": 1, "pooling": "classToken", "normPlacement": "beforePooling",
            "mlp": {"activation": {"_0": "geluTanh"}}, "hasLayerScale": false, "normEpsilon": 1e-6,
            "positionResampling": "bicubicAntialias"}
            """#
        let plain = try JSONDecoder().decode(ViTConfiguration.self, from: Data(old.utf8))
        #expect(
            plain.hasPositionEmbedding && plain.hasKeyBias && plain.rotary == nil && !plain.hasRelativePositions && !plain.hasHiddenNorm)
        let new = #"""
            {"patchSize": 8, "width": 24, "depth": 2, "heads": 2, "classes": 3, "positionGrid": {"rows": 4, "columns": 4},
            "hasPositionEmbedding": false, "hasKeyBias": false, "hasQueryKeyNorm": true, "hasContextNorm": true, "hasHiddenNorm": true,
            "hasRelativePositions": true, "positionedPrefixTokens": 0, "rotary": {"pairing": "halves", "columnsFirst": true,
            "coordinates": {"scaled": {"to": {"rows": 5, "columns": 6}}}, "frequencies": {"axial": {"_0": [1, 0.5, 0.25]}}}}
            """#
        let c = try JSONDecoder().decode(ViTConfiguration.self, from: Data(new.utf8))
        #expect(
            !c.hasPositionEmbedding && !c.hasKeyBias && c.hasQueryKeyNorm && c.hasContextNorm && c.hasHiddenNorm && c.hasRelativePositions)
        #expect(
            c.rotary
                == RotaryPositions(
                    pairing: .halves, coordinates: .scaled(to: PatchGrid(rows: 5, columns: 6)), frequencies: .axial([1, 0.5, 0.25]),
                    columnsFirst: true))
        #expect(try JSONDecoder().decode(ViTConfiguration.self, from: JSONEncoder().encode(c)) == c)
    }
}
