import Foundation
import Testing
import VitrineImage

@testable import vitrine

@Suite struct ExplainTests {
    private func results(_ scratch: Scratch, _ folder: String = "maps") throws -> [ResultLine] {
        try ExplainedFolder(scratch.file(folder)).results
    }

    /// A second run keeps the first one's lines; the same run again replaces its own and adds nothing.
    @Test func resultsAreMergedNotReplaced() throws {
        let scratch = try Scratch()
        try scratch.image("a.png")
        try scratch.image("b.png")
        #expect(try CommandRun.explain(["a.png", "b.png"], methods: ["attention"], in: scratch).status == 0)
        #expect(try CommandRun.explain(["a.png"], methods: ["centre", "rollout"], in: scratch).status == 0)
        let files = try results(scratch).map(\.mapFile)
        #expect(files == ["a.attention", "b.attention", "a.centre", "a.rollout"])
        #expect(scratch.lines("maps/results.jsonl").count == 6, "two runs and four maps")
        #expect(try CommandRun.explain(["a.png"], methods: ["centre", "rollout"], in: scratch).status == 0)
        #expect(scratch.lines("maps/results.jsonl").count == 6)
        // Another seed is another run; what is left of the old one stays with it.
        #expect(try CommandRun.explain(["a.png"], methods: ["centre"], ["--seed", "3"], in: scratch).status == 0)
        #expect(scratch.lines("maps/results.jsonl").count == 7)
        #expect(Set(try results(scratch).map(\.mapFile)) == ["a.attention", "b.attention", "a.centre", "a.rollout"])
    }

