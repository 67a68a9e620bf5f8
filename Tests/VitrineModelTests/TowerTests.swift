import Foundation
import ReferenceViT
import Testing
import VitrineTensor

@testable import VitrineModel

/// Vision towers of models of images and texts, and heads in files of their own: what their checkpoints show, and the traps in them.
@Suite struct TowerTests {
    static func asked(_ name: String, _ change: (inout LoadOptions) -> Void) -> LoadSetting? { VariantTests.asked(name, change) }

    static func load(_ name: String, _ change: (inout LoadOptions) -> Void) throws -> LoadedModel { try VariantTests.options(name, change) }

    static func path(_ file: String) -> String { zooFolder.appending(path: file).path() }

    /// In a folder of its own that is removed afterwards.
    static func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "vitrine-heads-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    // MARK: Gradients

    /// The derivative of the second logit by the pixels, as the libraries give it.
    @Test func inputGradientsEqualTheOriginals() throws {
        var compared = 0
        for model in ZooTests.models {
            guard let expected = model.gradient,
                ["CLIP", "Hugging Face CLIP", "timm CLIP"].contains(model.family) || model.settings?["head"] != nil
            else { continue }
            let network = try model.load().model
            let trace = try network.trace(
                model.image(channels: 3), targets: [.fixed(.logit(1))], request: TraceRequest(gradient: [.pixels]),
                workspace: Workspace(poisons: true))
            let found = trace.gradient[.pixels]!.values
            let picked = stride(from: 0, to: found.count, by: 29).map { found[$0] }
            let largest = expected.map(abs).max()!
            #expect(picked.count == expected.count && largest > 0)
            // Both in Float32 through two blocks.
            let error = zip(picked, expected).map { abs($0 - $1) }.max()! / largest
            #expect(error < 2e-5, "\(model.name): \(error)")
            compared += 1
        }
        #expect(compared >= 14)
    }

    /// The weights of norm, pool, projection and head too: finite differences in the direction of the gradient.
    @Test func weightGradientsEqualFiniteDifferences() throws {
        for random in RandomModel.all where random.configuration.hasInputNorm || random.configuration.pooling == .attention {
            let model = random.model
            func loss(_ model: VisionTransformer) throws -> Double {
                let logits = try model(random.images(2), workspace: Workspace()).values
                return logits.enumerated().reduce(0) { $0 + Double($1.element) * Double($1.offset % 3 - 1) }
            }
            var gradients = WeightGradients(like: model)
            _ = try model.weightGradient(of: random.images(2), into: &gradients, workspace: Workspace(poisons: true)) { logits in
                Tensor(logits.shape, (0..<logits.count).map { Float($0 % 3 - 1) })
            }
            let parameters = gradients.parameters
            for (i, entry) in parameters.enumerated() {
                let g = entry.tensor.values.map(Double.init)
                let length = g.reduce(0) { $0 + $1 * $1 }.squareRoot()
                guard length > 1e-3 else { continue }
                func moved(_ h: Double) -> VisionTransformer {
                    var (other, place) = (model, 0)
                    other.forEachParameter { _, tensor in
                        if place == i { tensor = Tensor(tensor.shape, zip(tensor.values, g).map { Float(Double($0) + h * $1 / length) }) }
                        place += 1
                    }
                    return other
                }
                let slope = (try loss(moved(3e-3)) - loss(moved(-3e-3))) / 6e-3
                // Steps of 3e-3 in Float32: rounding of logits of order 1 leaves 1e-4, curvature as much.
                #expect(abs(slope - length) < 1e-2 * length + 2e-3, "\(random), \(entry.info.name): \(slope), \(length)")
            }
            let name = random.configuration.hasInputNorm ? "norm_pre.weight" : "attn_pool.latent"
            #expect(parameters.contains { $0.info.name == name })
        }
    }

    // MARK: Traps of published files

