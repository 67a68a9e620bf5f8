import Foundation
import Testing
import VitrineTensor

@testable import VitrineModel

/// Ways in which published files of one family differ in what their tensors do not show, a test for each; more about most of them stands in
/// the tests of their family. Traps of preprocessing are with the presets in `VitrineDataTests`.
@Suite struct TrapTests {
    private static func load(_ shapes: [String: [Int]], heads: Int? = 2) throws -> ViTConfiguration {
        try VisionTransformer.assemble(KeyMapTests.tensors(shapes), options: LoadOptions(heads: heads)).model.configuration
    }

    private static func shapes(_ change: (inout ViTConfiguration) -> Void) -> [String: [Int]] {
        var c = KeyMapTests.tiny
        change(&c)
        return KeyMapTests.timmShapes(c)
    }

    private static func isRight(_ name: String) throws -> Bool {
        let model = try VariantTests.model(name)
        let loaded = try model.load().model
        let found = try loaded(model.image(channels: loaded.configuration.channels), workspace: Workspace()).values
        return AdapterTests.difference(found, model.output) < 1e-5
    }

    /// Hugging Face's DINOv2 with registers takes the mean of patches alone: changing what registers say in the last block changes nothing.
    @Test func trap1RegistersAreNoPartOfTheMean() throws {
        let c = try VariantTests.model("hf-registers-classifier").load().model.configuration
        #expect(c.registers > 0 && c.pooling == .classAndMean && c.prefixTokens == 1 + c.registers)
        #expect(try Self.isRight("hf-registers-classifier"))
    }

    /// UNI2-h: eight registers, positions for patches alone; Virchow2: positions for class token and registers too; DINOv2's own files: for
    /// the class token and not for registers.
    @Test func trap2PrefixTokensHavePositionsOrNot() throws {
        func found(_ registers: Int, _ positioned: Int) throws -> (Int, PatchGrid) {
            let c = try Self.load(
                Self.shapes {
                    ($0.registers, $0.positionedPrefixTokens, $0.positionGrid) = (registers, positioned, PatchGrid(rows: 16, columns: 16))
                })
            return (c.positionedPrefixTokens, c.positionGrid)
        }
        let square = PatchGrid(rows: 16, columns: 16)
        #expect(try found(8, 0) == (0, square))
        #expect(try found(4, 5) == (5, square))
        let own = try VariantTests.model("dinov2-registers").load().model.configuration
        #expect(own.registers > 0 && own.positionedPrefixTokens == 1)
    }

    /// 1280 wide: 16 heads or 20; 1536: 24 or 16; 1152: 16 heads of width 72.
    @Test func trap3WidthsDoNotTellHeads() {
        #expect(KnownModels.heads(width: 1536, hasClassToken: true) == 24 && KnownModels.heads(width: 1536, hasClassToken: false) == 16)
        #expect(KnownModels.heads(width: 1280, hasClassToken: true) == 16)
        #expect(KnownModels.timm("vit_huge_plus_patch16_dinov3")?.heads == 20)
        #expect(KnownModels.heads(width: 1152, hasClassToken: true) == 16)
        #expect(KnownModels.heads(width: 768, hasClassToken: false) == nil)
    }

