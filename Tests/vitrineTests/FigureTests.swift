import Foundation
import Testing
import VitrineImage

@testable import vitrine

@Suite struct FigureCommandTests {
    private func folder() throws -> Scratch {
        let scratch = try Scratch()
        for name in ["a", "b"] {
            try scratch.image("img/\(name).png", width: 80, height: 40)
            try scratch.mask("masks/\(name).png", PixelRectangle(top: 6, left: 30, width: 13, height: 11), width: 80, height: 40)
        }
        #expect(try CommandRun.explain(["img"], methods: ["attention", "gradcam", "centre"], in: scratch).status == 0)
        return scratch
    }

    private func figure(_ more: [String], in scratch: Scratch) throws -> CommandRun.Result {
        try CommandRun.run(["figure", "--results", "maps"] + more, in: scratch.path)
    }

    /// The ending says what is written, and it is that.
    @Test func svgAndPDFHaveRealText() throws {
        let scratch = try folder()
        #expect(
            try CommandRun.run(
                ["evaluate", "--maps", "maps", "--masks", "masks", "--metric", "auroc", "--quiet", "-o", "s.csv"], in: scratch.path
            ).status == 0)
        for ending in ["svg", "pdf", "png"] {
            let result = try figure(
                ["--masks", "masks", "--rows", "2", "--scores", "s.csv", "--title", "Two images", "-o", "f.\(ending)"], in: scratch)
            #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        }
        let svg = scratch.text("f.svg")
        #expect(svg.hasPrefix("<svg xmlns"))
        #expect(svg.components(separatedBy: "<image ").count == 9, "two rows of an image and three maps")
        for words in [">Two images<", ">attention<", ">gradcam<", ">auroc 0.", "class "] { #expect(svg.contains(words), "\(words)") }
        let pdf = String(decoding: FileManager.default.contents(atPath: scratch.file("f.pdf"))!, as: UTF8.self)
        #expect(pdf.hasPrefix("%PDF-1.4") && pdf.hasSuffix("%%EOF\n") && pdf.contains("(Two images) Tj") && pdf.contains("(gradcam) Tj"))
        #expect(try Image(contentsOf: scratch.file("f.png")).channels == 3)
    }

    @Test func columnsAreChosenOrderedAndWrapped() throws {
        let scratch = try folder()
        #expect(try figure(["--method", "gradcam", "attention", "--no-original", "-o", "f.svg"], in: scratch).status == 0)
        let svg = scratch.text("f.svg")
        let first = try #require(svg.range(of: ">gradcam<"))
        let second = try #require(svg.range(of: ">attention<"))
        #expect(first.lowerBound < second.lowerBound && !svg.contains(">centre<"))
        #expect(try figure(["-o", "wide.png"], in: scratch).status == 0)
        #expect(try figure(["--columns", "2", "-o", "wrapped.png"], in: scratch).status == 0)
        let (wide, wrapped) = (try Image(contentsOf: scratch.file("wide.png")), try Image(contentsOf: scratch.file("wrapped.png")))
        #expect(wrapped.width < wide.width && wrapped.height > wide.height)
        #expect(try figure(["--image", "b", "-o", "b.svg"], in: scratch).status == 0)
        #expect(scratch.text("b.svg").contains(">b<") && !scratch.text("b.svg").contains(">a<"))
    }

    /// What a figure leaves out is said.
    @Test func nothingIsLeftOutInSilence() throws {
        let scratch = try folder()
        #expect(try figure(["-o", "f.svg"], in: scratch).errors.contains("1 more images are not drawn"))
        let unknown = try figure(["--method", "gradcam", "rolout", "-o", "f.svg"], in: scratch)
        #expect(unknown.status == 3 && unknown.errors.contains("a: maps holds no map of rolout"))
        try FileManager.default.removeItem(atPath: scratch.file("maps/a.gradcam.npy"))
        try FileManager.default.removeItem(atPath: scratch.file("maps/a.gradcam.grid.npy"))
        let missing = try figure(["-o", "f.svg"], in: scratch)
        #expect(missing.status == 3 && missing.errors.contains("maps/a.gradcam.npy"), "\(missing.errors)")
        try scratch.mask("others/x.png", PixelRectangle(top: 6, left: 9, width: 3, height: 3))
        let masks = try figure(["--masks", "others", "-o", "f.svg"], in: scratch)
        #expect(masks.status == 3 && masks.errors.contains("a: there is no mask of this name in others; no outline is drawn"))
    }

    /// Everything that the command reads back is foreign: one line, no trap.
    @Test func changedFilesAreNamed() throws {
        let scratch = try folder()
        try scratch.image("img/a.png", width: 64, height: 40)
        let changed = try figure(["-o", "f.png"], in: scratch)
        #expect(changed.status == 1 && changed.errorLines.filter { !$0.hasPrefix("note") }.count == 1, "\(changed.errors)")
        #expect(changed.errors.contains("img/a.png: is 64 x 40 pixels and was 80 x 40 when it was explained"))
        try scratch.image("img/a.png", width: 80, height: 40)
        try NPY.write([Float](repeating: 1, count: 9), shape: [3, 3], to: scratch.file("maps/a.centre.npy"))
        try FileManager.default.removeItem(atPath: scratch.file("maps/a.centre.grid.npy"))
        let map = try figure(["-o", "f.png"], in: scratch)
        #expect(map.status == 3 && map.errors.contains("maps/a.centre.npy: the map is 3 x 3 pixels"), "\(map.errors)")
        try FileManager.default.removeItem(atPath: scratch.file("img/a.png"))
        #expect(try figure(["-o", "f.png"], in: scratch).errors.contains("there is no such image any more; name its folder with --images"))
        try scratch.image("moved/a.png", width: 80, height: 40)
        #expect(try figure(["--images", "moved", "-o", "f.png"], in: scratch).status == 3)
        for text in [
            "not json", "{\"image\":3}", "[]", "{\"provenance\":{\"options\":{}}}\n{\"image\":\"a\",\"method\":\"m\",\"logits\":[1e999]}",
        ] {
            try scratch.write(text + "\n", to: "maps/results.jsonl")
            let result = try figure(["-o", "f.png"], in: scratch)
            #expect(
                result.status == 1 && result.errorLines.count == 1 && result.errors.contains("is no result of vitrine explain"),
                "\(result.errors)")
        }
    }

    /// From another working directory, and with the lines of version 0.1.0, which had neither path nor file nor display rule.
    @Test func olderFoldersAndOtherDirectories() throws {
        let scratch = try folder()
        let elsewhere = try Scratch()
        let result = try CommandRun.run(["figure", "--results", scratch.file("maps"), "-o", "f.png"], in: elsewhere.path)
        #expect(result.status == 0, "\(result.errors)")
        let audit =
            "{\"map\":{\"infiniteCount\":0,\"isBlankWhenDisplayed\":false,\"isConstant\":false,\"maximum\":1,\"minimum\":0,\"nanCount\":0},\"notes\":{}}"
        try scratch.write(
            "{\"provenance\":{\"options\":{\"preprocess\":\"resize:40:imagenet\"}}}\n"
                + "{\"audit\":\(audit),\"image\":\"img/a.png\",\"logits\":[1,2],\"method\":\"attention\",\"probabilities\":[0.2,0.8],\"seconds\":1}\n",
            to: "maps/results.jsonl")
        #expect(try figure(["-o", "f.svg"], in: scratch).status == 0)
    }
}
