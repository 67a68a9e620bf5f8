import Foundation
import Testing
import VitrineModel

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
                "deletion",
            ], in: scratch.path)
        #expect(again.status == 0, "\(again.errors)")
        // A folder without one is named.
        let other = try CommandRun.run(
            [
                "explain", "--model", Self.zoo("hf-vit-model/model.safetensors"), "--adapter", "nowhere", "--image", "images/a.png", "-o",
                "other",
            ],
            in: scratch.path)
        #expect(other.status == 1 && other.errors.contains("adapter_config.json"), "\(other.errors)")
    }
}