    @Test func twoRunsIntoOneFolderLoseNothing() throws {
        let scratch = try Scratch()
        let images = (0..<12).map { "i\($0).png" }
        for image in images { try scratch.image(image) }
        let started = try ["attention", "centre", "rollout", "edge"].map { method in
            try CommandRun.start(
                ["explain", "--model", CommandRun.model, "--heads", "4", "--image"] + images + [
                    "--method", method, "--quiet", "-o", "maps",
                ],
                in: scratch.path)
        }
        for process in started { #expect(try CommandRun.finish(process).status == 0) }
        #expect(try results(scratch).count == 48)
        #expect(scratch.lines("maps/results.jsonl").count == 52)
    }

    @Test func tornLineOfAKilledRunIsCutOff() throws {
        let scratch = try Scratch()
        try scratch.image("a.png")
        #expect(try CommandRun.explain(["a.png"], methods: ["attention"], in: scratch).status == 0)
        let whole = scratch.text("maps/results.jsonl")
        try scratch.write(whole + "{\"image\":\"a.png\",\"meth", to: "maps/results.jsonl")
        #expect(try CommandRun.explain(["a.png"], methods: ["centre"], in: scratch).status == 0)
        #expect(try results(scratch).map(\.mapFile) == ["a.attention", "a.centre"])
    }

    /// Folders at any depth, a link to a folder above, equal names in two folders, and results that lie among the images.
    @Test func treesAreSearchedAndMirrored() throws {
        let scratch = try Scratch()
        for name in ["scans/p1/s.png", "scans/p2/s.png", "scans/top.png", "scans/__MACOSX/x.png", "scans/.hidden/y.png"] {
            try scratch.image(name)
        }
        try FileManager.default.createSymbolicLink(atPath: scratch.file("scans/p1/loop"), withDestinationPath: "..")
        for _ in 0..<2 { #expect(try CommandRun.explain(["scans"], ["--quiet"], in: scratch).status == 0) }
        #expect(
            try results(scratch).map(\.mapFile).sorted() == [
                "p1/s.attention", "p1/s.centre", "p2/s.attention", "p2/s.centre", "top.attention", "top.centre",
            ])
        #expect(scratch.exists("maps/p1/s.attention.grid.npy") && scratch.exists("maps/p2/s.centre.png"))
        // Named one by one, they are told apart by their folders.
        #expect(try CommandRun.explain(["scans/p1/s.png", "scans/p2/s.png"], ["-o", "other"], in: scratch).status == 0)
        #expect(scratch.exists("other/p1/s.centre.npy") && scratch.exists("other/p2/s.centre.npy"))
        // Maps among the images are no images.
        #expect(try CommandRun.explain(["scans"], ["-o", "scans/maps"], in: scratch).status == 0)
        #expect(try CommandRun.explain(["scans"], ["-o", "third"], in: scratch).status == 0)
        #expect(try results(scratch, "third").count == 6)
        let twice = try CommandRun.explain(["scans/top.png", "scans/../scans/top.png"], in: scratch)
        #expect(twice.status == 1 && twice.errors.contains("scans/../scans/top.png: is named twice; name it once"))
    }

    @Test func tablesNameImages() throws {
        let scratch = try Scratch()
        try scratch.image("d/p1/s.png")
        try scratch.image("d/p2/s.png")
        try scratch.write("image,patient,age\np1/s.png,a,3\np2/s.png,b,4\n", to: "d/list.csv")
        let result = try CommandRun.explain(["d/list.csv"], methods: ["centre"], in: scratch)
        #expect(result.status == 0, "\(result.errors)")
        #expect(scratch.exists("maps/p1/s.centre.npy") && scratch.exists("maps/p2/s.centre.npy"))
    }

    @Test func whatIsPassedOverIsCountedAndNamed() throws {
        let scratch = try Scratch()
        try scratch.image("s/a.png")
        try scratch.write("text", to: "s/readme.txt")
        try scratch.write("volume", to: "s/b.nii")
        let result = try CommandRun.explain(["s"], in: scratch)
        #expect(result.status == 3)
        #expect(result.errors.contains("1 file passed over, of formats that are not read: s/b.nii; convert them to PNG"))
    }

    /// Half-precision training leaves weights that overflow: no map under such logits, a line that names image and model, the rest done.
    @Test func logitsThatAreNaNAreARecordedFailure() throws {
        let scratch = try Scratch()
        try scratch.image("a.png")
        try scratch.brokenModel("broken.safetensors")
        let result = try CommandRun.run(
            [
                "explain", "--model", "broken.safetensors", "--heads", "4", "--image", "a.png", "--method", "gradcam", "centre", "-o",
                "maps",
            ],
            in: scratch.path)
        #expect(result.status == 3, "recorded")
        #expect(
            result.errors.contains("a.png: broken.safetensors: the network answers with 1 of 3 logits NaN or infinite"), "\(result.errors)")
        let lines = try results(scratch)
        #expect(lines.map { $0.failure == nil } == [false, true])
        #expect(!scratch.exists("maps/a.gradcam.npy") && !scratch.exists("maps/a.gradcam.png") && scratch.exists("maps/a.centre.npy"))
    }

    /// A single logit answers for two classes: probability and words follow the class, whichever it decides for.
    @Test func oneLogitAnswersForTwoClasses() throws {
        let scratch = try Scratch()
        try scratch.image("a.png")
        try scratch.oneLogitModel("single.safetensors")
        let result = try CommandRun.run(
            ["explain", "--model", "single.safetensors", "--heads", "4", "--image", "a.png", "--method", "gradcam", "-o", "maps"],
            in: scratch.path)
        #expect(result.status == 0, "\(result.errors)")
        let line = try #require(try results(scratch).first)
        let logit = try #require(line.logits.first)
        let probability = 1 / (1 + exp(-Double(logit)))
        #expect(line.probabilities.count == 2 && abs(Double(line.probabilities[1]) - probability) < 1e-6)
        #expect(abs(Double(line.probabilities[0]) - (1 - probability)) < 1e-6)
        #expect(line.classIndex == 1, "the only class a single logit speaks for")
        let predicted = logit > 0 ? 1 : 0
        #expect(result.output.hasPrefix("a.png: class \(predicted), p \(Words.probability(line.probabilities[predicted]))"))
        #expect(predicted == 1 || result.output.contains("; explained: class 1, p \(Words.probability(line.probabilities[1]))"))
    }

