import VitrineStudy

/// What differs between the study's protocol and the corrected one, and the measured reasons on this study's own images.
struct ProtocolChanges {
    let study: StudyAnalysis

    func write(_ html: inout HTML) {
        if study.protocols.count < 2 {
            html.element("p", "The study was run under one protocol only; list both in the study file to compare them.")
        } else {
            for dataset in study.datasets { scores(dataset, &html) }
        }
        rectangles(&html)
        signs(&html)
        stability(&html)
    }

    private func scores(_ dataset: DatasetAnalysis, _ html: inout HTML) {
        let keys = (dataset.metrics.first?.cells ?? []).map { ($0.modelID, $0.methodID) }
        guard !keys.isEmpty else { return }
        html.table(
            caption: "\(dataset.dataset.name): study → corrected; in brackets the rank among the methods of the column",
            ["method", "model"] + study.metricNames
        ) { html in
            for (model, method) in keys {
                guard let modelRecord = dataset.model(model), let methodRecord = study.method(method) else { continue }
                html.element("tr", methodRecord.isControl ? ["class": "control"] : [:]) { html in
                    html.element("th", ["scope": "row"], methodRecord.name)
                    html.element("td", ["class": "words"], modelRecord.kind == .none ? "–" : modelRecord.name)
                    for name in study.metricNames {
                        let pair = ["study", "corrected"].map { rules in
                            dataset.metric(name, rules).flatMap { metric in metric.cell(model: model, method: method).map { (metric, $0) } }
                        }
                        let texts = pair.map { entry -> String in
                            guard let (metric, cell) = entry else { return "–" }
                            guard modelRecord.kind != .none else { return Format.score(cell.value) }
                            let rank = 1 + metric.cells.count { $0.modelID == model && $0.value > cell.value }
                            return "\(Format.score(cell.value)) (\(rank))"
                        }
                        html.element("td", texts.joined(separator: " → "))
                    }
                }
            }
        }
    }

    private func rectangles(_ html: inout HTML) {
        html.element("ul") { html in
            html.element(
                "li",
                "Rectangles: the study draws one rectangle around all selected pixels before it takes the IoU, which rewards outliers in opposite corners; the corrected protocol scores the selected pixels. The ceilings in the tables show what each allows on these masks."
            )
            html.element(
                "li",
                "Ties: the study counts a hit if any pixel at the maximum lies in the mask, which favours maps of large tied patches; the corrected protocol takes the tied pixels' share inside the mask, which is the probability of a hit by random tie-breaking."
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
        let alike = study.datasets.flatMap { dataset in dataset.mapAgreements.map { (dataset, $0) } }
        guard !rows.isEmpty || !alike.isEmpty else { return }
        html.element("h3", "The sign of the eigen projection")
        html.element(
            "p", ["class": "note"],
            "The study projects activations on a singular vector, whose sign is arbitrary: it depends on the LAPACK build. After clipping, each of the six test-time variants shows either the evidence or its complement. Below: how often the sign is the one that a correlation with plain Grad-CAM documents, and how alike the finished maps are."
        )
        if !rows.isEmpty {
            html.table(
                caption: "Signs",
                ["data set", "model", "method", "images", "variants with the documented sign", "images on which all six have it"]
            ) { html in
                for (dataset, s) in rows {
                    html.element("tr") { html in
                        html.element("th", ["scope": "row"], dataset.dataset.name)
                        html.element("td", ["class": "words"], dataset.model(s.modelID)?.name ?? "")
                        html.element("td", ["class": "words"], study.method(s.methodID)?.name ?? "")
                        html.element("td", "\(s.agreeing.count)")
                        html.element("td", Format.percent(s.share))
                        html.element("td", "\(s.whole)")
                    }
                }
            }
        }
        if !alike.isEmpty {
            html.table(caption: "Correlation of maps", ["data set", "model", "maps", "images", "mean correlation", "least", "negative"]) {
                html in
                for (dataset, a) in alike {
                    html.element("tr") { html in
                        html.element("th", ["scope": "row"], dataset.dataset.name)
                        html.element("td", ["class": "words"], dataset.model(a.modelID)?.name ?? "")
                        html.element(
                            "td", ["class": "words"],
                            "\(study.method(a.firstMethod)?.name ?? "") and \(study.method(a.secondMethod)?.name ?? "")")
                        html.element("td", "\(a.correlations.count)")
                        html.element("td", Format.score(a.mean))
                        html.element("td", Format.score(a.correlations.min()))
                        html.element("td", "\(a.negative)")
                    }
                }
            }
        }
    }

    private func stability(_ html: inout HTML) {
        let rows = study.datasets.flatMap { dataset in dataset.stabilities.map { (dataset, $0) } }
        html.element("h3", "Stability")
        guard !rows.isEmpty else {
            html.element("p", "Not measured: set `stability: true` in the study file.")
            return
        }
        html.element(
            "p", ["class": "note"],
            "Correlation of every map with itself after noise of half a grey level, which no eye sees. Chefer's relevance divides by sums that nearly vanish in trained models, so that it is ill-conditioned; `chefer-stable` bounds that division."
        )
        html.table(
            caption: "Stability under noise of half a grey level",
            [
                "data set", "model", "method", "images", "draws", "mean correlation", "worst draw",
                "images below \(StabilityAnalysis.threshold)",
            ]
        ) { html in
            for (dataset, s) in rows {
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], dataset.dataset.name)
                    html.element("td", ["class": "words"], dataset.model(s.modelID)?.name ?? "")
                    html.element("td", ["class": "words"], study.method(s.methodID)?.name ?? "")
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