    /// Hugging Face's CLIP classifier reads patches that no last norm has seen, and never the class token.
    @Test func huggingFaceClipClassifierReadsUnnormedPatches() throws {
        let loaded = try Self.load("hf-clip-classifier") { _ in }
        let c = loaded.model.configuration
        #expect(c.pooling == .mean && c.normPlacement == .absent)
        // Epsilon from the configuration, not the family's 1e-5.
        #expect(c.normEpsilon == 1e-3)
        #expect(loaded.report.unusedKeys.contains { $0.key.hasSuffix("post_layernorm.weight") })
        // No norm stands in their way.
        let rows = Tensor([2, 24], (0..<48).map(Float.init))
        #expect(loaded.model.finalNorm(rows, workspace: Workspace()).values == rows.values)
        let moved = try VariantTests.distance("hf-clip-classifier") { $0.configuration.normPlacement = .beforePooling }
        #expect(moved > 1e-2)
        // Without the configuration nothing shows it.
        #expect(
            Self.asked("hf-clip-classifier") {
                $0.readsNeighbouringConfiguration = false
                $0.activation = .gelu
                $0.heads = 2
            } == .pooling)
    }

    /// No tensor of a CLIP tower tells quick GELU from GELU.
    @Test func clipActivationIsAskedFor() throws {
        for name in ["hf-clip-bare", "open-clip-training", "timm-clip-projection"] {
            #expect(Self.asked(name) { $0.activation = nil } == .activation, "\(name)")
        }
        for name in ["hf-clip-zero-shot", "open-clip", "open-clip-quick", "timm-clip", "timm-clip-quick"] {
            let c = try Self.load(name) { _ in }.model.configuration
            let other: Activation = c.mlp == .activation(.gelu) ? .quickGelu : .gelu
            #expect(try VariantTests.distance(name) { $0.configuration.mlp = .activation(other) } > 1e-3, "\(name)")
        }
    }

    /// CLIP's epsilon is 1e-5, also in timm, whose other vision transformers have 1e-6.
    @Test func clipEpsilonIsItsOwn() throws {
        for name in ["hf-clip-bare", "open-clip", "timm-clip", "timm-clip-projection"] {
            #expect(try Self.load(name) { _ in }.model.configuration.normEpsilon == 1e-5, "\(name)")
        }
        #expect(try Self.load("open-clip-trunk") { _ in }.model.configuration.normEpsilon == 1e-6)
    }

    /// `CLIPVisionModelWithProjection` holds no scale: its logits are cosines, and that is said.
    @Test func withoutAScaleLogitsAreCosines() throws {
        let loaded = try Self.load("hf-clip-with-projection") { _ in }
        #expect(loaded.report.assumptions.contains { $0.value.contains("cosines") })
        let logits = try loaded.model(
            ZooTests.models.first { $0.name == "hf-clip-with-projection" }!.image(channels: 3), workspace: Workspace())
        #expect(logits.values.allSatisfy { abs($0) <= 1 })
        let scaled = try Self.load("hf-clip-zero-shot") { _ in }
        #expect(!scaled.report.assumptions.contains { $0.value.contains("cosines") })
        #expect(scaled.report.classNames == ["no finding", "mass", "effusion"])
        #expect(scaled.model.configuration.probabilities == .softmax)
    }

    /// The text tower of open_clip has blocks of the same names, and they are not the vision tower's.
    @Test func theTextTowerIsLeftOut() throws {
        let loaded = try Self.load("open-clip") { _ in }
        #expect(loaded.model.configuration.depth == 2 && loaded.model.configuration.width == 24)
        #expect(loaded.report.unusedKeys.contains { $0.key == "transformer.resblocks.0.ln_1.weight" && $0.reason == "the text tower" })
    }

    // MARK: Heads

    @Test func whatAProbeReadsIsToldByWidthOrAsked() throws {
        #expect(Self.asked("probe-class") { $0.pooling = nil } == .pooling)
        #expect(try Self.load("probe-both") { _ in }.model.configuration.pooling == .classAndMean)
        #expect(Self.asked("hf-clip-probe-unit") { ($0.pooling, $0.features) = (nil, nil) } == .pooling)
        #expect(Self.asked("hf-clip-bare") { $0.pooling = nil } == .pooling)
    }

    /// A head that does not fit is refused with both widths.
    @Test func headsThatDoNotFitAreNamed() throws {
        func message(_ name: String, _ head: String) -> String {
            do { _ = try Self.load(name) { $0.headPath = head } } catch { return "\(error)" }
            return ""
        }
        // Twice a tower's width is a probe over class token and mean.
        #expect(message("hf-clip-zero-shot", Self.path("probe-both.pth")) == "")
        let narrow = message("probe-class", Self.path("clip-texts.npy"))
        #expect(narrow.contains("16") && narrow.contains("24"), "\(narrow)")
        try Self.withFolder { folder in
            func write(_ tensors: [String: Tensor], _ names: String? = nil) throws -> String {
                let path = folder.appending(path: "head.safetensors").path()
                try Safetensors.write(tensors, metadata: names.map { ["classes": $0] } ?? [:], to: path)
                return path
            }
            let zero = try write(["text_embeds": Tensor([2, 16])])
            #expect(message("hf-clip-zero-shot", zero).contains("text vector 0 is 0"))
            var bad = Tensor([2, 16])
            bad.fill(.nan)
            #expect(message("hf-clip-zero-shot", try write(["text_embeds": bad])).contains("no number"))
            bad.fill(1)
            #expect(message("hf-clip-zero-shot", try write(["text_embeds": bad, "other": bad])).contains("2 matrices"))
            #expect(
                message("hf-clip-zero-shot", try write(["text_embeds": bad], #"["a"]"#)).contains("names 1 classes, and the head has 2"))
            #expect(message("hf-clip-zero-shot", try write(["weight": bad, "bias": Tensor([3])])).contains("no bias"))
            #expect(message("hf-clip-zero-shot", try write(["weight": bad, "logit_scale": Tensor([1])])).contains("only one"))
            let cut = folder.appending(path: "cut.npy")
            try Data(contentsOf: URL(filePath: Self.path("clip-texts.npy"))).dropLast(3).write(to: cut)
            #expect(message("hf-clip-zero-shot", cut.path()).contains("does not fit"))
        }
    }

    /// Text vectors as wide as the tokens are of another space where the projection is missing.
    @Test func textsNeedTheProjection() throws {
        try Self.withFolder { folder in
            let file = try Checkpoint.open(Self.path("hf-clip-bare.safetensors"))
            let tensors = try Dictionary(uniqueKeysWithValues: file.names.map { ($0, try file.tensor(named: $0)) })
            let (bare, texts) = (folder.appending(path: "bare.safetensors").path(), folder.appending(path: "texts.safetensors").path())
            try Safetensors.write(tensors, metadata: [:], to: bare)
            var vectors = Tensor([3, 24])
            vectors.fill(1)
            try Safetensors.write(["text_embeds": vectors], metadata: [:], to: texts)
            var options = LoadOptions(heads: 2)
            (options.activation, options.headPath) = (.quickGelu, texts)
            do {
                _ = try VisionTransformer.load(bare, options: options)
                Issue.record("tokens were compared with texts")
            } catch { #expect("\(error)".contains("visual_projection"), "\(error)") }
        }
    }

    /// A bias makes every text a question of its own (SigLIP).
    @Test func aLogitBiasMakesSigmoids() throws {
        try Self.withFolder { folder in
            let path = folder.appending(path: "head.safetensors").path()
            let texts = try Checkpoint.open(Self.path("clip-texts.npy")).tensor(named: "array")
            try Safetensors.write(
                ["text_embeds": texts, "logit_scale": Tensor([1], [2]), "logit_bias": Tensor([1], [-3])], metadata: [:], to: path)
            let loaded = try Self.load("hf-clip-zero-shot") { $0.headPath = path }
            #expect(loaded.model.configuration.probabilities == .sigmoid)
            #expect(loaded.model.head!.bias!.values == [-3, -3, -3])
            let length = loaded.model.head!.weight[0].values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            #expect(abs(length - exp(2)) < 1e-5)
        }
    }

    /// A fresh head stands on what is pooled: the projection goes, as where timm resets a classifier.
    @Test func aFreshHeadDropsTheProjection() throws {
        let model = ZooTests.models.first { $0.name == "hf-clip-features" }!
        var options = model.options
        options.head = .fresh(classes: 2)
        let c = try VisionTransformer.load(Self.path(model.file), options: options).model.configuration
        #expect(c.projectionWidth == 0 && !c.hasUnitFeatures && c.hasInputNorm && c.featureWidth == 24)
    }

    /// Configurations of before there were towers decode for ever.
    @Test func oldConfigurationsHaveNoTower() throws {
        let text = #"{"patchSize":8,"width":24,"depth":2,"heads":4,"classes":3,"positionGrid":{"rows":4,"columns":4}}"#
        let c = try JSONDecoder().decode(ViTConfiguration.self, from: Data(text.utf8))
        #expect(!c.hasInputNorm && c.projectionWidth == 0 && !c.hasUnitFeatures)
    }
}
