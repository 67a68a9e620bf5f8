import Foundation
import Synchronization
import Testing
import VitrineData
import VitrineModel
import VitrineTensor
import VitrineTrain

/// Tiny networks of several families, tuned on phantoms.
@Suite struct VariantTrainingTests {
    static var configuration: ViTConfiguration {
        var c = ViTConfiguration(
            patchSize: 16, width: 16, depth: 2, heads: 2, hidden: 24, classes: 2, positionGrid: PatchGrid(rows: 4, columns: 4),
            registers: 4,
            positionedPrefixTokens: 0, mlp: .swiGLU, hasLayerScale: true, normEpsilon: 1e-5)
        c.hasPositionEmbedding = false
        c.hasKeyBias = false
        c.rotary = RotaryPositions(
            pairing: .halves, coordinates: .centred, frequencies: .axial([6.2831855, 0.62831855]), columnsFirst: false)
        return c
    }

    /// Random weights of every variant are complete: they are stored under timm's names, load again, and give the same finite logits.
    @Test func scratchWeightsOfEveryVariantLoadAgain() throws {
        func changed(_ change: (inout ViTConfiguration) -> Void) -> ViTConfiguration {
            var c = Self.configuration
            change(&c)
            return c
        }
        let learnt = RotaryPositions(pairing: .neighbours, coordinates: .index, frequencies: .learned, columnsFirst: true)
        let variants = [
            Self.configuration,
            changed {
                $0.rotary = learnt
                $0.hasKeyBias = true
                $0.hasQueryKeyNorm = true
                $0.mlp = .activation(.gelu)
            },
            changed {
                $0.rotary!.pairing = .neighbours
                $0.rotary!.coordinates = .scaled(to: PatchGrid(rows: 3, columns: 3))
                ($0.hasContextNorm, $0.hasHiddenNorm, $0.hasLayerScale) = (true, true, false)
            },
            changed {
                ($0.rotary, $0.registers, $0.hasRelativePositions, $0.mlp) = (nil, 0, true, .activation(.gelu))
            },
        ]
        let path = NSTemporaryDirectory() + "vitrine-scratch-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let image = Tensor([1, 3, 64, 64], (0..<12288).map { (i: Int) -> Float in Float(i % 97) / 50 - 1 })
        for c in variants {
            let model = VisionTransformer.scratch(c, seed: 1, layerScale: 0.5)
            let json = String(decoding: try JSONEncoder().encode(c), as: UTF8.self)
            try Safetensors.write(model.timmTensors(), metadata: [VisionTransformer.configurationKey: json], to: path)
            let again = try VisionTransformer.load(path).model
            #expect(again.configuration == c)
            #expect(again.parameters.map(\.info) == model.parameters.map(\.info))
            for (a, b) in zip(again.parameters, model.parameters) { #expect(a.tensor.values == b.tensor.values, "\(a.info.name)") }
            let logits = try model(image, workspace: Workspace(poisons: true)).values
            #expect(logits.allSatisfy { $0.isFinite })
            #expect(try again(image, workspace: Workspace()).values == logits)
            // One number more for each weight but the head's is trained than counted where keys have no bias.
            let own = model.parameters.reduce(0) { $0 + $1.tensor.count }
            #expect(model.parameterCount == own - (c.hasKeyBias ? 0 : c.depth * c.width))
        }
    }

    struct Tuned: Sendable, CustomTestStringConvertible {
        let name: String
        let model: @Sendable () throws -> VisionTransformer
        /// What timm's class of the network calls its weights, and what it has not.
        let names: [String]
        let absent: [String]
        /// What the bare `.pth` does not show.
        let options: @Sendable (inout LoadOptions) -> Void

        var testDescription: String { name }
    }

    /// A fixture of the zoo with a head of two classes, as `vitrine train` makes it.
    private static func tower(_ file: String) throws -> VisionTransformer {
        let zoo = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/zoo")
        return try VisionTransformer.load(zoo.appending(path: file).path(), options: LoadOptions(head: .fresh(classes: 2))).model
            .withFreshHead(classes: 2, seed: 3)
    }

    static let tuned = [
        Tuned(
            name: "DINOv3", model: { .scratch(configuration, seed: 3, layerScale: 0.5) },
            names: ["reg_token", "blocks.0.gamma_1", "blocks.0.attn.q_bias", "blocks.0.attn.v_bias", "blocks.0.mlp.fc1_g.weight"],
            absent: ["pos_embed", "blocks.0.attn.qkv.bias", "blocks.0.ls1.gamma", "rope.periods"],
            options: {
                $0.heads = 2
                $0.pooling = .classToken
            }),
        // A fresh head stands on what is pooled, as where timm resets a classifier: the projection is gone. CLIP's patches have no bias.
        Tuned(
            name: "CLIP of open_clip", model: { try tower("open-clip/open_clip_pytorch_model.bin") },
            names: ["norm_pre.weight", "norm.bias", "head.weight", "pos_embed", "blocks.1.attn.qkv.bias"],
            absent: ["patch_embed.proj.bias", "visual_projection.weight", "fc_norm.weight", "logit_scale"],
            options: {
                $0.heads = 2
                $0.activation = .gelu
            }),
        Tuned(
            name: "SigLIP of timm", model: { try tower("timm-siglip/model.safetensors") },
            names: ["attn_pool.latent", "attn_pool.q.weight", "attn_pool.kv.bias", "attn_pool.mlp.fc2.weight", "norm.weight"],
            absent: ["cls_token", "fc_norm.weight"],
            options: {
                $0.heads = 2
                $0.activation = .gelu
            }),
    ]

    private func trainer(_ folder: String, _ set: TrainingSet, _ tuned: Tuned, resumes: Bool = false) throws -> Trainer {
        var recipe = Recipe()
        recipe.imageSize = 64
        recipe.learningRate = 0.01
        recipe.optimizer = .adamw
        recipe.epochs = 25
        recipe.batch = 8
        recipe.seed = 3
        var options = TrainingOptions(output: folder)
        options.resumes = resumes
        options.writesPyTorch = true
        return try Trainer(
            recipe: recipe, set: set, store: ImageStore(preprocess: .resize(64)), model: try tuned.model(), options: options)
    }

    @Test(arguments: tuned)
    func aTinyNetworkTrainsResumesExplainsAndIsTimms(_ tuned: Tuned) throws {
        let root = NSTemporaryDirectory() + "vitrine-tuned-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        _ = try PhantomSet(task: .bone, count: 64, seed: 5, shortcut: PhantomShortcut(tag: .ruler, rate: 1)).write(
            to: root + "/data", workers: 1)
        let contents = try Datasets.open(Datasets.kind(of: root + "/data"), path: root + "/data").contents()
        let set = try TrainingSet(
            samples: contents.samples, classNames: contents.classNames, positiveLabel: contents.positiveLabel, validationShare: 0.25,
            testShare: 0, splitSeed: 1)
        var whole = try trainer(root + "/whole", set, tuned)
        let result = try whole.run()
        #expect(result.records.last!.trainingLoss < 0.8 * result.records.first!.trainingLoss)
        for attempt in 0..<60 {
            let asked = Atomic<Int>(0)
            let patience = 20 + 7 * (attempt % 5)
            var part = try trainer(root + "/parts", set, tuned, resumes: true)
            part.stop(when: { asked.wrappingAdd(1, ordering: .relaxed).newValue > patience })
            if try part.run().isFinished { break }
        }
        func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: "\(root)/\(name)/model.safetensors")) }
        #expect(try bytes("whole") == bytes("parts"))
        // timm's names, and nothing else: its class for DINOv3 has no position embedding, and biases of queries and values alone.
        // `Scripts/check-finetune` loads such files there.
        let file = try Checkpoint.open(root + "/whole/model.safetensors")
        let names = try file.stateDict().names
        for name in tuned.names { #expect(names.contains(name), "\(name)") }
        for name in tuned.absent { #expect(!names.contains(name), "\(name)") }
        let loaded = try VisionTransformer.load(root + "/whole/model.safetensors").model
        let start = try tuned.model().configuration
        #expect(loaded.configuration.rotary == start.rotary && loaded.configuration.pooling == start.pooling)
        var options = LoadOptions()
        tuned.options(&options)
        let pth = try VisionTransformer.load(root + "/whole/model.pth", options: options).model
        let image = Tensor([1, 3, 64, 64], (0..<12288).map { (i: Int) -> Float in Float(i % 97) / 50 - 1 })
        #expect(try pth(image, workspace: Workspace()).values == loaded(image, workspace: Workspace()).values)
        let sites: Set<Site> = [.pixels, .attention(0), .attention(start.attentions.upperBound - 1)]
        let trace = try loaded.trace(
            image, targets: [.predicted], request: TraceRequest(gradient: sites, relevance: [.study: sites]),
            workspace: Workspace(poisons: true))
        for site in sites {
            for values in [trace.gradient[site]!.values, trace.relevance(.study)[site]!.values] {
                #expect(values.allSatisfy(\.isFinite) && values.contains { $0 != 0 })
            }
        }
    }
}
