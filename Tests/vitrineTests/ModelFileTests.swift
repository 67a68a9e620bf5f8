import Foundation
import Testing
import VitrineModel
import VitrineTensor

@testable import vitrine

/// What the command says and records of a model and of the files beside it.
@Suite struct ModelFileTests {
    static let zoo = URL(fileURLWithPath: CommandRun.model).deletingLastPathComponent()
    static func zoo(_ name: String) -> String { zoo.appendingPathComponent(name).path }

    /// An adapter's digest stands beside the checkpoint's, and metrics that ask the model again merge it again.
    @Test func adaptersAreRecordedWithTheirDigest() throws {
        let scratch = try Scratch()
        try scratch.image("images/a.png")
        let run = try CommandRun.run(
            [
                "explain", "--model", Self.zoo("hf-vit-model/model.safetensors"), "--adapter", Self.zoo("lora-vit"), "--pooling", "class",
                "--image",
                "images/a.png", "--method", "attention", "saliency", "--preprocess", "resize:32", "-o", "maps",
            ], in: scratch.path)
        #expect(run.status == 0, "\(run.errors)")
        let line = try #require(scratch.lines("maps/results.jsonl").first)
        let digest = try #require(AdapterFile.sha256(Self.zoo("lora-vit")))
        #expect(line.contains(digest) && line.contains("LoRA of rank 3"), "\(line)")
        let again = try CommandRun.run(
            [
                "evaluate", "--maps", "maps", "--model", Self.zoo("hf-vit-model/model.safetensors"), "--images", "images", "--metric",
                "deletion", "-o", "scores.csv",
            ], in: scratch.path)
        #expect(again.status == 0, "\(again.errors)")
        // A folder without one is named.
        let other = try CommandRun.run(
            [
                "explain", "--model", Self.zoo("hf-vit-model/model.safetensors"), "--adapter", "nowhere", "--image", "images/a.png",
                "--method",
                "attention", "-o", "other",
            ],
            in: scratch.path)
        #expect(other.status == 1 && other.errors.contains("adapter_config.json"), "\(other.errors)")
    }

    // MARK: Presets

    private func bareModel(_ scratch: Scratch) throws -> String {
        try FileManager.default.copyItem(atPath: Self.zoo("timm-float32.safetensors"), toPath: scratch.file("bare.safetensors"))
        return scratch.file("bare.safetensors")
    }

