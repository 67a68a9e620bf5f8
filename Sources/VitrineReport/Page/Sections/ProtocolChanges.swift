import VitrineStudy

/// What differs between the study's protocol and the corrected one, and the measured reasons on this study's own images.
struct ProtocolChanges: PageSection {
    let study: StudyAnalysis
    let id = "changes"
    let title = "What changes between study and corrected, and why"

    func write(_ html: inout HTML) {
        if study.protocols.count < 2 {
            html.element("p", "The study was run under one protocol only; list both in the study file to compare them.")
        } else {
            for dataset in study.datasets { scores(dataset, &html) }
        }
        reasons(&html)
        signs(&html)
        conditioning(&html)
        stability(&html)
    }

    private func scores(_ dataset: DatasetAnalysis, _ html: inout HTML) {
        let keys = (dataset.metrics.first?.cells ?? []).map { ($0.modelID, $0.methodID) }
        guard !keys.isEmpty else { return }
        html.table(
            caption:
                "\(dataset.dataset.name): study → corrected, once where both are equal; after the score its rank among the methods of the model",
            ["method", .words("model")] + study.metricNames.map { Column($0) }
        ) { html in
            for (model, method) in keys {
                guard let modelRecord = dataset.model(model), let methodRecord = study.method(method) else { continue }
                html.element("tr", methodRecord.isControl ? ["class": "control"] : [:]) { html in
                    html.element("th", ["scope": "row"], methodRecord.name)
                    html.words(modelRecord.kind == .none ? "–" : modelRecord.name)
                    for name in study.metricNames {
                        let texts = ["study", "corrected"].map { rules -> String in
                            guard let metric = dataset.metric(name, rules), let cell = metric.cell(model: model, method: method) else {
                                return "–"
                            }
                            guard modelRecord.kind != .none else { return Format.score(cell.value) }
                            let rank = 1 + metric.cells.count { $0.modelID == model && $0.value > cell.value }
                            return "\(Format.score(cell.value)), rank \(rank)"
                        }
                        html.element("td", ["class": "whole"], texts[0] == texts[1] ? texts[0] : texts.joined(separator: " → "))
                    }
                }
            }
        }
    }

    private func reasons(_ html: inout HTML) {
        html.element("ul") { html in
            html.element(
                "li",
                "Rectangles: the study draws one rectangle around all selected pixels before it takes the IoU, which rewards outliers in opposite corners; the corrected protocol scores the selected pixels. The ceilings in the tables show what each allows on these masks."
            )
            html.element(
                "li",
                "Ties: the study counts a hit if any pixel at the maximum lies in the mask, which favours maps of large tied patches; the corrected protocol takes the tied pixels' share inside the mask, which is the probability of a hit by random tie-breaking. The chance levels of the pointing game show by how much."
            )
            let empty = study.datasets.reduce(0) { $0 + $1.masks.empty.count }
            html.element(
                "li",
                "Empty masks: \(empty == 0 ? "there are none here" : "\(empty) here"); the study scores them 0, the corrected protocol leaves them out and counts them."
            )
        }
    }

    private func signs(_ html: inout HTML) {
        let rows = study.datasets.flatMap { dataset in dataset.signs.map { (dataset, $0) } }
        let alike = study.datasets.flatMap { dataset in
            dataset.mapAgreements.filter { study.method($0.secondMethod)?.identifier == "gradcam" }.map { (dataset, $0) }
        }
        guard !rows.isEmpty || !alike.isEmpty else { return }
        html.element("h3", "The sign of the eigen projection")
        html.note(
            "The study projects activations on a singular vector, whose sign is arbitrary: it depends on the LAPACK build. After clipping, each of the six test-time variants shows either the evidence or its complement. Below: how often the sign is the one that makes the projection correlate positively with plain Grad-CAM, and how alike the finished maps are."
        )
        if !rows.isEmpty {
            html.table(
                caption: "Signs",
                [
                    "data set", .words("model"), .words("method"), "images", "variants with the sign of plain Grad-CAM",
                    "images on which all six have it",
                ]
            ) { html in
                for (dataset, s) in rows {
                    html.element("tr") { html in
                        html.element("th", ["scope": "row"], dataset.dataset.name)
                        html.words(dataset.model(s.modelID)?.name ?? "")
                        html.words(study.method(s.methodID)?.name ?? "")
                        html.element("td", "\(s.agreeing.count)")
                        html.element("td", Format.percent(s.share))
                        html.element("td", "\(s.whole)")
                    }
                }
            }
        }
        correlations(alike, &html)
    }

