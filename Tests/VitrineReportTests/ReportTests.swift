import Foundation
import Testing
import VitrineImage
import VitrineStore
import VitrineStudy

@testable import VitrineReport

@Suite("Report")
struct ReportTests {
    private func write(_ planted: PlantedStudy, _ store: Store, to name: String, workers: Int = 1) throws -> [String: Data] {
        var report = Report()
        report.resamples = 500
        report.workers = workers
        try report.write(store, pictures: StudyPictures(store), to: planted.file(name))
        var files: [String: Data] = [:]
        for case let path as String in try #require(FileManager.default.enumerator(atPath: planted.file(name))) {
            files[path] = FileManager.default.contents(atPath: planted.file(name) + "/" + path)
        }
        return files
    }

    @Test("the same content gives the same bytes, whatever the threads")
    func deterministic() throws {
        let planted = try PlantedStudy()
        let store = try planted.store()
        let first = try write(planted, store, to: "a")
        let second = try write(planted, store, to: "b", workers: 3)
        #expect(first.keys.sorted() == second.keys.sorted())
        for (name, data) in first { #expect(second[name] == data, "\(name)") }
        for name in [
            "report.html", "scores.csv", "scores.jsonl", "verdict.csv", "summary.csv", "comparisons.csv", "tables.tex", "timings.csv",
        ] {
            #expect(first[name] != nil, "\(name)")
        }
    }

    @Test("names of files, patients, data sets and failures are text, not markup")
    func hostileNames() throws {
        let planted = try PlantedStudy()
        let files = try write(planted, planted.store(), to: "a")
        let html = String(decoding: try #require(files["report.html"]), as: UTF8.self)
        #expect(!html.contains("<script>alert"))
        #expect(!html.contains("<img src=x"))
        #expect(!html.contains("m</td></th>"))
        #expect(html.contains("m&lt;/td&gt;"))
        #expect(html.contains("failed: &lt;img src=x onerror=alert(1)&gt;"))
        // A mark that turns the direction of text would reorder what stands beside a name.
        #expect(html.contains("a\u{FFFD}b"))
        #expect(!html.contains("\u{1}") && !html.contains("\u{202E}"))
        // Two scripts of our own: the data and the program.
        #expect(html.components(separatedBy: "<script").count == 3)
        #expect(!html.contains("http://") && !html.contains("src=\"//"))
    }

    @Test("scores.csv and scores.jsonl hold every score, and a spreadsheet runs none of it")
    func scores() throws {
        let planted = try PlantedStudy()
        let files = try write(planted, planted.store(), to: "a")
        let csv = String(decoding: try #require(files["scores.csv"]), as: UTF8.self).split(separator: "\n")
        let rows = 24 * 2 * 4
        #expect(csv.count == 1 + rows)
        #expect(csv[0] == Substring(ScoresTable.columns.joined(separator: ",")))
        #expect(csv.dropFirst().allSatisfy { $0.hasPrefix("'=d&<i>,") })
        let lines = String(decoding: try #require(files["scores.jsonl"]), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == rows)
        var sum = 0.0
        for line in lines {
            let row = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(Set(row.keys) == Set(ScoresTable.columns))
            if row["method"] as? String == "good", row["protocol"] as? String == "study" { sum += try #require(row["value"] as? Double) }
        }
        let planned = (0..<24).reduce(0) { $0 + PlantedStudy.value(method: 0, image: $1) }
        #expect(abs(sum - planned) < 1e-9)
    }

    @Test("LaTeX has no character of its own in a name, and none that it lacks")
    func latex() {
        #expect(LaTeXTables.escaped("[*]\u{202E}β é\n") == "{[}{*}]{[}U+202E]{[}U+3B2] é ")
        #expect(LaTeXTables.escaped("a_b%c&d#{$}\\~^") == "a\\_b\\%c\\&d\\#\\{\\$\\}\\textbackslash{}\\textasciitilde{}\\textasciicircum{}")
    }

    @Test("the page's parts stand in the order of its table of contents, each once")
    func sections() throws {
        let planted = try PlantedStudy()
        let html = String(decoding: try #require(try write(planted, planted.store(), to: "a")["report.html"]), as: UTF8.self)
        var rest = Substring(html)
        for id in [
            "verdict", "answer", "tables", "pictures", "gallery", "changes", "ranks", "size", "masks", "predictions", "flips", "agreement",
            "comparisons",
            "failures", "limits", "provenance",
        ] {
            #expect(html.components(separatedBy: "href=\"#\(id)\"").count == (id == "verdict" ? 3 : 2), "\(id)")
            let found = try #require(rest.range(of: "<section id=\"\(id)\""), "\(id)")
            rest = rest[found.upperBound...]
        }
    }

    @Test("file names of figures stay inside their folder")
    func fileNames() {
        #expect(Report.fileName("../a/b.png") == "_._a_b.png")
        #expect(Report.fileName("") == "_")
        #expect(Report.fileName("iou@5") == "iou_5")
    }

    @Test(
        "numbers are rounded once and without surprises",
        arguments: [
            (0.0, "0.000"), (-0.0001, "0.000"), (0.9996, "1.000"), (-0.5, "-0.500"),
        ])
    func scoreFormat(value: Double, text: String) { #expect(Format.score(value) == text) }

    @Test("tiny lesions do not become 0 %")
    func percent() {
        #expect(Format.percent(0.0004) == "0.040 %")
        #expect(Format.percent(0.43) == "43 %")
        #expect(Format.percent(0) == "0 %")
    }

    @Test("axis ticks are round and inside the axis")
    func ticks() {
        #expect(Axis.ticks(0, 1) == [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1])
        #expect(Axis.ticks(0, 0.07).map(Axis.label) == ["0", "0.01", "0.02", "0.03", "0.04", "0.05", "0.06", "0.07"])
        #expect(Axis.ticks(1, 1) == [1])
    }

    @Test(
        "an axis of lesion sizes has three ticks at least, whatever its range",
        arguments: [(0.02, 0.045), (0.0004, 0.6), (0.021, 0.029), (0.01, 0.02)])
    func sizeTicks(low: Double, high: Double) {
        let ticks = Axis.logarithmicTicks(low, high)
        #expect(ticks.count >= 2 && ticks == ticks.sorted() && ticks.allSatisfy { $0 >= low && $0 <= high }, "\(ticks)")
    }

    @Test("protocols that give the same numbers share a table; the rest is folded")
    func tables() throws {
        let planted = try PlantedStudy()
        let html = String(decoding: try #require(try write(planted, planted.store(), to: "a")["report.html"]), as: UTF8.self)
        // The empty mask sets the protocols apart: two tables, one of them folded.
        #expect(html.contains("<caption>=d&amp;&lt;i&gt;, iou@20 (corrected)</caption>"))
        #expect(html.contains("<summary>Other metrics and protocols: iou@20 (study)</summary>"))
        #expect(html.contains("not shown to be above chance"))
        #expect(html.range(of: "class=\"short\"")!.lowerBound < html.range(of: "id=\"tables\"")!.lowerBound)
    }

    @Test("a drawing has the same dot as SVG and as pixels")
    func drawing() {
        var drawing = Drawing(width: 20, height: 10, description: "a < b")
        drawing.dot(5, 5, radius: 2, .color(Color(1, 2, 3)))
        let svg = drawing.svg(isStandalone: true)
        #expect(svg.contains("<circle cx=\"5\" cy=\"5\" r=\"2\" fill=\"#010203\"/>"))
        #expect(svg.contains("aria-label=\"a &lt; b\""))
        let image = drawing.image()
        let at = 3 * (10 * image.width + 10)
        #expect(Array(image.pixels[at..<at + 3]) == [1, 2, 3])
        #expect((image.width, image.height) == (40, 20))
    }
}
