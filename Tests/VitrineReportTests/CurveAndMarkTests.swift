import Foundation
import Testing

@testable import VitrineReport
@testable import VitrineStore
@testable import VitrineStudy

@Suite("Curves and marks")
struct CurveAndMarkTests {
    private func analysis() throws -> (StudyAnalysis, Store, PlantedStudy) {
        let folder = try PlantedStudy()
        let store = try PlantedVerdict.store(folder.file("verdict.sqlite"))
        return (try StudyAnalysis(store, resamples: 200), store, folder)
    }

    @Test("a metric's curves are means over images, and random orders stand beside them with their interval")
    func curves() throws {
        let study = try analysis().0
        let curves = study.datasets[0].curves
        #expect(curves.map(\.modelID) == [1, 2] && Set(curves.map(\.metricID)) == [2])
        let one = try #require(curves.first)
        // Every method with a value, no control: the constant map has none.
        #expect(one.lines.map(\.methodID) == [0, 2, 3, 4, 5])
        let images = 0..<PlantedVerdict.images
        let expected = images.reduce(0.0) { $0 + Double(Float(PlantedVerdict.value(.fails, 2, $1) ?? .nan)) } / Double(images.count)
        let fails = try #require(one.lines.first { $0.methodID == 2 })
        #expect(fails.images == images.count && fails.values[0] == 0 && fails.values[2] == 1)
        #expect(abs(fails.values[1] - expected) < 1e-6)
        let random = images.reduce(0.0) { $0 + Double(PlantedVerdict.randomCurve($1)[1]) } / Double(images.count)
        #expect(abs(one.random[1] - random) < 1e-6)
        #expect(one.intervals[1].lower < random && random < one.intervals[1].upper)
        // Where one image alone says something else the interval stays among probabilities; at the end all say the same.
        #expect(one.intervals[0].lower >= 0 && one.intervals[0].upper < 0.2 && one.random[0] > 0)
        #expect(one.intervals[2].method == .constant && one.intervals[2].lower == 1)
        #expect(CurvesSection.drawings(study).map(\.name) == ["data-curve-insertion-sup-seed1", "data-curve-insertion-sup-seed2"])
    }

    @Test("only curves over equal shares of the patches are drawn as such")
    func axes() throws {
        // The same curves under the name of a metric whose points are 1, 5, 10, 20 and 50 %.
        let (study, store, folder) = try analysis()
        let context = try DatasetContext(
            study.datasets[0].dataset, store: store, methods: study.methods, seed: 1, resamples: 200, workers: 1)
        func drawn(_ name: String) throws -> Bool {
            let metric = MetricRecord(id: 2, name: name, protocolName: "corrected", summary: "s", citation: "c")
            return try CurveAnalysis(metric, model: study.datasets[0].models[1], store: store, context: context) != nil
        }
        #expect(try drawn("insertion:steps=2") && !drawn("sufficiency") && !drawn("insertion-rank"))
        withExtendedLifetime(folder) {}
    }

    @Test("a metric that does not beat chance on planted truth is marked in cards, tables and the terminal; others are not")
    func marks() throws {
        let truth = PlantedTruth(
            provenance: "a run of the test",
            metrics: [
                .init(name: "deletion:steps=5", correlation: 0.1, lower: -0.2, upper: 0.4, tasks: 3),
                .init(name: "insertion", correlation: 0.6, lower: 0.3, upper: 0.8, tasks: 3),
                .init(name: "quantisation-stability:draws=3", correlation: nil, lower: nil, upper: nil, tasks: 0),
            ])
        // Under the same options, else under others; what was not compared has no mark.
        #expect(truth.remark("deletion:steps=10") == "does not beat chance on planted truth (rank correlation 0.10; -0.20 to 0.40)")
        #expect(truth.remark("insertion") == nil && truth.remark("insertion-rank") == nil && truth.remark("average-precision") == nil)
        #expect(truth.remark("quantisation-stability") == "could not be compared with planted truth")

        let (_, store, folder) = try analysis()
        try truth.write(to: folder.folder)
        #expect(try PlantedTruth(folder: folder.folder) == truth)
        #expect(throws: ReportError.noTrust(path: "nowhere/metrics.json")) { try PlantedTruth(folder: "nowhere") }
        var report = Report()
        report.resamples = 200
        report.plantedTruth = truth
        let cards = try report.write(store, pictures: StudyPictures(store), to: folder.file("marked")).cards.joined(separator: "\n")
        let html = String(decoding: try #require(FileManager.default.contents(atPath: folder.file("marked/report.html"))), as: UTF8.self)
        for text in [cards, html] {
            #expect(text.contains("† does not beat chance on planted truth (rank correlation 0.10; -0.20 to 0.40)"))
            #expect(text.contains("by a run of the test."))
        }
        #expect(html.contains("deletion:steps=10 (corrected) †") && !html.contains("insertion (corrected) †"))
        report.plantedTruth = PlantedTruth(provenance: "", metrics: [])
        let plain = try report.write(store, pictures: StudyPictures(store), to: folder.file("plain")).cards.joined(separator: "\n")
        #expect(!plain.contains("†"))
    }

    /// Rollout, the worst by deletion, stood first and was called the best.
    @Test("where lower is better, the figure of intervals begins with the lowest score")
    func bestIsLowest() throws {
        let study = try analysis().0
        let part = study.datasets[0]
        for metric in part.metrics where metric.metric.better != .none {
            let sign = try #require(metric.metric.better.sign)
            let svg = IntervalFigure(metric: metric, dataset: part, study: study).drawing().svg(isStandalone: true)
            var places: [(score: Double, place: String.Index)] = []
            for cell in metric.cells {
                guard let model = part.model(cell.modelID), let method = study.method(cell.methodID) else { continue }
                let label = model.kind == .none ? "\(method.name) (control)" : "\(method.name), \(model.name)"
                places.append((sign * cell.value, try #require(svg.range(of: ">\(label)<")).lowerBound))
            }
            let best = try #require(places.min { $0.place < $1.place })
            #expect(best.score == places.map(\.score).max(), "\(metric.metric.name)")
        }
        #expect(part.metrics.contains { $0.metric.better == .lower } && part.metrics.contains { $0.metric.better == .higher })
    }

    @Test("the product's own table covers what a trust run asks, on several tasks, with intervals that hold their estimate")
    func table() throws {
        let truth = PlantedTruth.ofTheProduct
        #expect(truth.provenance.contains("trust --phantoms"))
        for name in TrustRun.standardMetrics {
            let metric = try #require(truth.metric(name), "\(name)")
            let (value, lower, upper) = (try #require(metric.correlation), try #require(metric.lower), try #require(metric.upper))
            #expect(metric.tasks >= 3 && -1 <= lower && lower <= value && value <= upper && upper <= 1, "\(name)")
        }
        #expect(truth.remark("deletion") == nil, "an order of the pixels that the network needs is one of the pixels that it uses")
    }

    @Test("the page of tables escapes what it is given and fetches nothing")
    func page() {
        let table = TablePage.Table("a < b", [.init("name"), .init("", isWords: true)], rows: [["<b>x</b>", "1"]], notes: ["n & m"])
        let html = TablePage("t", facts: "f", sections: [.init("s", ["p"], tables: [table])]).html
        #expect(html.contains("&lt;b&gt;x&lt;/b&gt;") && html.contains("n &amp; m") && !html.contains("<b>"))
        #expect(html.contains("default-src 'none'") || html.contains("default-src &#39;none&#39;"))
        #expect(!html.contains("<script") && !html.contains("http://"))
    }
}
