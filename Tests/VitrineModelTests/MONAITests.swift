import Foundation
import Testing
import VitrineTensor

@testable import VitrineModel

/// MONAI's ViT: what its checkpoints show, and the traps in them. That outputs and gradients are MONAI's is shown by the zoo.
@Suite struct MONAITests {
    /// No width tells how many heads a network of one's own has, MONAI's default width included.
    @Test func headsAreAskedFor() throws {
        #expect(VariantTests.asked("monai") { $0.heads = nil } == .heads)
        var shapes = Self.shapes(width: 768, depth: 12, hidden: 3072)
        shapes["patch_embedding.patch_embeddings.weight"] = [768, 3, 16, 16]
        #expect(throws: LoadError.headsUnknown(path: "file", width: 768)) {
            _ = try VisionTransformer.assemble(NamedTensors(path: "file", shapes: shapes) { _ in Tensor([1]) })
        }
    }

    static func shapes(width d: Int, depth: Int, hidden: Int) -> [String: [Int]] {
        var shapes: [String: [Int]] = [
            "cls_token": [1, 1, d], "patch_embedding.patch_embeddings.bias": [d], "patch_embedding.position_embeddings": [1, 196, d],
            "norm.weight": [d], "norm.bias": [d], "classification_head.0.weight": [2, d], "classification_head.0.bias": [2],
        ]
        for l in 0..<depth {
            for norm in ["norm1", "norm2", "norm_cross_attn"] { for p in ["weight", "bias"] { shapes["blocks.\(l).\(norm).\(p)"] = [d] } }
            shapes["blocks.\(l).attn.qkv.weight"] = [3 * d, d]
            shapes["blocks.\(l).attn.out_proj.weight"] = [d, d]
            shapes["blocks.\(l).attn.out_proj.bias"] = [d]
            shapes["blocks.\(l).mlp.linear1.weight"] = [hidden, d]
            shapes["blocks.\(l).mlp.linear1.bias"] = [hidden]
            shapes["blocks.\(l).mlp.linear2.weight"] = [d, hidden]
            shapes["blocks.\(l).mlp.linear2.bias"] = [d]
        }
        return shapes
    }

    /// The class token stands before the patches without a position of its own, and norms have PyTorch's epsilon.
    @Test func classTokenHasNoPositionAndEpsilonIs1e5() throws {
        for name in ["monai", "monai-plain-head", "monai-perceptron", "monai-grey"] {
            let c = try VariantTests.model(name).load().model.configuration
            #expect(c.hasClassToken && c.positionedPrefixTokens == 0 && c.normEpsilon == 1e-5 && c.pooling == .classToken, "\(name)")
        }
        let c = try VariantTests.model("monai-backbone").load().model.configuration
        #expect(!c.hasClassToken && c.pooling == .mean && c.classes == 0)
    }

    /// Logits are what stands before the Tanh; probabilities are those of what stands behind it.
    @Test func aTanhBehindTheClassifierIsKnown() throws {
        let model = try VariantTests.model("monai")
        let loaded = try model.load()
        #expect(loaded.model.configuration.probabilities == .tanh)
        #expect(loaded.report.facts.contains { $0.name == "logits" && $0.value.contains("Tanh") })
        let squashed = model.output.map { tanh(Double($0)) }
        let total = squashed.reduce(0) { $0 + exp($1) }
        let found = loaded.model.configuration.probabilities(model.output)
        for (p, y) in zip(found, squashed) { #expect(abs(Double(p) - exp(y) / total) < 1e-6) }
        #expect(try VariantTests.model("monai-plain-head").load().model.configuration.probabilities == .softmax)
        // One logit.
        let single = ViTConfiguration.Probabilities.tanh([0.7])
        #expect(abs(Double(single[0]) - 1 / (1 + exp(-tanh(0.7)))) < 1e-6)
        #expect(TargetChoice.fixed(.probability(1)).resolved(logits: model.output, .tanh) == .boundedProbability(1))
    }

    /// Pixels of a perceptron lie row, column, channel; a patch is square, of three channels or one.
    @Test func aPerceptronBecomesAConvolution() throws {
        let c = try VariantTests.model("monai-perceptron").load()
        #expect(c.model.configuration.patchSize == 8 && c.model.configuration.channels == 3)
        #expect(c.report.assumptions.contains { $0.name == "patch" })
        #expect(try VariantTests.model("monai-perceptron-grey").load().model.configuration.channels == 1)
        var shapes = Self.shapes(width: 24, depth: 1, hidden: 48)
        (shapes["patch_embedding.patch_embeddings.bias"], shapes["patch_embedding.patch_embeddings.1.bias"]) = (nil, [24])
        shapes["patch_embedding.patch_embeddings.1.weight"] = [24, 8 * 16 * 3]
        do {
            _ = try VisionTransformer.assemble(
                NamedTensors(path: "file", shapes: shapes) { _ in Tensor([1]) }, options: LoadOptions(heads: 2))
            Issue.record("patches of 8 x 16 were read as square ones")
        } catch { #expect("\(error)".contains("384 values"), "\(error)") }
    }

    /// The classifier reads the class token, and nothing else takes its place.
    @Test func aClassifierWithoutItsClassTokenIsRefused() throws {
        var shapes = Self.shapes(width: 24, depth: 1, hidden: 48)
        (shapes["patch_embedding.patch_embeddings.weight"], shapes["cls_token"]) = ([24, 3, 8, 8], nil)
        do {
            _ = try VisionTransformer.assemble(
                NamedTensors(path: "file", shapes: shapes) { _ in Tensor([1]) }, options: LoadOptions(heads: 2))
            Issue.record("a mean was read in its place")
        } catch { #expect("\(error)".contains("cls_token"), "\(error)") }
    }

    /// Volumes have patches of three sides.
    @Test func volumesAreRefused() throws {
        var shapes = Self.shapes(width: 24, depth: 1, hidden: 48)
        shapes["patch_embedding.patch_embeddings.weight"] = [24, 1, 8, 8, 8]
        #expect(throws: LoadError.self) {
            try VisionTransformer.assemble(NamedTensors(path: "file", shapes: shapes) { _ in Tensor([1]) }, options: LoadOptions(heads: 2))
        }
    }

    /// Its positions belong to one size; how they would be resampled is nobody's convention.
    @Test func anotherSizeIsAskedAbout() throws {
        let loaded = try VariantTests.model("monai").load()
        #expect(throws: LoadError.self) { try loaded.check(grid: PatchGrid(rows: 5, columns: 5)) }
        try loaded.check(grid: PatchGrid(rows: 4, columns: 4))
    }
}