    @Test func predictionAndPlaceAreSaid() throws {
        let scratch = try Scratch()
        try scratch.image("a.png")
        let result = try CommandRun.explain(["a.png"], ["--target", "1"], in: scratch)
        let line = try #require(try results(scratch).first)
        let predicted = try #require(line.predicted)
        #expect(result.output.hasPrefix("a.png: class \(predicted), p \(Words.probability(line.probabilities[predicted]))"))
        #expect(result.output.contains("2 maps in maps/a.*"))
        #expect(predicted == 1 || result.output.contains("; explained: class 1, p \(Words.probability(line.probabilities[1]))"))
        #expect(result.errors.contains("assumed, since the file does not say: "), "what the loader assumed")
        #expect(try CommandRun.explain(["a.png"], ["--quiet"], in: scratch).output.isEmpty)
    }

    /// Several targets in one run: class-specific methods explain each, in files of their own; the maps are those of runs of their own.
    @Test func severalTargetsInOneRun() throws {
        let scratch = try Scratch()
        try scratch.image("a.png")
        let both = try CommandRun.explain(["a.png"], methods: ["gradcam", "attention"], ["--target", "0", "--target", "2"], in: scratch)
        #expect(both.status == 0, "\(both.errors)")
        let lines = try results(scratch)
        #expect(lines.map(\.method) == ["gradcam:target=0", "gradcam:target=2", "attention"])
        #expect(lines.map(\.classIndex) == [0, 2, 0])
        for target in ["0", "2"] {
            #expect(try CommandRun.explain(["a.png"], methods: ["gradcam"], ["--target", target, "-o", target], in: scratch).status == 0)
            let name = "gradcam_target-\(target)"
            #expect(scratch.bytes("maps/a.\(name).grid.npy") == scratch.bytes("\(target)/a.gradcam.grid.npy"))
        }
        let own = try CommandRun.explain(["a.png"], methods: ["gradcam:target=2", "gradcam"], ["--target", "0", "-o", "own"], in: scratch)
        #expect(own.status == 0 && scratch.bytes("own/a.gradcam_target-2.grid.npy") == scratch.bytes("2/a.gradcam.grid.npy"))
        #expect(scratch.bytes("own/a.gradcam.grid.npy") == scratch.bytes("0/a.gradcam.grid.npy"))
        let twice = try CommandRun.explain(["a.png"], methods: ["gradcam"], ["--target", "0", "--target", "0"], in: scratch)
        #expect(twice.status != 0 && twice.errors.contains("--target: names a class twice"))
        let wrong = try CommandRun.explain(["a.png"], methods: ["gradcam:target=9"], in: scratch)
        #expect(wrong.status == 1 && wrong.errors.contains("the model has classes 0...2"), "\(wrong.errors)")
    }