    private func correlations(_ rows: [(DatasetAnalysis, MapAgreement)], _ html: inout HTML) {
        guard !rows.isEmpty else { return }
        html.table(
            caption: "Correlation of maps, image by image",
            ["data set", .words("model"), .words("maps"), "images", "mean correlation", "least", "images with a negative one"]
        ) { html in
            for (dataset, a) in rows {
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], dataset.dataset.name)
                    html.words(dataset.model(a.modelID)?.name ?? "")
                    html.words("\(study.method(a.firstMethod)?.name ?? "") and \(study.method(a.secondMethod)?.name ?? "")")
                    html.element("td", "\(a.correlations.count)")
                    html.element("td", Format.score(a.mean))
                    html.element("td", Format.score(a.correlations.min()))
                    html.element("td", a.negative > 0 ? ["class": "no"] : [:], "\(a.negative)")
                }
            }
        }
    }

    private func conditioning(_ html: inout HTML) {
        guard let chefer = study.explainers.first(where: { $0.identifier == "chefer" }) else { return }
        let stable = study.explainers.first { $0.identifier == "chefer-stable" }
        html.element("h3", "The conditioning of Chefer's relevance")
        html.note(
            "Chefer's rules divide by sums that nearly vanish in trained models, so that rounding and invisible noise can move the map: it is ill-conditioned. chefer-stable bounds that division and changes nothing else. Below: both under noise of half a grey level, on this study's images, and what each scores."
        )
        guard let stable else {
            html.element("p", "The study did not run chefer-stable; add it to its methods to see what it says instead.")
            return
        }
        html.table(
            caption: "Chefer's relevance and its stabilised form",
            [
                "data set", .words("model"), .words("method"), "correlation with itself under noise", "worst draw",
                Column("\(study.primaryTitle)"), "correlation of the two maps", "least",
            ]
        ) { html in
            for dataset in study.datasets {
                let metric = dataset.metric(study.primary.name, study.primary.protocolName)
                for model in dataset.columns {
                    let alike = dataset.mapAgreements.first {
                        $0.modelID == model.id && $0.firstMethod == chefer.id && $0.secondMethod == stable.id
                    }
                    for method in [chefer, stable] {
                        let own = dataset.stabilities.first { $0.modelID == model.id && $0.methodID == method.id }
                        let cell = metric?.cell(model: model.id, method: method.id)
                        html.element("tr") { html in
                            html.element("th", ["scope": "row"], dataset.dataset.name)
                            html.words(model.name)
                            html.words(method.name)
                            html.element("td", own.map { Format.fixed($0.pearsonMean, 4) } ?? "not measured")
                            html.element("td", own.map { Format.fixed($0.pearsonMinimum, 4) } ?? "–")
                            html.cell(cell?.value, cell?.interval)
                            html.element("td", Format.score(alike?.mean))
                            html.element("td", Format.score(alike?.correlations.min()))
                        }
                    }
                }
            }
        }
    }

    private func stability(_ html: inout HTML) {
        let rows = study.datasets.flatMap { dataset in dataset.stabilities.map { (dataset, $0) } }
        html.element("h3", "Stability of all methods")
        guard !rows.isEmpty else {
            html.element("p", "Not measured: set stability: true in the study file.")
            return
        }
        html.note("Correlation of every map with itself after noise of half a grey level, which no eye sees.")
        guard rows.allSatisfy({ $0.1.pearsonMinimum >= 0.99995 }) else { return stabilityTable(rows, &html) }
        html.element("details") { html in
            html.element("summary", "No map moves: all \(rows.count) rows are 1.0000")
            stabilityTable(rows, &html)
        }
    }

    private func stabilityTable(_ rows: [(DatasetAnalysis, StabilityAnalysis)], _ html: inout HTML) {
        html.table(
            caption: "Stability under noise of half a grey level",
            [
                "data set", .words("model"), .words("method"), "images", "draws", "mean correlation", "worst draw",
                Column("images below \(StabilityAnalysis.threshold)"),
            ]
        ) { html in
            for (dataset, s) in rows {
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], dataset.dataset.name)
                    html.words(dataset.model(s.modelID)?.name ?? "")
                    html.words(study.method(s.methodID)?.name ?? "")
                    html.element("td", "\(s.images)")
                    html.element("td", "\(s.draws)")
                    html.element("td", Format.fixed(s.pearsonMean, 4))
                    html.element("td", Format.fixed(s.pearsonMinimum, 4))
                    html.element("td", s.unstable > 0 ? ["class": "no"] : [:], "\(s.unstable)")
                }
            }
        }
    }
}
