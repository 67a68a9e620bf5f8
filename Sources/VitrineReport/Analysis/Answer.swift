import VitrineEvaluate
import VitrineStore

/// What a study asked and found, in sentences whose every number stands in a table of the report.
public struct Answer: Sendable, Equatable {
    /// Yes, no, or cannot be told, in one line.
    public var short: String
    public var question: String
    /// Three sentences: which maps localise, how well the best does it, and what not to trust.
    public var sentences: [String]
    /// The cards of the verdict as lines for a terminal; empty before a report was written.
    public var cards: [String] = []

    public init(_ study: StudyAnalysis) {
        short = Self.short(study)
        question = Self.question(study)
        sentences = [Self.whatLocalises(study), Self.theBest(study), Self.whatNotToTrust(study)]
    }

    /// A cell of the primary metric with its names.
    fileprivate struct Entry {
        var cell: Cell
        var dataset: DatasetAnalysis
        var model: ModelRecord
        var method: MethodRecord

        var place: [Int] { [dataset.dataset.id, model.id] }

        /// `chefer under dino on kvasir`.
        var name: String { "\(method.name) under \(model.name) on \(dataset.dataset.name)" }
    }

    /// The cells that a question is asked about: methods, not controls, under trained models.
    private static func entries(_ study: StudyAnalysis) -> [Entry] {
        study.datasets.flatMap { dataset -> [Entry] in
            guard let analysis = dataset.metric(study.primary.name, study.primary.protocolName) else { return [] }
            return analysis.cells.compactMap { cell in
                guard let model = dataset.model(cell.modelID), let method = study.method(cell.methodID), !method.isControl,
                    model.kind == .checkpoint || model.kind == .trained
                else { return nil }
                return Entry(cell: cell, dataset: dataset, model: model, method: method)
            }
        }
    }

    private static func question(_ study: StudyAnalysis) -> String {
        let methods = study.explainers.map(\.name)
        let data = study.datasets.map { dataset in
            "\(dataset.dataset.name) (\(Format.count(dataset.scored, "image"))"
                + (dataset.patients.map { " of \(Format.count($0, "patient"))" } ?? ", patients unknown") + ")"
        }
        guard !methods.isEmpty else {
            return "What do maps that know nothing of the image score on \(Format.list(data))?"
        }
        guard study.primary.isLocalisation else {
            return "Are the maps of \(Format.list(methods)) better than random ones by \(study.primary.name) on \(Format.list(data))?"
        }
        return "Do the maps of \(Format.list(methods)) show where experts see the lesion on \(Format.list(data))?"
    }

    private static func short(_ study: StudyAnalysis) -> String {
        let entries = entries(study)
        guard !entries.isEmpty else {
            return study.explainers.isEmpty
                ? "No model was asked: these are the levels that a map has to beat."
                : "Cannot be told: no map of a model has a score, since its mask is empty or it could not be made."
        }
        let hasCentre = study.methods.contains { $0.identifier == "centre" }
        let asked = study.datasets.filter { dataset in entries.contains { $0.dataset.dataset.id == dataset.dataset.id } }
        let weak = asked.compactMap { dataset -> String? in
            guard let power = power(study, dataset), !power.canTell else { return nil }
            let place = asked.count > 1 ? " on \(dataset.dataset.name)" : ""
            return "\(Format.count(power.units, dataset.patients == nil ? "image" : "patient"))\(place); at least \(power.needed) needed"
        }
        let winners = entries.filter { $0.cell.verdict == (hasCentre ? .localises : .noCentre) }
        let unanswered = weak.isEmpty ? "" : "not answerable with \(weak.joined(separator: ", nor with "))"
        if winners.isEmpty && weak.count == asked.count { return "Cannot be told: \(unanswered)." }
        if entries.allSatisfy({ $0.cell.verdict == .untested }) {
            return "Cannot be told: there is one patient only, or the metric has no level of chance here."
        }
        let rivals = hasCentre ? "both chance and a blob at the centre" : "chance"
        let rest = unanswered.isEmpty ? "." : "; \(unanswered)."
        if winners.isEmpty {
            return "No: none of \(Format.count(entries.count, "set of maps", plural: "sets of maps")) is shown to beat \(rivals)\(rest)"
        }
        let names = asked.count == 1 && Set(entries.map(\.model.id)).count == 1 ? winners.map(\.method.name) : winners.map(\.name)
        let whose = winners.count <= 4 ? ": \(Format.list(names))" : ""
        let amount = winners.count == entries.count ? "all \(entries.count)" : "\(winners.count) of \(entries.count)"
        return "Yes, for \(amount) sets of maps, which beat \(rivals)\(whose)\(rest)"
    }

