import Foundation
import Testing
import VitrineData
import VitrineEvaluate
import VitrineImage

@testable import vitrine

@Suite struct EvaluateTests {
    private func rows(_ scratch: Scratch, _ name: String = "scores.csv") throws -> [[String: String]] {
        let table = try Table.read(scratch.file(name))
        return table.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(table[0], $0)) }
    }

    private func evaluate(_ metrics: [String], _ more: [String] = [], in scratch: Scratch) throws -> CommandRun.Result {
        try CommandRun.run(
            ["evaluate", "--maps", "maps", "--masks", "masks", "--metric"] + metrics + ["--quiet", "-o", "scores.csv"] + more,
            in: scratch.path)
    }

    /// Scores of `vitrine explain`'s maps are those of its native grids under its display rule, the same that a study computes.
    @Test func ownMapsAreScoredFromTheirGrids() throws {
        let scratch = try Scratch()
        try scratch.image("img/a.png")
        let rectangle = PixelRectangle(top: 6, left: 9, width: 13, height: 11)
        try scratch.mask("masks/a.png", rectangle)
        #expect(try CommandRun.explain(["img"], methods: ["attention", "gradcam"], in: scratch).status == 0)
        let metrics = ["dice@20:component", "mass-accuracy", "auroc"]
        let result = try evaluate(metrics, in: scratch)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let folder = try ExplainedFolder(scratch.file("maps"))
        let evaluator = try Evaluator(metrics, protocol: .corrected)
        let table = try rows(scratch)
        for line in folder.results {
            let map = try #require(try folder.nativeMap(line))
            let scores = try evaluator.scores(of: ScoredMap(map), on: ScoredMask(rectangle.mask(width: 40, height: 40)), item: line.mapFile)
            for (metric, score) in zip(metrics, scores) {
                let row = try #require(table.first { $0["item"] == line.mapFile && $0["metric"] == metric })
                #expect(
                    row["value"] == score.value.map { "\($0)" } && row["chance"] == score.chance.map { "\($0)" } && row["map"] == "native")
                #expect(row["image"] == "a" && row["method"] == line.method && row["is_control"] == "0")
            }
        }
        // Without the grid the displayed map is taken, and that is said.
        try FileManager.default.removeItem(atPath: scratch.file("maps/a.gradcam.grid.npy"))
        let said = try evaluate(metrics, in: scratch)
        #expect(said.errors.contains("note: 1 map is scored as displayed, and chance exchanges pixels: no native grid"), "\(said.errors)")
        // So is a map that is no longer what its grid displays.
        var changed = try NPY.read(scratch.file("maps/a.attention.npy")).values
        changed[3] += 1
        try NPY.write(changed, shape: [40, 40], to: scratch.file("maps/a.attention.npy"))
        #expect(try evaluate(metrics, in: scratch).errors.contains("they are not what their .grid.npy displays"))
    }

    /// What the model says of a map is said with the map's file.
    @Test func problemsNameTheirFile() throws {
        let scratch = try Scratch()
        try scratch.image("img/a.png")
        try scratch.makeFolder("maps")
        try NPY.write((0..<289).map(Float.init), shape: [17, 17], to: scratch.file("maps/a.npy"))
        let result = try CommandRun.run(
            [
                "evaluate", "--maps", "maps", "--model", CommandRun.model, "--heads", "4", "--images", "img", "--metric", "deletion",
                "--quiet", "-o", "c.csv",
            ], in: scratch.path)
        #expect(result.errorLines.contains { $0.hasPrefix("maps/a.npy: the map is 17x17") }, "\(result.errors)")
    }

    /// Metrics ask about what the maps explain: the expression, and the way the model was read.
    @Test func modelIsAskedWhatTheMapsExplain() throws {
        let scratch = try Scratch()
        try scratch.image("img/a.png")
        func scores(_ more: [String]) throws -> [Double] {
            let result = try CommandRun.run(
                ["evaluate", "--maps", "maps", "--model", CommandRun.model, "--images", "img", "--metric", "deletion"]
                    + ["single-deletion:value=logit", "--quiet", "-o", "scores.csv"] + more,
                in: scratch.path)
            #expect(result.status == 0, "\(result.errors)")
            return try rows(scratch).compactMap { $0["value"].flatMap(Double.init) }
        }
        let expression = ["--target-expression", "y1 - 0.5 y0 - 0.5 y2", "--probabilities", "sigmoid"]
        #expect(try CommandRun.explain(["img"], methods: ["gradcam"], expression, in: scratch).status == 0)
        // Heads and probabilities are those of the run that made the maps; the values are pinned against one class's.
        let linear = try scores([])
        #expect(linear == (try scores(["--heads", "4", "--probabilities", "sigmoid"])) && linear.count == 2)
        let single = try scores(["--target", "1"])
        #expect(single.count == 2 && zip(linear, single).allSatisfy { $0 != $1 }, "\(linear) \(single)")
    }

    /// Another checkpoint, or other images under the same names, than those behind the maps.
    @Test func modelBehindTheMapsIsTheOneAsked() throws {
        let scratch = try Scratch()
        try scratch.image("img/a.png")
        try scratch.image("img/b.png")
        #expect(try CommandRun.explain(["img"], methods: ["gradcam"], in: scratch).status == 0)
        func evaluate(_ images: String, _ more: [String] = []) throws -> CommandRun.Result {
            try CommandRun.run(
                ["evaluate", "--maps", "maps", "--model", CommandRun.model, "--images", images, "--metric", "deletion", "--quiet"]
                    + ["-o", "scores.csv"] + more,
                in: scratch.path)
        }
        #expect(try evaluate("img").status == 0)
        let otherHeads = try evaluate("img", ["--heads", "2"])
        #expect(otherHeads.status == 3 && otherHeads.errors.contains("was made where the model answered ["), "\(otherHeads.errors)")
        try scratch.makeFolder("swapped")
        for (from, to) in [("a", "b"), ("b", "a")] {
            try FileManager.default.copyItem(atPath: scratch.file("img/\(from).png"), toPath: scratch.file("swapped/\(to).png"))
        }
        let swapped = try evaluate("swapped")
        #expect(swapped.status == 3 && swapped.errors.contains("the images that the maps were made with"), "\(swapped.errors)")
        #expect(try rows(scratch).allSatisfy { $0["value"] == "" })
    }

    /// A mask of the stored image's size goes through the crop even where that size is the network's too.
    @Test func masksGoThroughTheCrop() throws {
        let scratch = try Scratch()
        try scratch.image("img/a.png")
        let rectangle = PixelRectangle(top: 2, left: 20, width: 15, height: 12)
        try scratch.mask("masks/a.png", rectangle)
        #expect(
            try CommandRun.explain(["img"], methods: ["centre"], ["--preprocess", "resize-shorter-crop:52,40"], in: scratch).status == 0)
        #expect(try evaluate(["auroc"], in: scratch).status == 0)
        let cropped = try Preprocess(parsing: "resize-shorter-crop:52,40").apply(to: rectangle.mask(width: 40, height: 40))
        let map = try #require(
            try ExplainedFolder(scratch.file("maps")).results.first.flatMap { try ExplainedFolder(scratch.file("maps")).nativeMap($0) })
        let right = try Evaluator(["auroc"], protocol: .corrected).scores(of: ScoredMap(map), on: ScoredMask(cropped), item: "a.centre")[0]
            .value
        let wrong = try Evaluator(["auroc"], protocol: .corrected)
            .scores(of: ScoredMap(map), on: ScoredMask(rectangle.mask(width: 40, height: 40)), item: "a.centre")[0].value
        #expect(right != wrong)
        #expect(try rows(scratch)[0]["value"] == right.map { "\($0)" })
        // Of another tool's map nobody knows which of the two the mask is: it is asked for.
        try FileManager.default.removeItem(atPath: scratch.file("maps/results.jsonl"))
        let asked = try evaluate(["auroc"], ["--preprocess", "resize-shorter-crop:52,40"], in: scratch)
        #expect(asked.status == 3 && asked.errors.contains("say with --mask-frame"), "\(asked.errors)")
        #expect(try evaluate(["auroc"], ["--preprocess", "resize-shorter-crop:52,40", "--mask-frame", "image"], in: scratch).status == 0)
        let answered = try #require(Double(try rows(scratch)[0]["value"] ?? ""))
        // The displayed map has the same order of pixels, but for ties that rounding makes.
        #expect(abs(answered - (right ?? .nan)) < 1e-3)
    }

    /// A map that holds NaN takes part in no mean, not even as chance.
    @Test func mapsWithNaNAreInNoMean() throws {
        let scratch = try Scratch()
        try scratch.makeFolder("maps")
        let good = (0..<1600).map { Float($0) }
        var bad = good
        bad[7] = .nan
        try NPY.write(good, shape: [40, 40], to: scratch.file("maps/a.x.npy"))
        try NPY.write(bad, shape: [40, 40], to: scratch.file("maps/b.x.npy"))
        for name in ["a", "b"] { try scratch.mask("masks/\(name).png", PixelRectangle(top: 30, left: 3, width: 9, height: 9)) }
        let result = try evaluate(["auroc"], in: scratch)
        #expect(result.status == 3 && result.errors.contains("maps/b.x.npy: the map holds NaN or infinity and has no score"))
        let table = try rows(scratch)
        #expect(table[1]["value"] == "" && table[1]["chance"] == "" && table[1]["status"] == "non-finite-map")
        let value = try #require(Double(table[0]["value"] ?? ""))
        #expect(result.output.contains(String(format: "   1   %.3f", value)), "\(result.output)")
        #expect(result.errors.contains("maps are scored as displayed, and chance exchanges pixels: maps of another tool"))
    }

    @Test func intervalsAreOverImagesOrPatients() throws {
        let scratch = try Scratch()
        try scratch.makeFolder("maps")
        var list = "image,patient\n"
        for i in 0..<12 {
            let values = (0..<1600).map { Float(($0 * (i + 3)) % 97) }
            try NPY.write(values, shape: [40, 40], to: scratch.file("maps/s\(i).x.npy"))
            try scratch.mask("masks/s\(i).png", PixelRectangle(top: 3 * i, left: i, width: 7, height: 4))
            list += "s\(i).png,p\(i % 4)\n"
        }
        try scratch.write(list, to: "list.csv")
        let images = try evaluate(["auroc"], in: scratch)
        let values = try rows(scratch).map { try #require(Double($0["value"] ?? "")) }
        func expected(_ clusters: Clusters) throws -> String {
            let interval = try ClusterResamples(clusters: clusters.count, seed: 0).interval(of: .mean(values, clusters: clusters))
            return String(format: "%.3f to %.3f", interval.lower, interval.upper)
        }
        #expect(images.output.contains(try expected(Clusters(independent: 12))), "\(images.output)")
        let patients = try evaluate(["auroc"], ["--labels", "list.csv"], in: scratch)
        let names = try rows(scratch).map { try #require($0["patient"]) }
        #expect(Set(names).count == 4)
        #expect(patients.output.contains(try expected(Clusters(names)) + " (4)"), "\(patients.output)\(patients.errors)")
        try scratch.write("image,patient\ns0.png,p0\n", to: "short.csv")
        let short = try evaluate(["auroc"], ["--labels", "short.csv"], in: scratch)
        #expect(
            short.status == 1 && short.errorLines.count == 1 && short.errors.contains("short.csv: names no patient, or several, for s1, "))
    }

    /// One flat mask is not given to two folders' images of its name, nor one of another folder.
    @Test func whoseMaskItIs() throws {
        let scratch = try Scratch()
        for name in ["p1/s", "p2/s"] {
            try scratch.makeFolder("maps/" + (name as NSString).deletingLastPathComponent)
            try NPY.write((0..<1600).map { Float($0) }, shape: [40, 40], to: scratch.file("maps/\(name).x.npy"))
        }
        try scratch.mask("masks/s.png", PixelRectangle(top: 3, left: 3, width: 9, height: 9))
        let flat = try evaluate(["auroc"], in: scratch)
        #expect(flat.status == 3 && flat.errors.contains("it is not clear whose mask masks/s.png is"), "\(flat.errors)")
        try FileManager.default.removeItem(atPath: scratch.file("masks/s.png"))
        try scratch.mask("masks/p1/s.png", PixelRectangle(top: 3, left: 3, width: 9, height: 9))
        try scratch.mask("masks/p2/s.png", PixelRectangle(top: 30, left: 3, width: 9, height: 9))
        #expect(try evaluate(["auroc"], in: scratch).status == 0)
        let values = try rows(scratch).map { $0["value"] }
        #expect(values.count == 2 && values[0] != values[1])
    }

    @Test func manyMissingMasksAreOneLine() throws {
        let scratch = try Scratch()
        try scratch.makeFolder("maps")
        for i in 0..<9 { try NPY.write((0..<1600).map { Float($0) }, shape: [40, 40], to: scratch.file("maps/s\(i).npy")) }
        try scratch.mask("masks/other.png", PixelRectangle(top: 3, left: 3, width: 9, height: 9))
        let result = try evaluate(["auroc"], in: scratch)
        #expect(result.status == 3 && result.errorLines.count == 1)
        #expect(result.errors.hasPrefix("9 maps have no mask of their name in masks: s0, s1, s2, s3, s4, ... (9)"))
        try scratch.mask("masks/s0.png", PixelRectangle(top: 3, left: 3, width: 9, height: 9), width: 50, height: 40)
        #expect(
            try evaluate(["auroc"], in: scratch).errors.contains(
                "bring it to the map's view with --preprocess, such as --preprocess resize:40"))
    }

    @Test func hugeMapsAreRefusedFromTheirHeaders() throws {
        let scratch = try Scratch()
        try scratch.makeFolder("maps")
        var header = "{'descr': '|u1', 'fortran_order': False, 'shape': (20000, 20000), }"
        header += String(repeating: " ", count: 117 - header.count) + "\n"
        try Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8)).write(
            to: URL(fileURLWithPath: scratch.file("maps/s.npy")))
        try scratch.mask("masks/s.png", PixelRectangle(top: 3, left: 3, width: 9, height: 9))
        #expect(try evaluate(["auroc"], in: scratch).errors.contains("maps/s.npy: declares shape [20000, 20000], more than the "))
    }
}
