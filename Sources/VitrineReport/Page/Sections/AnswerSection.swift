import Foundation
import VitrineImage

/// The answer in one line, what was asked, pictures, and the sentences that make the line exact.
struct AnswerSection: PageSection {
    let study: StudyAnalysis
    let answer: Answer
    let overview: Overview
    let id = "answer"
    let title = "Answer"

    /// Data sets whose pictures stand here; the others follow under "Pictures".
    private static let mostRows = 3

    func write(_ html: inout HTML) throws {
        html.element("div", ["class": "answer"]) { html in
            html.element("p", ["class": "short"], answer.short)
            html.element("p", answer.question)
        }
        let progress = study.progress
        if !progress.isComplete || progress.failed > 0 {
            html.element(
                "p", ["class": "no"],
                "This study is not whole: \(progress.done) of \(progress.total) units are done, \(progress.failed) failed.")
        }
        for row in overview.rows.prefix(Self.mostRows) { try pictures(row, &html) }
        for sentence in answer.sentences { html.element("p", sentence) }
        html.element("details") { html in
            html.element("summary", "What the names of the maps mean")
            html.element("ul") { html in
                for method in study.methods {
                    html.element("li") { html in
                        html.element("strong", method.name)
                        html.text(": \(method.summary)\(method.isControl ? " (control: knows nothing of the model)" : "")")
                    }
                }
            }
        }
    }

    /// The image, the method that scores best, and plain Grad-CAM; the experts' outline drawn, the score of this image under each.
    private func pictures(_ row: Overview.Row, _ html: inout HTML) throws {
        let best = best(row)
        let gradcam = study.explainers.firstIndex { $0.identifier == "gradcam" }
        let shown = [best, gradcam].compactMap { $0 }.reduce(into: [Int]()) { if !$0.contains($1) { $0.append($1) } }
        let metrics = study.datasets.first { $0.dataset.name == row.dataset }?.metrics ?? []
        let outline = metrics.contains(where: \.metric.isLocalisation) ? "; white: what experts outlined" : ""
        let image = row.kind == "random" ? "an image drawn at random" : "the image that scores \(row.kind)"
        try html.element("div", ["class": "maps showcase"]) { html in
            try tile(row, 0, "\(row.dataset): \(image)\(outline)", &html)
            for method in shown {
                let score = row.scores[method]
                var words = overview.methods[method] + (method == best ? ", the best under \(row.model)" : "")
                if let value = score.value { words += ": \(study.primary.name) \(Format.score(value)) here" }
                if let chance = score.chance { words += ", chance \(Format.score(chance))" }
                try tile(row, method + 1, words, &html)
            }
        }
    }

    private func tile(_ row: Overview.Row, _ index: Int, _ caption: String, _ html: inout HTML) throws {
        guard let picture = row.pictures[index] else { return }
        let source = "data:image/png;base64,\(Data(try picture.image.pngData()).base64EncodedString())"
        html.element("figure") { html in
            html.void("img", ["src": source, "alt": caption, "width": "224", "height": "224"])
            html.element("figcaption", caption)
        }
    }

    /// By the mean of the primary metric under the model of the pictures.
    private func best(_ row: Overview.Row) -> Int? {
        let metric = study.datasets.first { $0.dataset.name == row.dataset }?.metric(study.primary.name, study.primary.protocolName)
        guard let sign = study.primary.better.sign else { return nil }
        let values = study.explainers.map { method in metric?.cell(model: row.modelID, method: method.id).map { sign * $0.value } }
        return values.indices.filter { values[$0] != nil && row.pictures[$0 + 1] != nil }.max { values[$0]! < values[$1]! }
    }
}