    /// 1e-6 in timm, 1e-5 in CLIP, DINOv3 and MONAI, 1e-12 in Hugging Face's ViT and BEiT; and a wrong one shows.
    @Test func trap4EpsilonsDifferByFamily() throws {
        for (name, epsilon): (String, Float) in [
            ("timm-float32", 1e-6), ("hf-clip-bare", 1e-5), ("dinov3-original", 1e-5), ("monai", 1e-5), ("hf-vit-classifier", 1e-12),
            ("hf-data2vec-bare", 1e-12), ("torchvision", 1e-6),
        ] { #expect(try VariantTests.model(name).load().model.configuration.normEpsilon == epsilon, "\(name)") }
        #expect(try VariantTests.distance("timm-float32") { $0.configuration.normEpsilon = 1e-2 } > 1e-4)
    }

    /// The first half of a packed SwiGLU is its gate; Virchow's hidden width is half of 6832.
    @Test func trap5TheGateComesFirst() throws {
        let moved = try VariantTests.distance("timm-swiglu-packed") { model in
            for l in model.blocks.indices {
                let (w, b, half) = (model.blocks[l].fc1.weight, model.blocks[l].fc1.bias!, model.configuration.hidden)
                model.blocks[l].fc1.weight.replace(from: 0, with: w[half..<2 * half])
                model.blocks[l].fc1.weight.replace(from: half * model.configuration.width, with: w[0..<half])
                model.blocks[l].fc1.bias!.replace(from: 0, with: b[half..<2 * half])
                model.blocks[l].fc1.bias!.replace(from: half, with: b[0..<half])
            }
        }
        #expect(moved > 1e-3)
        #expect(KnownModels.heads(.init(width: 1280, depth: 32, hidden: 3416, hasClassToken: true)) == 16)
    }

    /// A probe saved by itself: two tensors, and what it reads is told by width or asked for.
    @Test func trap8ProbesAreFilesOfTheirOwn() throws {
        #expect(try Self.isRight("probe-class") && Self.isRight("probe-mean") && Self.isRight("probe-both"))
        #expect(VariantTests.asked("probe-mean") { $0.pooling = nil } == .pooling)
    }

    /// Adapters are merged, and their names need not be the file's.
    @Test func trap9AdaptersMergeAtLoad() throws {
        #expect(try Self.isRight("lora-vit") && Self.isRight("lora-vit-old-names") && Self.isRight("lora-timm"))
        #expect(ForeignArchitecture.name(of: ["a.lora_A.weight", "a.lora_B.weight"])?.contains("adapter") == true)
    }

    /// EVA-02 CLIP refers to 16 x 16 patches and EVA-X to 14 x 14, both of patch 16; a norm in attention tells them apart.
    @Test func trap10EvasReferenceGridIsNotItsImages() throws {
        #expect(
            try VariantTests.model("eva-x").load().model.configuration.rotary?.coordinates == .scaled(to: PatchGrid(rows: 14, columns: 14)))
        #expect(
            try VariantTests.model("eva02-clip").load().model.configuration.rotary?.coordinates
                == .scaled(to: PatchGrid(rows: 16, columns: 16)))
    }

    /// Quick GELU, tanh and epsilon of towers are in no tensor.
    @Test func trap11TowersActivationsAreAskedFor() {
        for name in ["hf-clip-bare", "open-clip-training", "timm-clip-projection"] {
            #expect(VariantTests.asked(name) { $0.activation = nil } == .activation, "\(name)")
        }
    }

    /// Windowed networks are named, not read as plain ones.
    @Test func trap12SwinIsRefusedByName() {
        #expect(
            ForeignArchitecture.name(of: ["layers.0.blocks.0.attn.relative_position_bias_table", "layers.1.downsample.reduction.weight"])
                == "Swin")
    }

    /// MONAI writes norms of a cross-attention that is not there, and older versions the whole of it.
    @Test func trap13MonaisCrossAttentionIsLeftOut() throws {
        for (name, key) in [("monai", "norm_cross_attn"), ("monai-grey", ".cross_attn.to_q")] {
            let loaded = try VariantTests.model(name).load()
            #expect(loaded.report.unusedKeys.contains { $0.key.contains(key) }, "\(name)")
            #expect(try Self.isRight(name))
        }
    }

    /// PEFT names DINOv3's modules as they are in memory, `model.layer`, or as in files, `layer`.
    @Test func trap14AdaptersOfDinov3HaveTwoManners() throws {
        try TowerTests.withFolder { folder in
            for prefix in ["base_model.model.layer.", "base_model.model.model.layer."] {
                let adapter = try AdapterTests.changed("lora-dinov3", folder) { _, tensors in
                    tensors = Dictionary(
                        uniqueKeysWithValues: tensors.map { key, value in
                            (prefix + key[(key.range(of: "layer.")?.upperBound ?? key.startIndex)...], value)
                        })
                }
                let logits = try AdapterTests.logits(AdapterTests.loaded("lora-dinov3", adapter: adapter).model, of: "lora-dinov3")
                #expect(AdapterTests.difference(logits, try VariantTests.model("lora-dinov3").output) < 1e-5, "\(prefix)")
            }
        }
        // A tower with its projection holds no scale, and that is said.
        #expect(try VariantTests.model("hf-clip-with-projection").load().report.assumptions.contains { $0.value.contains("cosines") })
    }

    /// MoCo v3's small ViT has 12 heads of width 32: a guess of 6 would be wrong in silence.
    @Test func trap15MocosHeadsAreAskedFor() {
        #expect(KnownModels.heads(.init(width: 384, depth: 12, hidden: 1536, hasClassToken: true)) == nil)
        #expect(KnownModels.heads(.init(width: 192, depth: 12, hidden: 768, hasClassToken: true)) == nil)
    }
}