    private static func power(_ study: StudyAnalysis, _ dataset: DatasetAnalysis) -> TestPower? {
        dataset.metric(study.primary.name, study.primary.protocolName)?.power
    }

    private static func whatLocalises(_ study: StudyAnalysis) -> String {
        let entries = entries(study)
        guard !entries.isEmpty else {
            let levels = study.datasets.compactMap { dataset -> String? in
                guard let centre = study.methods.first(where: { $0.identifier == "centre" }),
                    let cell = dataset.metric(study.primary.name, study.primary.protocolName)?.cells.first(where: {
                        $0.methodID == centre.id
                    })
                else { return nil }
                return "\(Format.score(cell.value)) on \(dataset.dataset.name) where chance is \(Format.score(cell.chance))"
            }
            return levels.isEmpty
                ? "No model and no centre control has a score."
                : "A blob at the centre of every image scores \(Format.list(levels)) by \(study.primaryTitle)."
        }
        let hasCentre = study.methods.contains { $0.identifier == "centre" }
        let (verdict, rivals) =
            hasCentre
            ? (Cell.Verdict.localises, "both a random map and a blob at the image's centre")
            : (.noCentre, study.primary.isLocalisation ? "a random map (the study ran no centre control)" : "a random map")
        let pairs = Set(entries.map(\.place)).count
        var (shown, others): ([String], [String]) = ([], [])
        for method in study.explainers {
            let own = entries.filter { $0.method.id == method.id }
            let count = own.count { $0.cell.verdict == verdict }
            if count == 0 { others.append(method.name) } else { shown.append("\(method.name) (\(count) of \(own.count))") }
        }
        let better = study.primary.better == .lower ? "shown to do better than" : "shown to score above"
        let (best, test) = ("By \(study.primaryTitle), at a family-wise error of 5 %", "\(better) \(rivals)")
        let places = pairs == 1 ? "" : " in any of the \(pairs) pairs of model and data set"
        if shown.isEmpty { return "\(best), the maps of none of \(Format.list(others)) are \(test)\(places)." }
        var text = "\(best), the maps of \(Format.list(shown)) are \(test), in as many pairs of model and data set as the brackets say"
        if !others.isEmpty { text += "; those of \(Format.list(others)) in none" }
        return text + "."
    }

    private static func theBest(_ study: StudyAnalysis) -> String {
        let entries = entries(study)
        let ranked = entries.filter { $0.cell.skill != nil }.sorted { $0.cell.skill! > $1.cell.skill! }
        guard let best = ranked.first, let skill = best.cell.skill else {
            return entries.isEmpty
                ? "Whatever a method scores on these masks means something only above these levels." : "No cell has a skill score."
        }
        let cell = best.cell
        var text =
            "The largest share of the way from chance to the ceiling is that of \(best.name): skill \(Format.fixed(skill, 2))"
            + (cell.skillInterval.map { " (95 % interval \(Format.fixed($0.lower, 2)) to \(Format.fixed($0.upper, 2)))" } ?? "")
            + (ranked.count > 1 ? ", which is flattered by being the best of \(ranked.count)" : "")
            + "; it scores \(Format.score(cell.value)) where chance is \(Format.score(cell.chance)) and the most possible \(Format.score(cell.ceiling))"
        let rivals = ranked.dropFirst().filter { $0.model.id == best.model.id }
        let pairs = best.dataset.metric(study.primary.name, study.primary.protocolName)?.pairs ?? []
        let apart = rivals.filter { rival in
            pairs.contains { pair in
                pair.firstModel == best.model.id && pair.secondModel == best.model.id && pair.adjusted < StudyAnalysis.alpha
                    && (pair.firstMethod, pair.secondMethod) == (min(best.method.id, rival.method.id), max(best.method.id, rival.method.id))
            }
        }
        if !rivals.isEmpty {
            text += ", and is told apart from \(apart.count) of the \(Format.count(rivals.count, "other method")) under the same model"
        }
        if let control = cell.controls.first(where: { best.dataset.model($0.modelID)?.kind == .randomWeights }) {
            let isAbove = control.isShownBetter(study.primary.better)
            text +=
                "; against the same method under random weights the difference is \(Format.score(control.comparison.meanDifference)) "
                + "(\(Format.interval(control.comparison.interval)); \(isAbove ? "" : "not shown to be above it, ")"
                + "p \(Format.equals(control.adjusted)))"
        }
        return text + "."
    }

