import Foundation
import VitrineData
import VitrineImage
import VitrineModel
import VitrineTensor

/// What is written at the end of a run: `report.md`, `epochs.csv`, `predictions.csv`, `curves.svg` and `curves.png`.
struct TrainingReport {
    let recipe: Recipe
    let set: TrainingSet
    let configuration: ViTConfiguration
    /// Where the weights come from, line by line.
    let initialisation: [String]
    let result: TrainingResult

    func write(folder: String, predictions: [(split: Split, predictions: Predictions)]) throws {
        func text(_ text: String, _ name: String) throws { try AtomicFile.write(Array(text.utf8), to: folder + "/" + name) }
        let curves = TrainingCurves(records: result.records, bestEpoch: result.bestEpoch).drawing()
        try text(markdown, "report.md")
        try text(epochTable, "epochs.csv")
        try text(Self.predictionTable(predictions, classNames: set.classNames), "predictions.csv")
        try text(curves.svg(isStandalone: true), "curves.svg")
        try AtomicFile.write(try curves.image().pngData(), to: folder + "/curves.png")
    }

    var markdown: String {
        var lines = [
            "# Training report", "", "Recipe `\(recipe.name)`, kept epoch \(result.bestEpoch ?? 0) of \(result.records.count).", "",
        ]
        let c = configuration
        lines += [
            "Model: \(c.depth) blocks of width \(c.width), \(c.heads) heads, patch \(c.patchSize), \(c.positionGrid) patches, "
                + "\(c.classes) classes, pooling \(c.pooling.rawValue).",
            "Positive class: \(set.classNames[set.positiveLabel]).", "",
        ]
        if !initialisation.isEmpty { lines += ["Initialisation:", ""] + initialisation.map { "- " + $0 } + [""] }
        lines += [
            "| split | images | patients | " + set.classNames.map(Self.cell).joined(separator: " | ") + " |",
            "|---|---|---|" + set.classNames.map { _ in "---|" }.joined(),
        ]
        for (name, samples) in set.sides {
            let counts = set.classNames.indices.map { c in "\(samples.count { $0.label == c })" }
            let patients = TrainingSet.patients(samples).map(String.init) ?? "not known"
            lines.append("| \(name) | \(samples.count) | \(patients) | " + counts.joined(separator: " | ") + " |")
        }
        if !result.metrics.isEmpty {
            lines += [
                "", "## The kept model", "",
                "| split | loss | accuracy | balanced accuracy | AUROC | sensitivity | specificity |", "|---|---|---|---|---|---|---|",
            ]
            for (name, m) in result.metrics.sorted(by: { $0.key > $1.key }) {
                let values = [m.loss, m.accuracy, m.balancedAccuracy, m.auroc, m.sensitivity, m.specificity]
                lines.append("| \(name) | " + values.map(Self.number).joined(separator: " | ") + " |")
            }
        }
        if !result.testIntervals.isEmpty {
            lines += [
                "", "Test split with 95 % intervals, patients resampled:", "", "| metric | value | interval |", "|---|---|---|",
            ]
            for i in result.testIntervals {
                lines.append("| \(i.name) | \(Self.number(i.value)) | \(i.words(Self.number)) |")
            }
        }
        for (name, m) in result.metrics.sorted(by: { $0.key > $1.key }) {
            lines += [
                "", "Confusion matrix of the \(name) split (rows: true class, columns: predicted):", "",
                "| | " + set.classNames.map(Self.cell).joined(separator: " | ") + " |",
                "|---|" + set.classNames.map { _ in "---|" }.joined(),
            ]
            if let only = m.onlyPrediction {
                lines.insert("Every image is taken for \(Self.cell(set.classNames[only])).", at: lines.count - 3)
            }
            for (name, row) in zip(set.classNames, m.confusion) {
                lines.append("| \(Self.cell(name)) | " + row.map(String.init).joined(separator: " | ") + " |")
            }
        }
        lines += ["", "![training curves](curves.svg)", "", "## Recipe", "", "| field | value |", "|---|---|"]
        lines += RecipeField.all.map { "| \($0.name) | \(Self.cell($0.get(recipe))) |" }
        if !set.unreadable.isEmpty {
            lines += ["", "## Images left out because they cannot be read", ""] + set.unreadable.map { "- " + $0 }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var epochTable: String {
        let header =
            "epoch,steps,learning rate,training loss,training accuracy,validation loss,validation accuracy,balanced accuracy,AUROC,"
            + "sensitivity,specificity,best,seconds,images per second"
        return
            ([header]
            + result.records.map { r in
                let v = r.validation
                let validation = [v?.loss, v?.accuracy, v?.balancedAccuracy, v?.auroc, v?.sensitivity, v?.specificity]
                return
                    (["\(r.epoch)", "\(r.steps)", "\(r.learningRate)", "\(r.trainingLoss)", "\(r.trainingAccuracy)"]
                    + validation.map { $0.map { "\($0)" } ?? "" } + ["\(r.isBest)", "\(r.seconds)", "\(r.imagesPerSecond)"])
                    .joined(separator: ",")
            }).joined(separator: "\n") + "\n"
    }

    static func predictionTable(_ all: [(split: Split, predictions: Predictions)], classNames: [String]) -> String {
        var lines = [
            (["image", "split", "patient", "label", "predicted"] + classNames.map { "probability of \($0)" }).map(CSV.field).joined(
                separator: ",")
        ]
        for (split, predictions) in all {
            for (sample, p) in zip(predictions.samples, predictions.probabilities) {
                let texts = [sample.id, split.rawValue, sample.patient ?? "", classNames[sample.label!], classNames[predictedClass(p)]]
                lines.append((texts.map(CSV.field) + p.map { "\($0)" }).joined(separator: ","))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|").replacing("\n", with: " ") }

    private static func number(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "-" }
}
