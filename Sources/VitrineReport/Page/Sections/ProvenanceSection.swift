import VitrineStore

/// Where every number comes from, and how to have them again.
struct ProvenanceSection: PageSection {
    let study: StudyAnalysis
    let id = "provenance"
    let title = "Provenance, and how to reproduce"

    func write(_ html: inout HTML) {
        models(&html)
        html.table(caption: "Methods", ["method", .words("what it is"), .words("source")]) { html in
            for method in study.methods {
                html.element("tr", method.isControl ? ["class": "control"] : [:]) { html in
                    html.element("th", ["scope": "row"], method.name)
                    for text in [method.summary, method.citation] { html.words(text) }
                }
            }
        }
        html.table(caption: "Metrics", ["metric", .words("protocol"), .words("what it is"), .words("source")]) { html in
            for metric in study.metrics {
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], metric.name)
                    for text in [metric.protocolName, metric.summary, metric.citation] { html.words(text) }
                }
            }
        }
        html.table(caption: "Data sets", ["data set", .words("what it is"), .words("source"), .words("path")]) { html in
            for dataset in study.datasets {
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], dataset.dataset.name)
                    for text in [dataset.dataset.title, dataset.dataset.citation, dataset.dataset.path] { html.words(text) }
                }
            }
        }
        for a in study.arithmetic {
            html.element("p", "Computed by Vitrine \(a.vitrine), kernels \(a.cpuPath), \(a.blas), core \(a.blasCore).")
        }
        html.element("p") { html in
            html.text("Fingerprint of the study file: ")
            html.element("span", ["class": "hash"], study.fingerprint)
            html.text(". Seed \(study.seed). To reproduce, save the file below as study.yaml beside its data, then:")
        }
        html.element(
            "pre", ["tabindex": "0"],
            "vitrine study run study.yaml\nvitrine study report RESULTS -o REPORT      # RESULTS: the file's output folder")
        html.element("details") { html in
            html.element("summary", "The study file, with all defaults")
            html.element("pre", ["tabindex": "0"], study.resolved)
        }
    }

    private func models(_ html: inout HTML) {
        guard !study.checkpoints.isEmpty else { return }
        html.table(
            caption: "Models",
            [
                "data set", .words("model"), .words("file"), .words("SHA-256"), .words("family"), "weights", "classes",
                .words("preprocessing"),
            ]
        ) { html in
            for dataset in study.datasets {
                for model in dataset.columns {
                    guard let c = study.checkpoints.first(where: { $0.modelID == model.id }) else { continue }
                    html.element("tr") { html in
                        html.element("th", ["scope": "row"], dataset.dataset.name)
                        html.words(model.kind == .randomWeights ? "\(model.name) (control: the shape alone, random weights)" : model.name)
                        html.words(model.path)
                        html.element("td", ["class": "words hash"], c.sha256)
                        html.words(c.family)
                        html.element("td", "\(c.parameters)")
                        html.element("td", "\(c.classes)")
                        html.words(c.preprocess)
                    }
                }
            }
        }
        let notes = study.datasets.flatMap { dataset in
            dataset.columns.flatMap { model in
                (study.checkpoints.first { $0.modelID == model.id }?.notes ?? []).map { "\(dataset.dataset.name), \(model.name): \($0)" }
            }
        }
        for (title, lines) in [
            ("Taken from a convention rather than from the file:", notes), ("Noted about pictures and masks:", study.fileNotes),
        ] where !lines.isEmpty {
            html.element("p", title)
            html.element("ul") { html in
                for line in lines { html.element("li", line) }
            }
        }
    }
}
