import VitrineEvaluate
import VitrineStore

/// The words of a verdict's numbers, and the cards as lines for a terminal.
struct VerdictText {
    let study: StudyAnalysis

    /// A method with its verdicts for every model and data set.
    struct Card {
        var name: String
        var methodID: Int
        var verdicts: [MethodVerdict]
        var sentence: String { VerdictSentence(verdicts: verdicts).text }
    }

    /// In the order of the study.
    var cards: [Card] {
        study.explainers.map { method in
            Card(name: method.name, methodID: method.id, verdicts: study.verdicts.filter { $0.methodID == method.id })
        }
    }

    /// `dino on kvasir`, or what of both is not obvious.
    func place(_ verdict: MethodVerdict) -> String {
        let dataset = study.datasets.first { $0.dataset.id == verdict.datasetID }
        return "\(dataset?.model(verdict.modelID)?.name ?? "") on \(dataset?.dataset.name ?? "")"
    }

    /// `deletion 0.41 (0.33 to 0.47; random order 0.52)`.
    static func numbers(_ measure: Verdict.Measure) -> String {
        let bars = measure.bars.map { "\($0.name) \(Format.score($0.value))" }
        var text =
            "\(measure.metric) \(Format.score(measure.value)) (\(([Format.interval(measure.interval)] + bars).joined(separator: "; ")))"
        if measure.undefined > 0 { text += ", undefined on \(measure.undefined) of \(measure.images + measure.undefined) images" }
        return text
    }

    /// The numbers of a verdict, its p-value, and what else is to be said.
    func details(_ verdict: Verdict) -> String {
        var parts = verdict.measures.map { measure in
            let metric = measure.metric.split(separator: " ").first.map(String.init) ?? measure.metric
            return Self.numbers(measure) + (study.plantedTruth.remark(metric).map { " \(PlantedTruth.mark) \($0)" } ?? "")
        }
        if let p = verdict.adjusted { parts.append("p \(Format.equals(p))") }
        if let note = verdict.note { parts.append(note) }
        return parts.joined(separator: "; ")
    }

    /// `2 forward, 1 backward pass`.
    static func cost(_ passes: NetworkPasses) -> String {
        func number(_ value: Double) -> String { Format.fixed(value, value == value.rounded() || value >= 10 ? 0 : 1) }
        var text = "\(number(passes.forward)) forward \(passes.forward == 1 ? "pass" : "passes")"
        if passes.backward > 0 { text += " and \(number(passes.backward)) backward" }
        return text + " of the network per image"
    }

    /// How far the families of metrics agree under one model.
    func agreement(_ found: FamilyAgreement) -> String {
        let names = zip(found.families, found.measurements).map { "\($0.rawValue) (\($1))" }
        guard let w = found.concordance else { return "\(Format.list(names)) tie all methods in every patient." }
        var text =
            "\(Format.list(names)) order the methods within a patient with a Kendall's W of \(Format.score(w.value)) "
            + "(95 % interval \(Format.interval(w.interval)); 1 is complete agreement, orders at random have \(Format.score(w.chance)))"
        if w.overall.isFinite { text += "; of the means over patients it is \(Format.score(w.overall))" }
        return text + "."
    }

    /// Whether localisation and faithfulness disagree; nil where one was not measured.
    func conflict(_ found: FamilyAgreement) -> String? {
        guard let tau = found.tau else { return nil }
        let count = found.conflicts.count
        guard let clearest = found.conflicts.first else {
            return "Localisation and faithfulness put the methods in the same order"
                + (tau.isFinite ? " (Kendall's tau \(Format.fixed(tau, 2)))." : ".")
        }
        let (first, second) = (study.method(clearest.first)?.name ?? "", study.method(clearest.second)?.name ?? "")
        let told = found.conflicts.count { $0.adjusted < StudyAnalysis.alpha }
        var text =
            "Localisation and faithfulness disagree in the order of \(count) of \(Format.count(found.pairs, "pair")) of methods"
            + (tau.isFinite ? " (Kendall's tau \(Format.fixed(tau, 2)))" : "")
        text += told == 0 ? ", on none of them beyond chance" : ", on \(told) of them beyond chance"
        text +=
            ". Most clearly, \(first) lies above \(second) by localisation (difference \(Format.score(clearest.localisation)), "
            + "\(Format.interval(clearest.localisationInterval))) and below it by faithfulness (\(Format.score(clearest.faithfulness)), "
            + "\(Format.interval(clearest.faithfulnessInterval)); p \(Format.equals(clearest.adjusted)) for both)"
        return text + "."
    }

    /// The cards for a terminal.
    func lines(passes: (MethodVerdict) -> NetworkPasses?) -> [String] {
        var lines: [String] = []
        let width = VerdictQuestion.allCases.map(\.title.count).max() ?? 0
        for card in cards {
            lines += ["", card.name, "  " + card.sentence]
            for verdict in card.verdicts {
                if card.verdicts.count > 1 { lines.append("  \(place(verdict))") }
                for question in VerdictQuestion.allCases {
                    let one = verdict[question]
                    let head = question.title + String(repeating: " ", count: width - question.title.count)
                    lines.append("  \(head)  \(one.outcome.rawValue): \(details(one))")
                }
                if let passes = passes(verdict) {
                    lines.append("  cost" + String(repeating: " ", count: width - 4) + "  " + Self.cost(passes))
                }
            }
        }
        for dataset in study.datasets {
            for found in dataset.families {
                let model = dataset.model(found.modelID)?.name ?? ""
                lines += ["", "\(model) on \(dataset.dataset.name): \(agreement(found))"]
                if let conflict = conflict(found) { lines.append(conflict) }
            }
        }
        if let legend = study.plantedTruth.legend(study.metricNames) { lines += ["", legend] }
        if study.verdictTests > 0 { lines += ["", "p: Holm-adjusted over the \(study.verdictTests) tests of all cards."] }
        return lines
    }
}
