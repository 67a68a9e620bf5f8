import Foundation
import Testing
import VitrineImage

@testable import vitrine

@Suite("vitrine trust --model")
struct TrustModelTests {
    private static let arguments = [
        "trust", "--model", CommandRun.model, "--heads", "4", "--preprocess", "resize:40", "--quiet", "-o", "out",
    ]

    private static func pictures(_ scratch: Scratch, _ folders: [String], masks: String) throws {
        for (i, name) in ["a", "b", "c"].enumerated() {
            for folder in folders { try scratch.image("\(folder)/\(name)\(folders.count > 1 ? folder.suffix(1) : "").png") }
            try scratch.mask(
                "\(masks)/\(name)\(folders.count > 1 ? folders[1].suffix(1) : "").png",
                PixelRectangle(top: 4 + 5 * i, left: 9, width: 13, height: 11))
        }
    }

    @Test("images beside each other and a folder of masks give cards, a report, and a study that goes on")
    func flat() throws {
        let scratch = try Scratch()
        try Self.pictures(scratch, ["scans"], masks: "masks")
        let arguments = Self.arguments + ["--data", "scans", "--masks", "masks", "--method", "attention", "gradcam"]
        let first = try CommandRun.run(arguments, in: scratch.path)
        #expect(first.status == 0, "\(first.errors)")
        for text in [
            "\nattention\n", "\ngradcam\n", "points at the lesion", "not shown: average-precision (corrected)", "nothing could be shown",
        ] {
            #expect(first.output.contains(text), "\(text): \(first.output)")
        }
        #expect(first.output.contains("depends on the class               shown to fail") == false)
        #expect(scratch.exists("out/report/report.html") && scratch.exists("out/report/verdict.csv"))
        // Nothing was labelled: what is explained is what the model predicts.
        #expect(scratch.text("out/study.yaml").contains("target: predicted"))
        let table = scratch.text("out/report/scores.csv")
        let again = try CommandRun.run(arguments + ["rollout"], in: scratch.path)
        #expect(again.status == 0 && again.output.contains("\nrollout\n"), "\(again.errors)")
        // What was computed stands as it was.
        let old = table.split(separator: "\n").dropFirst().filter { $0.contains(",attention,") }
        let new = Set(scratch.text("out/report/scores.csv").split(separator: "\n"))
        #expect(!old.isEmpty && old.allSatisfy(new.contains))
    }

    @Test("folders per class explain the positive class")
    func classes() throws {
        let scratch = try Scratch()
        try Self.pictures(scratch, ["scans/0", "scans/1"], masks: "masks")
        let result = try CommandRun.run(
            Self.arguments + ["--data", "scans", "--masks", "masks", "--method", "attention"], in: scratch.path)
        #expect(result.status == 0, "\(result.errors)")
        #expect(scratch.text("out/study.yaml").contains("target: positive"))
        #expect(result.output.contains("3 images"))
    }

    @Test("without masks everything else is judged, and masks that come later add what they answer", arguments: [true, false])
    func withoutMasks(_ isFlat: Bool) throws {
        let scratch = try Scratch()
        try Self.pictures(scratch, isFlat ? ["scans"] : ["scans/0", "scans/1"], masks: "masks")
        let arguments = Self.arguments + ["--data", "scans", "--method", "attention"]
        let first = try CommandRun.run(arguments, in: scratch.path)
        #expect(first.status == 0, "\(first.errors)")
        for text in [
            "not measured: scans has no masks; with those of an expert,", "depends on what was learnt", "was used by the network",
            "3 images",
        ] {
            #expect(first.output.contains(text), "\(text): \(first.output)")
        }
        #expect(first.output.contains("Are the maps of attention better than random ones by deletion on scans (3 images"))
        // Controls know no model, and there is no mask that they could be compared on.
        let study = scratch.text("out/study.yaml")
        #expect(!study.contains("centre") && !study.contains("average-precision") && !study.contains("pointing-game"))
        let before = scratch.text("out/report/scores.csv").split(separator: "\n").filter { $0.contains(",deletion,") }
        #expect(before.count == 3)
        let again = try CommandRun.run(arguments + ["--masks", "masks"], in: scratch.path)
        #expect(again.status == 0 && again.output.contains("not shown: average-precision (corrected)"), "\(again.errors)")
        let after = scratch.text("out/report/scores.csv").split(separator: "\n").filter {
            $0.contains(",deletion,") && $0.contains(",attention,")
        }
        #expect(after.count == 3)
        // And those that go take it away again.
        let third = try CommandRun.run(arguments, in: scratch.path)
        #expect(third.status == 0 && third.output.contains("not measured: scans has no masks"), "\(third.errors)")
    }

    @Test("what is missing is named by the flag that brings it")
    func mistakes() throws {
        let scratch = try Scratch()
        try Self.pictures(scratch, ["scans/0", "scans/1"], masks: "masks")
        func errors(_ arguments: [String]) throws -> String { try CommandRun.run(arguments, in: scratch.path).errors }
        let localising = Self.arguments + ["--data", "scans", "--metric", "iou@10"]
        #expect(
            try errors(localising).contains("none of its 6 images has a mask to score against; name the folder of the masks with --masks"))
        #expect(try errors(Self.arguments + ["--data", "nowhere"]).contains("--data nowhere: does not exist"))
        #expect(try errors(Self.arguments).contains("--model needs --data"))
        #expect(try errors(Self.arguments + ["--data", "scans", "--phantoms"]).contains("--phantoms and --model"))
        #expect(try errors(["trust", "--data", "scans", "-o", "out"]).contains("--data needs --model"))
        #expect(try errors(Self.arguments + ["--data", "scans", "--tasks", "colon"]).contains("--tasks needs --phantoms"))
        #expect(try errors(Self.arguments + ["--data", "scans", "--rounds", "2"]).contains("--rounds needs --phantoms"))
        #expect(try errors(["trust", "--phantoms", "--count", "21", "-o", "out"]).contains("--count 21: ask for an even number"))
        #expect(try errors(["trust", "-o", "out"]).contains("say what to measure on"))
        #expect(try errors(Self.arguments + ["--data", "scans", "--masks", "masks", "--method", "centre"]).contains("controls alone"))
    }
}
