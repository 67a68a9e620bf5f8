import VitrineStudy

/// What a study asked and found, in sentences whose every number stands in a table of the report.
public struct Answer: Sendable, Equatable {
    public var question: String
    /// Three sentences: which maps localise, how well the best does it, and what not to trust.
    public var sentences: [String]

    public init(_ study: StudyAnalysis) {
        question = Self.question(study)
        sentences = [Self.whatLocalises(study), Self.theBest(study), Self.whatNotToTrust(study)]
    }

    /// A cell of the primary metric with its names.
    fileprivate struct Entry {
        var cell: Cell
        var dataset: DatasetAnalysis
        var model: ModelRecord
        var method: MethodRecord

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
        guard !methods.isEmpty, !entries(study).isEmpty else {
            return "What do maps that know nothing of the image score on \(Format.list(data))?"
        }
        return "Do the maps of \(Format.list(methods)) show where experts see the lesion on \(Format.list(data))?"
    }

    private static func whatLocalises(_ study: StudyAnalysis) -> String {
        let entries = entries(study)
        let metric = "\(study.primary.name) (\(study.primary.protocolName))"
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
                ? "No model and no centre control was run."
                : "A blob at the centre of every image scores \(Format.list(levels)) by \(metric)."
        }
        func methods(_ verdict: Cell.Verdict) -> String {
            Format.list(
                study.explainers.compactMap { method in
                    let own = entries.filter { $0.method.id == method.id }
                    return own.isEmpty ? nil : "\(method.name) in \(own.count { $0.cell.verdict == verdict }) of \(own.count)"
                })
        }
        guard study.methods.contains(where: { $0.identifier == "centre" }) else {
            return
                "By \(metric), with a family-wise error of 5 %, maps are above a random map (the study ran no centre control) in this many "
                + "pairs of model and data set: \(methods(.noCentre))."
        }
        return
            "By \(metric), with a family-wise error of 5 %, maps are shown to be above both a random map and a blob at the image's centre "
            + "in this many pairs of model and data set: \(methods(.localises))."
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
            + ", a score of \(Format.score(cell.value)) where chance is \(Format.score(cell.chance)) and the most possible \(Format.score(cell.ceiling))"
        let rivals = ranked.dropFirst().filter { $0.model.id == best.model.id }
        let pairs = best.dataset.metric(study.primary.name, study.primary.protocolName)?.pairs ?? []
        let apart = rivals.filter { rival in
            pairs.contains { pair in
                pair.firstModel == best.model.id && pair.secondModel == best.model.id && pair.adjusted < StudyAnalysis.alpha
                    && (pair.firstMethod, pair.secondMethod) == (min(best.method.id, rival.method.id), max(best.method.id, rival.method.id))
            }
        }
        if !rivals.isEmpty {
            text += "; it is told apart from \(apart.count) of the \(Format.count(rivals.count, "other method")) under the same model"
        }
        return text + "."
    }

    private static func whatNotToTrust(_ study: StudyAnalysis) -> String {
        var warnings: [String] = []
        for method in study.explainers {
            let own = study.datasets.flatMap(\.signs).filter { $0.methodID == method.id }
            let agreements = study.datasets.flatMap(\.mapAgreements).filter {
                $0.firstMethod == method.id && study.method($0.secondMethod)?.identifier == "gradcam"
            }
            if !own.isEmpty, method.name == "gradcam-study" {
                let images = own.reduce(0) { $0 + $1.agreeing.count }
                let whole = own.reduce(0) { $0 + $1.whole }
                var warning =
                    "the sign of \(method.name) is arbitrary (all six variants show the evidence itself on \(whole) of \(images) maps"
                let correlations = agreements.flatMap(\.correlations)
                if !correlations.isEmpty {
                    warning += ", and \(correlations.count { $0 < 0 }) of \(correlations.count) correlate negatively with plain Grad-CAM"
                }
                warnings.append(warning + ")")
            }
            let unstable = study.datasets.flatMap(\.stabilities).filter { $0.methodID == method.id }
            let moved = unstable.reduce(0) { $0 + $1.unstable }
            if moved > 0 {
                let images = unstable.reduce(0) { $0 + $1.images }
                warnings.append("noise of half a grey level moves \(method.name) below a correlation of 0.9 on \(moved) of \(images) maps")
            }
        }
        for dataset in study.datasets {
            for prediction in dataset.predictions where study.datasets.count <= 4 {
                guard let model = dataset.model(prediction.modelID), model.kind != .randomWeights, let area = prediction.area,
                    let interval = prediction.areaInterval, interval.lower <= 0.5
                else { continue }
                warnings.append(
                    "\(model.name) does not decide \(dataset.dataset.name) better than chance (AUROC \(Format.fixed(area, 2)))")
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
}