    /// A run that was asked to end stops between two passes, keeps whole images only, and goes on to the same bytes.
    @Test func aStoppedRunGoesOnToTheSameBytes() throws {
        let scratch = try Scratch()
        let images = (0..<8).map { "i\($0).png" }
        for image in images { try scratch.image(image) }
        let method = "rise:masks=3000"
        let arguments =
            ["explain", "--model", CommandRun.model, "--heads", "4", "--image"] + images + ["--method", method, "--workers", "2"]
        #expect(try CommandRun.run(arguments + ["-o", "whole"], in: scratch.path).status == 0)
        let files = images.map { $0.replacing(".png", with: ".rise_masks-3000.grid.npy") }
        for signal in [SIGTERM, SIGKILL] {
            let folder = "maps\(signal)"
            let started = try CommandRun.start(arguments + ["-o", folder], in: scratch.path)
            // The first image is done, most are not.
            while !files.contains(where: { scratch.exists("\(folder)/\($0)") }) && started.process.isRunning { usleep(2000) }
            kill(started.process.processIdentifier, signal)
            let result = try CommandRun.finish(started)
            if signal == SIGTERM {
                try #require(result.status == 4, "\(result.errors)")
                #expect(result.errors.contains("--resume goes on"))
            }
            let before = files.filter { scratch.exists("\(folder)/\($0)") }
            try #require(before.count < files.count)
            let again = try CommandRun.run(arguments + ["-o", folder, "--resume"], in: scratch.path)
            #expect(again.status == 0, "\(again.errors)")
            if signal == SIGTERM { #expect(again.errors.contains("done already")) }
            for file in files { #expect(scratch.bytes("\(folder)/\(file)") == scratch.bytes("whole/\(file)")) }
            #expect(try results(scratch, folder).count == images.count)
            let none = try CommandRun.run(arguments + ["-o", folder, "--resume"], in: scratch.path)
            #expect(none.status == 0 && none.errors.contains("8 images are done already"))
        }
    }

    /// The standard error of a sampling method is drawn on request.
    @Test func standardErrorsAreDrawn() throws {
        let scratch = try Scratch()
        try scratch.image("a.png")
        let result = try CommandRun.explain(["a.png"], methods: ["lime:samples=80", "attention"], ["--errors"], in: scratch)
        #expect(result.status == 0, "\(result.errors)")
        #expect(scratch.exists("maps/a.lime_samples-80.error.npy") && scratch.exists("maps/a.lime_samples-80.error.png"))
        #expect(!scratch.exists("maps/a.attention.error.png"))
    }

    @Test func longNamesAreTakenOrRefusedOneByOne() throws {
        let scratch = try Scratch()
        let fits = String(repeating: "n", count: 220)
        let tooLong = String(repeating: "m", count: 245)
        for name in [fits, tooLong, "a"] { try scratch.image("s/\(name).png") }
        let result = try CommandRun.explain(["s"], in: scratch)
        #expect(result.status == 3, "\(result.errors)")
        #expect(result.errors.contains("its name of 245 bytes leaves no room"))
        #expect(scratch.exists("maps/\(fits).attention.grid.npy") && scratch.exists("maps/a.centre.png"))
    }

    @Test func mapsThatAreNoiseAreNamed() {
        var table = StabilityTable()
        func stability(_ mean: Double?) -> [String: StabilityFixture.Value] { ["lrp-full": StabilityFixture.make(mean)] }
        table.add(stability(0.01))
        table.add(stability(0.95))
        table.add(["attention": StabilityFixture.make(1)])
        #expect(table.text.contains("NOISE on 1 of 2"))
        #expect(table.text.contains("do not read maps marked NOISE (lrp-full)"))
        #expect(StabilityFixture.make(nil).isDoubtful && !StabilityFixture.make(0.9).isDoubtful && StabilityFixture.make(.nan).isDoubtful)
    }

    @Test func stabilityIsSaidAtTheEnd() throws {
        let scratch = try Scratch()
        try scratch.image("a.png")
        let result = try CommandRun.explain(["a.png"], ["--stability"], in: scratch)
        #expect(result.output.contains("attention       1"), "\(result.output)")
        #expect(try results(scratch).allSatisfy { $0.audit?.stability != nil })
    }

    @Test func picturesKeepTheImagesProportions() throws {
        let scratch = try Scratch()
        try scratch.image("wide.png", width: 600, height: 300)
        for style in ["value", "constant", "contour"] {
            #expect(try CommandRun.explain(["wide.png"], methods: ["centre"], ["--overlay", style, "-o", style], in: scratch).status == 0)
            let picture = try Image(contentsOf: scratch.file("\(style)/wide.centre.png"))
            #expect(picture.width > 600 && picture.height > 300 && picture.height < 340, "title above, bar at the right")
        }
        #expect(try CommandRun.explain(["wide.png"], methods: ["centre"], ["--frame", "network", "-o", "net"], in: scratch).status == 0)
        #expect(try Image(contentsOf: scratch.file("net/wide.centre.png")).height < 340)
    }
}
