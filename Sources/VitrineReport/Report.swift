import Foundation
import Synchronization
import VitrineImage
import VitrineStore
import VitrineTensor

/// Writes everything a finished study says: the page, the tables, the figures.
///
/// `report.html`, `scores.csv`, `scores.jsonl`, `verdict.csv`, `summary.csv`, `comparisons.csv`, `tables.tex` and `figures/` depend on
/// the content of the results alone and are equal byte for byte for every way of running the study; `timings.csv` holds what is not.
public struct Report: Sendable {
    /// Bootstrap resamples and sign flips.
    public var resamples = 10_000
    public var workers = 1
    /// Of the figures; the study drew jet.
    public var colorMap = ColorMap.viridis
    /// Best, worst and random images of every data set in the gallery; 0 for none.
    public var galleryImages = 3
    /// Also writes every stored map as `maps/<data set>/<model>/<method>/<image>.npy`, at its native resolution.
    public var writesMaps = false
    /// What marks metrics: the product's own table, or that of a trust run.
    public var plantedTruth = PlantedTruth.ofTheProduct

    public init() {}

    /// - Parameter pictures: shows the images behind the store.
    /// - Returns: the answer, for the terminal.
    /// - Throws: `StoreError`, `ReportError`, `FileFailure`.
    @discardableResult
    public func write(_ store: Store, pictures: any StudyPictureSource, to folder: String) throws -> Answer {
        try store.verify()
        let figures = folder + "/figures"
        try FileSystem.makeFolder(figures)
        var analysis = try analysisBesideScores(store, folder)
        analysis.plantedTruth = plantedTruth
        let study = analysis
        var answer = Answer(study)
        let gallery = try Gallery(study, store: store, pictures: pictures, each: galleryImages)
        let overview = try Overview(gallery, store: store, colorMap: colorMap)
        let passes = try Self.passes(study, pictures)
        answer.cards = VerdictText(study: study).lines { passes[$0.modelID]?[$0.methodID] }

        let tables = SummaryTable(study: study)
        try text(tables.summary(), folder + "/summary.csv")
        try text(tables.comparisons(), folder + "/comparisons.csv")
        try text(VerdictTable(study: study).text(), folder + "/verdict.csv")
        try text(LaTeXTables(study: study).text(), folder + "/tables.tex")
        try text(SummaryTable.timings(store), folder + "/timings.csv")
        for (name, drawing) in Self.drawings(study) {
            try text(drawing.svg(isStandalone: true), "\(figures)/\(name).svg")
            try drawing.image().write(png: "\(figures)/\(name).png")
        }
        try overview.image()?.write(png: figures + "/overview.png")
        if writesMaps { try maps(study, store, folder + "/maps") }
        let verdict = VerdictSection(
            study: study, pictures: try ConflictPictures(study, store: store, pictures: pictures, colorMap: colorMap), passes: passes)
        let page = Page(study: study, verdict: verdict, answer: answer, gallery: gallery, overview: overview, colorMap: colorMap)
        try text(page.html(), folder + "/report.html")
        return answer
    }

    /// The analysis; `scores.csv` and `scores.jsonl`, which need nothing of it, are written at the same time.
    private func analysisBesideScores(_ store: Store, _ folder: String) throws -> StudyAnalysis {
        let study = Mutex<StudyAnalysis?>(nil)
        try parallelFor(2, workers: workers) { _, part in
            if part == 0 {
                let analysis = try StudyAnalysis(store, resamples: resamples, workers: workers)
                study.withLock { $0 = analysis }
            } else {
                try ScoresTable(store).write(csv: folder + "/scores.csv", jsonl: folder + "/scores.jsonl")
            }
        }
        return study.withLock { $0! }
    }

    /// What maps cost, by model and method.
    private static func passes(_ study: StudyAnalysis, _ pictures: any StudyPictureSource) throws(StoreError) -> [Int: [Int: NetworkPasses]]
    {
        var result: [Int: [Int: NetworkPasses]] = [:]
        for model in Set(study.verdicts.map(\.modelID)) { result[model] = try pictures.passes(model: model) }
        return result
    }

    private func text(_ text: String, _ path: String) throws { try AtomicFile.write(Array(text.utf8), to: path) }

    /// Every drawing of the page as a file of its own.
    private static func drawings(_ study: StudyAnalysis) -> [(name: String, drawing: Drawing)] {
        var result: [(String, Drawing)] = []
        for dataset in study.datasets {
            let data = fileName(dataset.dataset.name)
            for metric in dataset.metrics where !metric.cells.isEmpty {
                let name = "\(data)-\(fileName(metric.metric.name))-\(metric.metric.protocolName)"
                result.append((name, IntervalFigure(metric: metric, dataset: dataset, study: study).drawing()))
                for ranking in metric.rankings {
                    let model = dataset.model(ranking.modelID)?.name ?? ""
                    let names = ranking.methodIDs.map { study.method($0)?.name ?? "" }
                    result.append(
                        (
                            "\(name)-ranks-\(fileName(model))",
                            CriticalDifferenceFigure(ranking: ranking, names: names, title: "\(dataset.dataset.name), \(model)").drawing()
                        ))
                }
            }
            for model in dataset.columns {
                let title = "\(dataset.dataset.name), \(model.name)"
                let strata = dataset.strata.filter { $0.modelID == model.id }
                if !strata.isEmpty {
                    let names = strata.map { study.method($0.methodID)?.name ?? "" }
                    let figure = SizeFigure(strata: strata, names: names, title: "\(title): \(study.primaryTitle)")
                    result.append(("\(data)-size-\(fileName(model.name))", figure.drawing()))
                }
                if let prediction = dataset.predictions.first(where: { $0.modelID == model.id }) {
                    result.append(
                        ("\(data)-calibration-\(fileName(model.name))", CalibrationFigure(prediction: prediction, title: title).drawing()))
                }
            }
        }
        return result + CurvesSection.drawings(study).map { ($0.name, $0.drawing) }
    }

    private func maps(_ study: StudyAnalysis, _ store: Store, _ folder: String) throws {
        for dataset in study.datasets {
            let samples = try store.samples(dataset: dataset.dataset.id)
            for model in dataset.columns {
                for method in study.explainers {
                    let place = [dataset.dataset.name, model.name, method.name].map(Self.fileName).joined(separator: "/")
                    for sample in samples {
                        guard let map = try store.map(model: model.id, method: method.id, sample: sample.id) else { continue }
                        let path = "\(folder)/\(place)/\(Self.fileName(sample.name)).npy"
                        try FileSystem.makeFolder("\(folder)/\(place)")
                        try NPY.write(map.values, shape: [map.rows, map.columns], to: path)
                    }
                }
            }
        }
    }

    /// A name that is safe in every file system: letters, digits, `.`, `-`, `_`; anything else becomes `_`.
    static func fileName(_ name: String) -> String {
        let safe = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || ".-_".contains($0)) ? $0 : "_" })
        return safe.hasPrefix(".") ? "_" + safe.dropFirst() : safe.isEmpty ? "_" : safe
    }
}