    private static func whatNotToTrust(_ study: StudyAnalysis) -> String {
        var warnings = study.datasets.compactMap { tooFewPatients(study, $0) }
        // Maps of the untrained control would be counted as if somebody trusted them.
        let controls = Set(study.datasets.flatMap(\.models).filter { $0.kind == .randomWeights }.map(\.id))
        for method in study.explainers {
            let own = study.datasets.flatMap(\.signs).filter { $0.methodID == method.id && !controls.contains($0.modelID) }
            let agreements = study.datasets.flatMap(\.mapAgreements).filter {
                $0.firstMethod == method.id && study.method($0.secondMethod)?.identifier == "gradcam" && !controls.contains($0.modelID)
            }
            if !own.isEmpty, method.identifier == "gradcam-study" {
                let images = own.reduce(0) { $0 + $1.agreeing.count }
                let whole = own.reduce(0) { $0 + $1.whole }
                // A sign that is right everywhere misled nobody here.
                guard whole < images else { continue }
                var warning =
                    "the sign of \(method.name) is arbitrary (all six variants agree with plain Grad-CAM on \(whole) of \(images) maps"
                let correlations = agreements.flatMap(\.correlations)
                if !correlations.isEmpty {
                    warning += ", and \(correlations.count { $0 < 0 }) of \(correlations.count) correlate negatively with plain Grad-CAM"
                }
                warnings.append(warning + ")")
            }
        }
        let moved = study.explainers.compactMap { method -> String? in
            let own = study.datasets.flatMap(\.stabilities).filter { $0.methodID == method.id && !controls.contains($0.modelID) }
            let count = own.reduce(0) { $0 + $1.unstable }
            return count > 0 ? "\(method.name) (\(count) of \(own.reduce(0) { $0 + $1.images }) maps)" : nil
        }
        if !moved.isEmpty {
            warnings.append(
                "noise of half a grey level moves below a correlation of \(StabilityAnalysis.threshold) with themselves the maps of "
                    + Format.list(moved))
        }
        for dataset in study.datasets {
            for prediction in dataset.predictions where study.datasets.count <= 4 {
                guard let model = dataset.model(prediction.modelID), model.kind != .randomWeights, let area = prediction.area,
                    let interval = prediction.areaInterval, interval.lower <= 0.5
                else { continue }
                warnings.append(
                    "\(model.name) is not shown to decide \(dataset.dataset.name) better than chance "
                        + "(AUROC \(Format.fixed(area, 2)), \(Format.interval(interval)))")
            }
            if !dataset.masks.empty.isEmpty {
                warnings.append("\(Format.count(dataset.masks.empty.count, "mask")) of \(dataset.dataset.name) mark nothing")
            }
        }
        if !study.failures.isEmpty { warnings.append("\(Format.count(study.failures.count, "item")) could not be read or explained") }
        return warnings.isEmpty
            ? "Nothing that was checked speaks against these numbers; what was not checked is listed under limits."
            : "Before trusting a picture, mind: \(warnings.joined(separator: "; "))."
    }

    /// Where even maps that win on every patient could not pass the adjustment.
    private static func tooFewPatients(_ study: StudyAnalysis, _ dataset: DatasetAnalysis) -> String? {
        guard let power = power(study, dataset), !power.canTell else { return nil }
        let patients = Format.count(power.units, dataset.patients == nil ? "image" : "patient")
        return "\(dataset.dataset.name) has \(patients), too few for any of \(power.tests) maps to be shown above a control, however good; "
            + "at least \(power.needed) are needed"
    }
}
