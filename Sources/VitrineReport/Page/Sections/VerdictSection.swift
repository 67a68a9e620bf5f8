import Foundation
import VitrineImage
import VitrineStore

/// A card per method: what is shown of it, in a sentence and question by question; then whether the families of metrics agree.
struct VerdictSection: PageSection {
    let study: StudyAnalysis
    let pictures: ConflictPictures
    /// By model, then by method.
    let passes: [Int: [Int: NetworkPasses]]
    let id = "verdict"
    let title = "Verdict: which maps deserve trust"

    private var text: VerdictText { VerdictText(study: study) }

    func write(_ html: inout HTML) throws {
        let cards = text.cards.filter { !$0.verdicts.isEmpty }
        guard !cards.isEmpty else {
            html.element("p", "No trained model was explained, so that there is no method to judge.")
            return
        }
        html.element("div", ["class": "cards"]) { html in
            for (i, card) in cards.enumerated() { write(card, i, &html) }
        }
        html.note(
            "Each answer is one of: shown, not shown, shown to fail (at a family-wise error of 5 %, Holm's adjustment over the \(study.verdictTests) tests of all cards), not measured. Not shown is no evidence of the contrary. Brackets: 95 % interval over patients, and what the value is compared with. No answer makes up for another: there is no total."
        )
        if let legend = study.plantedTruth.legend(study.metricNames) { html.note(legend) }
        html.element("details") { html in
            html.element("summary", "What the answers mean")
            html.element("ul") { html in
                for question in VerdictQuestion.allCases {
                    html.element("li") { html in
                        html.element("strong", question.title)
                        html.text(": \(question.bar)")
                    }
                }
            }
        }
        try agreement(&html)
    }

    // MARK: Cards

    private func write(_ card: VerdictText.Card, _ index: Int, _ html: inout HTML) {
        html.element("div", ["class": "card", "role": "group", "aria-labelledby": "card-\(index)"]) { html in
            html.element("h3", ["id": "card-\(index)"], card.name)
            html.element("p", ["class": "says"], card.sentence)
            if card.verdicts.count == 1, let only = card.verdicts.first { return answers(only, &html) }
            counts(card, &html)
            for verdict in card.verdicts {
                html.element("details") { html in
                    html.element("summary", text.place(verdict))
                    answers(verdict, &html)
                }
            }
        }
    }

    private func answers(_ verdict: MethodVerdict, _ html: inout HTML) {
        html.element("ul", ["class": "answers"]) { html in
            for question in VerdictQuestion.allCases {
                let one = verdict[question]
                html.element("li") { html in
                    html.element("span", question.title + ": ")
                    mark(one.outcome, one.outcome.rawValue, &html)
                    // A p-value is not torn apart at the end of a line.
                    html.small(text.details(one).replacing("p = ", with: "p\u{A0}=\u{A0}").replacing("p < ", with: "p\u{A0}<\u{A0}"))
                }
            }
            if let passes = passes[verdict.modelID]?[verdict.methodID] {
                html.element("li") { html in
                    html.text("cost: ")
                    html.small(VerdictText.cost(passes))
                }
            }
        }
    }

    /// How often each answer came out.
    private func counts(_ card: VerdictText.Card, _ html: inout HTML) {
        html.element("ul", ["class": "answers"]) { html in
            for question in VerdictQuestion.allCases {
                let outcomes = card.verdicts.map { $0[question].outcome }
                html.element("li") { html in
                    html.element("span", question.title + ": ")
                    let known = Verdict.Outcome.allCases.filter { outcomes.contains($0) }
                    for (i, outcome) in known.enumerated() {
                        if i > 0 { html.text(", ") }
                        let count = outcomes.count { $0 == outcome }
                        mark(outcome, known.count > 1 ? "\(outcome.rawValue) (\(count) of \(outcomes.count))" : outcome.rawValue, &html)
                    }
                }
            }
        }
    }

    private func mark(_ outcome: Verdict.Outcome, _ words: String, _ html: inout HTML) {
        let (sign, style) =
            switch outcome {
            case .shown: ("✓", "yes")
            case .shownToFail: ("✗", "fails")
            case .notShown: ("○", "open")
            case .notMeasured: ("–", "open")
            }
        html.element("strong", ["class": style]) { html in
            html.element("span", ["aria-hidden": "true"], sign)
            html.text(" " + words)
        }
    }

    // MARK: Families

    private func agreement(_ html: inout HTML) throws {
        html.element("h3", "Do the families of metrics agree?")
        let found = study.datasets.flatMap { dataset in dataset.families.map { (dataset, $0) } }
        guard !found.isEmpty else {
            return html.element(
                "p",
                "Not measured: it takes two methods and metrics of two families, such as average-precision, deletion and insertion, parameter-randomisation, quantisation-stability."
            )
        }
        for (dataset, agreement) in found {
            html.element("p") { html in
                html.element("strong", "\(dataset.model(agreement.modelID)?.name ?? "") on \(dataset.dataset.name): ")
                html.text(text.agreement(agreement))
                if let conflict = text.conflict(agreement) { html.text(" " + conflict) }
            }
        }
        if found.contains(where: { $0.1.families.contains(.complexity) }) {
            html.note("Complexity ranks concentrated maps first, which is no merit by itself.")
        }
        for part in pictures.parts { try write(part, &html) }
    }

    private func write(_ part: ConflictPictures.Part, _ html: inout HTML) throws {
        let dataset = study.datasets.first { $0.dataset.id == part.agreement.datasetID }
        let names = [part.conflict.first, part.conflict.second].map { study.method($0)?.name ?? "" }
        let place = "\(dataset?.model(part.agreement.modelID)?.name ?? "") on \(dataset?.dataset.name ?? "")"
        for absence in part.absences { html.element("p", ["class": "no"], absence) }
        guard !part.rows.isEmpty else { return }
        html.element("h4", "\(place): images on which localisation prefers \(names[0]) and faithfulness \(names[1])")
        for row in part.rows {
            try html.element("div", ["class": "maps showcase"]) { html in
                try tile(row.image, "\(row.sample); white: what experts outlined", &html)
                for (i, image) in [row.first, row.second].enumerated() {
                    let score = row.scores[i]
                    try tile(
                        image,
                        "\(names[i]): localisation \(Format.score(score.localisation)), insertion minus deletion \(Format.score(score.faithfulness))",
                        &html)
                }
            }
        }
    }

    private func tile(_ image: Image, _ caption: String, _ html: inout HTML) throws {
        let source = "data:image/png;base64,\(Data(try image.pngData()).base64EncodedString())"
        html.element("figure") { html in
            html.void("img", ["src": source, "alt": caption, "width": "\(image.width)", "height": "\(image.height)"])
            html.element("figcaption", caption)
        }
    }
}
