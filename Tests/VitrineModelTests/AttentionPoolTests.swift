import Foundation
import ReferenceViT
import Testing
import VitrineTensor

@testable import VitrineModel

/// Networks whose head reads what a learnt query asks of the patches (SigLIP): what their checkpoints show, and the traps in them.
@Suite struct AttentionPoolTests {
    static func asked(_ name: String, _ change: (inout LoadOptions) -> Void) -> LoadSetting? { VariantTests.asked(name, change) }

    static func load(_ name: String, _ change: (inout LoadOptions) -> Void = { _ in }) throws -> LoadedModel {
        try VariantTests.options(name, change)
    }

    static func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return ""
    }

    // MARK: The network

    /// The pool's attention is timm's, and that of PyTorch's own attention in transformers.
    @Test func thePoolsAttentionIsTheOriginals() throws {
        var compared = 0
        for model in ZooTests.models {
            guard let expected = model.pool else { continue }
            let network = try model.load().model
            let c = network.configuration
            let trace = try network.trace(
                model.image(channels: 3), targets: [], request: TraceRequest(forward: [.attention(c.depth)]),
                workspace: Workspace(poisons: true))
            let rows = trace.forward[.attention(c.depth)]![0]
            let tokens = c.prefixTokens + trace.grid.count
            #expect(rows.shape == Shape([c.pool.heads, 1, tokens]))
            let first = c.pool.readsPrefix ? 0 : c.prefixTokens
            let found = rows.values.indices.filter { $0 % tokens >= first }.map { rows.values[$0] }
            // Softmax of scores of order 1 after two blocks in Float32.
            let error = found.count == expected.count ? zip(found, expected).map { abs($0 - $1) }.max()! : .infinity
            #expect(error < 5e-6, "\(model.name): \(error)")
            #expect(rows.values.indices.allSatisfy { $0 % tokens >= first || rows.values[$0] == 0 })
            compared += 1
        }
        #expect(compared >= 9)
    }

    /// A patch that cannot be attended to is not asked either: nothing of it reaches the logits.
    @Test func hiddenPatchesAreNotAsked() throws {
        for random in RandomModel.all where random.configuration.pooling == .attention {
            let model = random.model
            let workspace = Workspace(poisons: true)
            let tokens = try model.embedded(random.images(1), workspace: workspace)
            let grid = random.configuration.positionGrid
            let (r, visible) = (random.configuration.prefixTokens, [0, 2, 3])
            func run(_ z: Tensor) throws -> Trace {
                try model.trace(
                    .masked(z, grid: grid, visible: [visible]), targets: [], request: TraceRequest(forward: [.attention(3)]),
                    workspace: workspace)
            }
            let first = try run(tokens)
            var changed = tokens
            let width = random.configuration.width
            changed.replace(from: (r + 1) * width, with: Tensor([width], (0..<width).map { Float($0) }))
            #expect(try run(changed).logits!.values == first.logits!.values)
            let row = first.forward[.attention(3)]![0].values
            #expect(row[r + 1] == 0 && row[r + 2] > 0)
        }
    }

    @Test func aMeanInThePlaceOfThePoolIsRefused() throws {
        let random = try #require(RandomModel.all.first { $0.description == "attention pooling" })
        var request = TraceRequest()
        request.backward[.gradient(.exact, from: .block(1, .meanOfTokens))] = [.attention(1)]
        #expect(throws: ViTError.self) {
            try random.model.trace(random.images(1), targets: [.predicted], request: request, workspace: Workspace())
        }
        // The pool itself reads any block's tokens, and what it attends to there has a gradient.
        request.backward = [.gradient(.exact, from: .block(1, .own)): [.attention(3)]]
        let trace = try random.model.trace(random.images(1), targets: [.predicted], request: request, workspace: Workspace(poisons: true))
        let own = try random.model.trace(
            .tokens(random.model.tokens(through: 1, of: random), grid: random.configuration.positionGrid, block: 3),
            targets: trace.targets.map { .fixed($0) }, request: TraceRequest(gradient: [.attention(3)]), workspace: Workspace(poisons: true)
        )
        #expect(
            trace.backward[.gradient(.exact, from: .block(1, .own))]!.values[.attention(3)]!.values == own.gradient[.attention(3)]!.values)
    }

    // MARK: What files show

    /// CoCa's pool reads the class token too, with heads of its own; its norm on what it asks has PyTorch's epsilon, whatever the trunk has.
    @Test func coCaAndCONCHHavePoolsOfTheirOwn() throws {
        let coca = try Self.load("coca")
        let pool = coca.model.configuration.pool
        #expect(pool.heads == 2 && pool.width == 16 && pool.readsPrefix && pool.hasKeyNorm && !pool.hasMLP && !pool.hasOutputNorm)
        #expect(coca.model.configuration.normPlacement == .afterPooling && coca.model.configuration.projectionWidth == 16)
        let conch = try Self.load("conch")
        #expect(conch.model.configuration.pool.heads == 8 && conch.model.configuration.pool.hasOutputNorm)
        #expect(conch.model.configuration.normEpsilon == 1e-6 && conch.model.configuration.pool.normEpsilon == 1e-5)
        #expect(conch.model.configuration.mlp == .activation(.gelu))
        // Without a configuration nothing shows the heads, and that is said.
        #expect(conch.report.assumptions.contains { $0.name == "heads of the pool" })
        #expect(!coca.report.assumptions.contains { $0.name == "heads of the pool" })
        for key in ["visual.attn_pool_caption.query", "text_decoder.text_projection", "visual.attn_pool_contrast.ln_q.weight"] {
            #expect(conch.report.unusedKeys.contains { $0.key == key }, "\(key)")
        }
        #expect(try VariantTests.distance("coca") { $0.configuration.attentionPooling!.heads = 4 } > 1e-4)
        #expect(try VariantTests.distance("coca") { $0.configuration.attentionPooling!.readsPrefix = false } > 1e-4)
        #expect(try VariantTests.distance("conch") { $0.configuration.attentionPooling!.normEpsilon = 1e-2 } > 1e-4)
        for kind in ["parallel", "cascade"] {
            let json = #"{"model_cfg": {"vision_cfg": {"width": 24, "attentional_pool": "\#(kind)"}}}"#
            #expect(Self.message { _ = try ArchitectureHints(json: Array(json.utf8), source: "c.json") }.contains(kind))
        }
    }

    /// timm's first SigLIP has exact GELU, later ones its tanh form: by the name alone.
    @Test func theActivationComesFromTheConfigurationOrIsAskedFor() throws {
        #expect(try Self.load("timm-siglip").model.configuration.mlp == .activation(.gelu))
        #expect(try Self.load("timm-siglip-tanh").model.configuration.mlp == .activation(.geluTanh))
        // transformers' default, which its configuration does not write.
        #expect(try Self.load("hf-siglip-zero-shot").model.configuration.mlp == .activation(.geluTanh))
        #expect(try Self.load("hf-siglip-classifier").model.configuration.mlp == .activation(.gelu))
        for name in ["timm-map-registers", "timm-map-fc-norm", "open-clip-siglip", "hf-siglip-probe-attention"] {
            #expect(Self.asked(name) { $0.activation = nil } == .activation, "\(name)")
        }
        for name in ["timm-siglip", "timm-siglip-tanh", "hf-siglip-zero-shot", "open-clip-siglip"] {
            let own = try Self.load(name).model.configuration.mlp
            let other: Activation = own == .activation(.gelu) ? .geluTanh : .gelu
            #expect(try VariantTests.distance(name) { $0.configuration.mlp = .activation(other) } > 2e-5, "\(name)")
        }
        for (name, kind) in [
            ("vit_base_patch16_siglip_224", Activation.gelu), ("vit_large_patch16_siglip_256", .gelu),
            ("vit_base_patch32_siglip_256", .geluTanh),
            ("vit_large_patch16_siglip_512", .geluTanh), ("vit_so400m_patch14_siglip_384", .gelu),
            ("vit_so400m_patch16_siglip_256", .geluTanh),
            ("vit_giantopt_patch16_siglip_384", .geluTanh),
        ] {
            let json = #"{"architecture": "\#(name)"}"#
            #expect(try ArchitectureHints(json: Array(json.utf8), source: "config.json").activation == kind, "\(name)")
        }
    }

    /// transformers' classifiers read the mean of the patches, though the file holds a pool.
    @Test func huggingFaceClassifiersReadTheMean() throws {
        let loaded = try Self.load("hf-siglip-classifier")
        #expect(loaded.model.configuration.pooling == .mean && loaded.model.attentionPool == nil)
        #expect(loaded.report.unusedKeys.contains { $0.key.hasSuffix("head.probe") && $0.reason.contains("mean") })
        #expect(
            Self.asked("hf-siglip-classifier") {
                $0.readsNeighbouringConfiguration = false
                $0.activation = .gelu
                $0.heads = 2
            } == .pooling)
        let pooled = try Self.load("hf-siglip-classifier") { $0.pooling = .attention }
        #expect(pooled.model.configuration.pooling == .attention)
    }

    @Test func whatAProbeReadsIsAskedFor() throws {
        #expect(Self.asked("hf-siglip-probe-attention") { $0.pooling = nil } == .pooling)
        #expect(try Self.load("hf-siglip-probe-mean").model.attentionPool == nil)
    }

    /// A stored configuration whose pool cannot be is refused, not run.
    @Test func storedPoolsAreChecked() throws {
        let own = try Self.load("coca").model
        try TowerTests.withFolder { folder in
            let path = folder.appending(path: "model.safetensors").path()
            func message(_ change: (inout ViTConfiguration) -> Void) throws -> String {
                var c = own.configuration
                change(&c)
                let json = String(decoding: try JSONEncoder().encode(c), as: UTF8.self)
                try Safetensors.write(own.timmTensors(), metadata: [VisionTransformer.configurationKey: json], to: path)
                return Self.message { _ = try VisionTransformer.load(path) }
            }
            let sound = try message { _ in }
            #expect(sound.isEmpty)
            for (width, heads) in [(16, 0), (16, -1), (16, 3), (16, 1 << 40), (0, 2)] {
                let text = try message { ($0.attentionPooling!.width, $0.attentionPooling!.heads) = (width, heads) }
                #expect(text.contains("sizes"), "\(width), \(heads): \(text)")
            }
            let other = try message { $0.attentionPooling = nil }
            #expect(other.contains("attn_pool"), "\(other)")
        }
    }

    /// Each text is a question of its own: sigmoids of the scaled cosine plus a bias.
    @Test func textsHaveScaleAndBias() throws {
        let loaded = try Self.load("hf-siglip-zero-shot")
        let c = loaded.model.configuration
        #expect(c.pooling == .attention && c.hasUnitFeatures && c.probabilities == .sigmoid)
        #expect(loaded.report.classNames == ["no finding", "mass", "effusion"])
        #expect(!loaded.report.assumptions.contains { $0.value.contains("cosines") })
        #expect(loaded.model.head!.bias!.values.allSatisfy { $0 < -0.5 })
    }

    @Test func aFreshHeadStandsOnThePool() throws {
        let model = try #require(ZooTests.models.first { $0.name == "open-clip-siglip" })
        var options = model.options
        (options.head, options.headPath) = (.fresh(classes: 2), nil)
        let network = try VisionTransformer.load(zooFolder.appending(path: model.file).path(), options: options).model
        #expect(network.configuration.pooling == .attention && network.head?.inputs == 24)
    }

    @Test func whatIsNoSuchNetworkIsRefusedByName() throws {
        for type in ["siglip2", "siglip2_vision_model"] {
            let json = #"{"model_type": "\#(type)", "hidden_size": 24}"#
            let text = Self.message { _ = try ArchitectureHints(json: Array(json.utf8), source: "config.json") }
            #expect(text.contains("NaFlex"), "\(text)")
        }
        var shapes = try Checkpoint.open(TowerTests.path("hf-siglip-bare.safetensors")).tensors.mapValues(\.shape)
        let patches = try #require(shapes.keys.first { $0.hasSuffix("embeddings.patch_embedding.weight") })
        shapes[patches] = [24, 192]
        func load(_ shapes: [String: [Int]], _ change: (inout LoadOptions) -> Void = { _ in }) -> String {
            var options = LoadOptions(heads: 2)
            options.activation = .geluTanh
            change(&options)
            return Self.message { _ = try VisionTransformer.assemble(KeyMapTests.tensors(shapes), options: options) }
        }
        #expect(load(shapes).contains("NaFlex"))
        // One of timm's with a norm before its blocks is a Perception Encoder, whose positions turn.
        var timm = try Checkpoint.open(TowerTests.path("timm-map-fc-norm.safetensors")).tensors.mapValues(\.shape)
        #expect(load(timm).isEmpty)
        #expect(load(timm) { $0.pooling = .classToken }.contains("class token"))
        var encoder = timm
        for parameter in ["weight", "bias"] { encoder["norm_pre.\(parameter)"] = [24] }
        #expect(load(encoder).contains("Perception Encoder"))
        // A part of the pool that is missing, or of another shape, is named.
        timm["attn_pool.mlp.fc2.weight"] = [24, 40]
        #expect(load(timm).contains("attn_pool.mlp.fc2.weight"))
        timm["attn_pool.mlp.fc2.weight"] = nil
        #expect(load(timm).contains("attn_pool.mlp.fc2.weight"))
        for name in timm.keys where name.hasPrefix("attn_pool.") { timm[name] = nil }
        #expect(load(timm) { $0.pooling = .attention }.contains("without the weights of a pool"))
    }
}

extension VisionTransformer {
    /// Tokens after a block, of the first image.
    fileprivate func tokens(through block: Int, of random: RandomModel) throws -> Tensor {
        let workspace = Workspace()
        var z = try embedded(random.images(1), workspace: workspace)
        for l in 0...block { z = tokens(z, through: l, grid: random.configuration.positionGrid, workspace: workspace) }
        return z
    }
}