    /// A bare file takes the preset, says so and records it; a configuration that says otherwise is not overruled.
    @Test func presetsServeBareFilesAndRefuseConflicts() throws {
        let scratch = try Scratch()
        try scratch.image("a.png")
        let model = try bareModel(scratch)
        func explain(_ more: [String]) throws -> CommandRun.Result {
            try CommandRun.run(
                ["explain", "--model", model, "--heads", "4", "--image", "a.png", "--method", "attention", "-o", "maps"] + more,
                in: scratch.path)
        }
        let run = try explain(["--preset", "siglip"])
        #expect(run.status == 0 && run.errors.contains("resize:40:half:bicubic (preset siglip: "), "\(run.errors)")
        #expect(!run.errors.contains("assumed, since the file does not say: preprocessing"))
        let line = try #require(scratch.lines("maps/results.jsonl").first)
        #expect(line.contains("SiglipImageProcessor") && line.contains("resize:40:half:bicubic"), "\(line)")
        #expect(try explain(["--preset", "siglp"]).errors.contains("there is no preset 'siglp'"))
        #expect(try explain(["--preset", "siglip", "--preprocess", "resize:40"]).status == 64)
        let processor =
            #"{"image_mean": [0.4, 0.4, 0.4], "image_std": [0.5, 0.5, 0.5], "size": {"height": 40, "width": 40}, "resample": 3}"#
        try scratch.write(processor, to: "preprocessor_config.json")
        let conflict = try explain(["--preset", "siglip"])
        #expect(
            conflict.status == 1 && conflict.errors.contains("resize:40:half:bicubic")
                && conflict.errors.contains("preprocessor_config.json")
                && conflict.errors.contains("resize:40:0.4/0.5:bicubic"), "\(conflict.errors)")
    }

    // MARK: Inspect

    /// Every fact with its source, the preprocessing, what is unused, and which methods can run.
    @Test func inspectSaysWhereEveryFactComesFrom() throws {
        let scratch = try Scratch()
        func inspect(_ arguments: [String]) throws -> String { try CommandRun.run(["inspect"] + arguments, in: scratch.path).output }
        let bare = try inspect([bareModel(scratch), "--heads", "4"])
        for text in [
            "attention heads", "given", "--heads", "assumed: of timm", "--epsilon", "preprocessing  resize:40:imagenet (assumed)",
            "unused         nothing", "missing        nothing", "can run: attention", "tensors",
        ] { #expect(bare.contains(text), "\(text)\n\(bare)") }
        let folder = try inspect([Self.zoo("timm-config-quick-gelu/model.safetensors")])
        #expect(folder.contains("timm-config-quick-gelu/config.json") && folder.contains("quickGelu"), "\(folder)")
        // A backbone has no class to explain.
        let backbone = try inspect([Self.zoo("hf-vit-model/model.safetensors")])
        #expect(backbone.contains("pooler that no classifier reads") && backbone.contains("needs a class"), "\(backbone)")
        let adapted = try inspect([Self.zoo("hf-vit-model/model.safetensors"), "--adapter", Self.zoo("lora-vit"), "--pooling", "class"])
        #expect(adapted.contains("also read") && adapted.contains("LoRA of rank 3"), "\(adapted)")
        let json = try inspect([Self.zoo("hf-vit-model/model.safetensors"), "--json"])
        let root = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        let table = try #require(root["table"] as? [[String: Any]])
        #expect(table.allSatisfy { ($0["source"] as? String)?.isEmpty == false && ($0["value"] as? String)?.isEmpty == false })
        #expect(root["preprocessing"] != nil && root["methods"] != nil)
    }

    // MARK: Outliers

    /// Pictures without outlier patches differ from those with them; arrays do not.
    @Test func outliersAreLeftOutOfPicturesAlone() throws {
        let scratch = try Scratch()
        try scratch.image("a.png")
        // One patch of its own colour, whose token the embedding makes long.
        let file = try Checkpoint.open(CommandRun.model)
        var tensors: [String: Tensor] = [:]
        for name in file.names { tensors[name] = try file.tensor(named: name) }
        var positions = tensors["pos_embed"]!
        let width = positions.shape[2]
        positions.replace(from: (1 + 7) * width, with: Tensor([width], (0..<width).map { $0 % 2 == 0 ? 300 : -300 }))
        tensors["pos_embed"] = positions
        try Safetensors.write(tensors, to: scratch.file("loud.safetensors"))
        func explain(_ folder: String, _ more: [String]) throws {
            let run = try CommandRun.run(
                [
                    "explain", "--model", "loud.safetensors", "--heads", "4", "--image", "a.png", "--method", "attention", "saliency", "-o",
                    folder,
                ] + more, in: scratch.path)
            #expect(run.status == 0, "\(run.errors)")
        }
        try explain("with", [])
        try explain("without", ["--hide-outliers"])
        #expect(try ExplainedFolder(scratch.file("with")).results.allSatisfy { $0.audit?.notes["outlier-patches"] == [1] })
        for method in ["attention", "saliency"] {
            #expect(scratch.bytes("with/a.\(method).grid.npy") == scratch.bytes("without/a.\(method).grid.npy"), "\(method)")
            #expect(scratch.bytes("with/a.\(method).npy") == scratch.bytes("without/a.\(method).npy"), "\(method)")
            #expect(scratch.bytes("with/a.\(method).png") != scratch.bytes("without/a.\(method).png"), "\(method)")
        }
    }
}
