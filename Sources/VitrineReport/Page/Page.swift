import Foundation
import VitrineEvaluate
import VitrineImage
import VitrineStudy
import VitrineTensor

/// `report.html`: one file that needs nothing else, in the order in which a reader asks.
struct Page {
    let study: StudyAnalysis
    let answer: Answer
    let gallery: Gallery
    let colorMap: ColorMap
    let overview: Image?

    /// Sections in their order; the identifier is the anchor.
    private static let sections = [
        ("answer", "Answer"), ("tables", "Scores"), ("changes", "What the protocol changes"), ("ranks", "Ranks"),
        ("size", "Lesion size and strata"), ("pictures", "Pictures"), ("gallery", "Gallery"), ("masks", "Masks"),
        ("predictions", "Predictions"), ("agreement", "Do the metrics agree?"), ("comparisons", "Comparisons"), ("failures", "Failures"),
        ("limits", "How to read this, and limits"), ("provenance", "Provenance"),
    ]

    func html() throws -> String {
        var html = HTML()
        html.markup("<!DOCTYPE html>\n")
        try html.element("html", ["lang": "en"]) { html in
            html.element("head") { head(&$0) }
            try html.element("body") { html in
                html.element("a", ["class": "skip", "href": "#answer"], "Skip to the answer")
                html.element("header") { html in
                    html.element("h1", study.title.isEmpty ? "Study" : study.title)
                    html.element("nav", ["aria-label": "Sections"]) { html in
                        html.element("ul") { html in
                            for (id, title) in Self.sections {
                                html.element("li") { $0.element("a", ["href": "#\(id)"], title) }
                            }
                        }
                    }
                }
                try html.element("main") { html in
                    for (id, title) in Self.sections {
                        try html.element("section", ["id": id, "aria-labelledby": "h-\(id)"]) { html in
                            html.element("h2", ["id": "h-\(id)"], title)
                            try section(id, &html)
                        }
                    }
                }
                let data = try gallery.json(colorMap: colorMap)
                html.element("script", ["type": "application/json", "id": "gallery-data"]) { $0.markup(data) }
                html.element("script") { $0.markup(String(decoding: PackageResources.report_js, as: UTF8.self)) }
            }
        }
        return html.source
    }

    private func head(_ html: inout HTML) {
        html.void("meta", ["charset": "utf-8"])
        html.void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        // Nothing is fetched, and nothing runs but this page's own program: the browser itself refuses.
        html.void(
            "meta",
            [
                "http-equiv": "Content-Security-Policy",
                "content": "default-src 'none'; img-src data:; style-src '\(Self.digest(PackageResources.report_css))'; "
                    + "script-src '\(Self.digest(PackageResources.report_js))'",
            ])
        html.element("title", study.title.isEmpty ? "Study" : study.title)
        html.element("style") { $0.markup(String(decoding: PackageResources.report_css, as: UTF8.self)) }
    }

    /// What a content security policy calls a script or style that may run.
    private static func digest(_ bytes: [UInt8]) -> String {
        let hex = Array(sha256(of: bytes))
        let raw = stride(from: 0, to: hex.count, by: 2).compactMap { UInt8(String(hex[$0...$0 + 1]), radix: 16) }
        return "sha256-\(Data(raw).base64EncodedString())"
    }

    private func section(_ id: String, _ html: inout HTML) throws {
        switch id {
        case "answer": answerSection(&html)
        case "tables": ScoreTables(study: study).write(&html)
        case "changes": ProtocolChanges(study: study).write(&html)
        case "ranks": ranks(&html)
        case "size": sizes(&html)
        case "pictures": try pictures(&html)
        case "gallery": GallerySection(gallery: gallery, colorMap: colorMap).write(&html)
        case "masks": masks(&html)
        case "predictions": predictions(&html)
        case "agreement": agreement(&html)
        case "comparisons": comparisons(&html)
        case "failures": failures(&html)
        case "limits": limits(&html)
        default: provenance(&html)
        }
    }

    private func answerSection(_ html: inout HTML) {
        html.element("div", ["class": "answer"]) { html in
            html.element("p") { $0.element("strong", answer.question) }
            for sentence in answer.sentences { html.element("p", sentence) }
        }
        if !study.progress.isComplete || study.progress.failed > 0 {
            html.element(
                "p", ["class": "no"],
                "This study is not whole: \(study.progress.done) of \(study.progress.total) units are done, \(study.progress.failed) failed."
            )
        }
    }

    private func ranks(_ html: inout HTML) {
        html.element(
            "p", ["class": "note"],
            "Methods are ranked within every patient by \(study.primary.name) (\(study.primary.protocolName)), 1 being best, the centre prior among them. Friedman's test with Iman and Davenport's correction asks whether they differ at all; Nemenyi's critical difference (CD) at 5 % says by how much mean ranks must differ. A thick bar joins methods that are not told apart."
        )
        var isEmpty = true
        for dataset in study.datasets {
            guard let metric = dataset.metric(study.primary.name, study.primary.protocolName) else { continue }
            for ranking in metric.rankings {
                isEmpty = false
                let title = "\(dataset.dataset.name), \(dataset.model(ranking.modelID)?.name ?? "")"
                let names = ranking.methodIDs.map { study.method($0)?.name ?? "" }
                html.element("h3", title)
                figure(CriticalDifferenceFigure(ranking: ranking, names: names, title: title).drawing(), &html) {
                    let test = ranking.friedman.imanDavenport
                    return
                        "Friedman over \(Format.count(ranking.friedman.blocks, "patient")): F = \(Format.fixed(test.statistic, 2)), p \(Format.equals(test.pValue))."
                }
            }
        }
        if isEmpty { html.element("p", "There are no two methods to rank.") }
    }

    private func sizes(_ html: inout HTML) {
        html.element(
            "p", ["class": "note"],
            "By \(study.primary.name) (\(study.primary.protocolName)). Lines join means over tenths of the images. Strata are looked at separately, not tested: differences between them may be due to lesion size, which changes chance as well."
        )
        var isEmpty = true
        for dataset in study.datasets {
            for model in dataset.columns {
                let strata = dataset.strata.filter { $0.modelID == model.id }
                guard !strata.isEmpty else { continue }
                isEmpty = false
                let names = strata.map { study.method($0.methodID)?.name ?? "" }
                let title = "\(dataset.dataset.name), \(model.name)"
                html.element("h3", title)
                figure(SizeFigure(strata: strata, names: names, title: title).drawing(), &html) { "Score against lesion area." }
                let rows = strata[0].strata.map { ($0.factor, $0.name) }
                table(&html, caption: "Strata: \(title)", ["factor", "stratum", "images (patients)", "chance"] + names) { html in
                    for (factor, name) in rows {
                        let own = strata.map { $0.strata.first { $0.factor == factor && $0.name == name } }
                        html.element("tr") { html in
                            html.element("th", ["scope": "row"], factor)
                            html.element("td", ["class": "words"], name)
                            html.element("td", own[0].map { "\($0.images) (\($0.patients))" } ?? "–")
                            html.element("td", Format.score(own[0]?.chance))
                            for stratum in own {
                                html.element("td") { html in
                                    html.text(Format.score(stratum?.value))
                                    if let interval = stratum?.interval {
                                        html.element("span", ["class": "small"], Format.interval(interval))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        if isEmpty { html.element("p", "No model was run.") }
    }

    private func pictures(_ html: inout HTML) throws {
        guard let overview else {
            html.element("p", "There is no picture to show: no model was run, or the images are not where they were.")
            return
        }
        let data = Data(try overview.pngData()).base64EncodedString()
        html.element("figure") { html in
            html.void(
                "img",
                [
                    "src": "data:image/png;base64,\(data)",
                    "alt": "Rows: data sets; columns: an image with the experts' outline, then the map of every method over it",
                ])
            html.element(
                "figcaption",
                "One image of every data set, drawn at random, under its first model. White: the experts' outline. The bar names the range of the raw map; colours are stretched to it, so that strength cannot be compared between pictures."
            )
        }
    }

    private func masks(_ html: inout HTML) {
        table(
            &html, caption: "The experts' masks as stored",
            [
                "data set", "masks", "area: least", "median", "mean", "most", "empty", "whole image", "one rectangle", "several lesions",
                "grey levels",
            ]
        ) { html in
            for dataset in study.datasets {
                let masks = dataset.masks
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], dataset.dataset.name)
                    html.element("td", "\(masks.count)")
                    for area in [masks.minimumArea, masks.medianArea, masks.meanArea, masks.maximumArea] {
                        html.element("td", Format.percent(area))
                    }
                    for number in [masks.empty.count, masks.full.count, masks.rectangles, masks.severalLesions, masks.haloed] {
                        html.element("td", "\(number)")
                    }
                }
            }
        }
        html.element(
            "p", ["class": "note"],
            "An empty mask cannot be hit: the study protocol scores it 0, the corrected protocol leaves it out and counts it. A mask of the whole image is always hit. More than two grey levels are halos of resampling, which the rule > 0 makes part of the lesion."
        )
        for dataset in study.datasets where !(dataset.masks.empty + dataset.masks.full).isEmpty {
            html.element("ul") { html in
                for name in dataset.masks.empty { html.element("li", "\(dataset.dataset.name): \(name) marks nothing") }
                for name in dataset.masks.full { html.element("li", "\(dataset.dataset.name): \(name) marks the whole image") }
            }
        }
    }

    private func predictions(_ html: inout HTML) {
        let rows = study.datasets.flatMap { dataset in dataset.predictions.map { (dataset, $0) } }
        guard !rows.isEmpty else {
            html.element("p", "No model was run on labelled images.")
            return
        }
        table(
            &html, caption: "How well the models decide what they are asked to explain",
            [
                "data set", "model", "images (positive)", "patients", "accuracy", "balanced accuracy", "sensitivity", "specificity",
                "AUROC", "Brier score", "calibration error",
            ]
        ) { html in
            for (dataset, p) in rows {
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], dataset.dataset.name)
                    html.element("td", ["class": "words"], dataset.model(p.modelID)?.name ?? "")
                    html.element("td", "\(p.images) (\(p.positives))")
                    html.element("td", "\(p.patients)")
                    value(p.accuracy, p.accuracyInterval, &html)
                    html.element("td", Format.score(p.balancedAccuracy))
                    value(p.sensitivity, p.sensitivityInterval, &html)
                    value(p.specificity, p.specificityInterval, &html)
                    value(p.area, p.areaInterval, &html)
                    html.element("td", Format.score(p.brier))
                    html.element("td", Format.score(p.calibration.expectedError))
                }
            }
        }
        html.element("div", ["class": "side"]) { html in
            for (dataset, p) in rows {
                let title = "\(dataset.dataset.name), \(dataset.model(p.modelID)?.name ?? "")"
                figure(CalibrationFigure(prediction: p, title: title).drawing(), &html) {
                    "Confidence of the answer against how often it is right."
                }
            }
        }
    }

    private func agreement(_ html: inout HTML) {
        html.element(
            "p", ["class": "note"],
            "Kendall's W of the order in which the metrics put the methods: 1 when all metrics agree, 0 when they share nothing. A conclusion that changes with the metric is a conclusion about the metric."
        )
        let rows = study.datasets.flatMap { dataset in dataset.agreements.map { (dataset, $0) } }
        guard !rows.isEmpty else {
            html.element("p", "There are no two metrics and two methods to compare.")
            return
        }
        table(&html, caption: "Agreement of the metrics", ["data set", "model", "metrics", "Kendall's W", "least alike", "Kendall's tau"]) {
            html in
            for (dataset, a) in rows {
                let names = a.metricIDs.map { id in study.metrics.first { $0.id == id }?.name ?? "" }
                var least: (Int, Int)?
                for i in names.indices {
                    for j in names.indices where j > i && a.agreement.tau[i][j].isFinite {
                        if least == nil || a.agreement.tau[i][j] < a.agreement.tau[least!.0][least!.1] { least = (i, j) }
                    }
                }
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], dataset.dataset.name)
                    html.element("td", ["class": "words"], dataset.model(a.modelID)?.name ?? "")
                    html.element("td", "\(names.count)")
                    value(a.agreement.concordance.isFinite ? a.agreement.concordance : nil, a.agreement.concordanceInterval, &html)
                    html.element("td", ["class": "words"], least.map { "\(names[$0.0]) and \(names[$0.1])" } ?? "–")
                    html.element("td", Format.score(least.map { a.agreement.tau[$0.0][$0.1] }))
                }
            }
        }
    }

    private func comparisons(_ html: inout HTML) {
        html.element(
            "p", ["class": "note"],
            "Pairs of methods under one model, and of models under one method, on the same images, by \(study.primary.name) (\(study.primary.protocolName)). The family of a Holm adjustment is all pairs of one data set and metric. Hits of independent images are compared by McNemar's exact test, everything else by flipping the signs of patients' differences; Wilcoxon's test (Pratt's zeros) is the check. The last column is the smallest difference these patients show with 80 % power. All metrics: comparisons.csv."
        )
        for dataset in study.datasets {
            guard let metric = dataset.metric(study.primary.name, study.primary.protocolName), !metric.pairs.isEmpty else { continue }
            html.element("details") { html in
                html.element(
                    "summary",
                    "\(dataset.dataset.name): \(Format.count(metric.pairs.count, "pair")), \(metric.pairs.count { $0.adjusted < StudyAnalysis.alpha }) told apart"
                )
                table(
                    &html, caption: "\(dataset.dataset.name), \(study.primary.name)",
                    ["first", "second", "difference", "p", "p (Holm)", "test", "Wilcoxon", "rank-biserial", "Cliff's delta", "detectable"]
                ) { html in
                    for pair in metric.pairs {
                        let c = pair.comparison
                        html.element("tr") { html in
                            html.element("th", ["scope": "row"], name(dataset, pair.firstModel, pair.firstMethod))
                            html.element("td", ["class": "words"], name(dataset, pair.secondModel, pair.secondMethod))
                            value(c.meanDifference, c.interval, &html)
                            html.element("td", Format.pValue(pair.pValue))
                            html.element("td", pair.adjusted < StudyAnalysis.alpha ? ["class": "yes"] : [:], Format.pValue(pair.adjusted))
                            html.element("td", ["class": "words"], pair.test)
                            html.element("td", Format.pValue(c.wilcoxon.pValue))
                            html.element("td", Format.fixed(c.rankBiserial, 2))
                            html.element("td", Format.fixed(c.cliffDelta, 2))
                            html.element("td", Format.score(c.minimumDetectableEffect))
                        }
                    }
                }
            }
        }
        if study.datasets.allSatisfy({ $0.metric(study.primary.name, study.primary.protocolName)?.pairs.isEmpty ?? true }) {
            html.element("p", "There is nothing to compare in pairs.")
        }
    }

    private func failures(_ html: inout HTML) {
        guard !study.failures.isEmpty else {
            html.element("p", "Everything was read, loaded and explained.")
            return
        }
        html.element("p", "\(Format.count(study.failures.count, "item")) could not be done; the rest was.")
        html.element("ul") { html in
            for failure in study.failures.prefix(200) { html.element("li", "\(failure.stage.rawValue): \(failure.message)") }
        }
        if study.failures.count > 200 { html.element("p", "... and \(study.failures.count - 200) more.") }
    }

    private func limits(_ html: inout HTML) {
        html.element("ul") { html in
            for text in Self.limitations(study) { html.element("li", text) }
        }
    }

    private static func limitations(_ study: StudyAnalysis) -> [String] {
        var texts = [
            "A score says whether a map lies where experts drew. It does not say that the model used what the map shows, nor that a model that looks elsewhere is wrong.",
            "Chance is the expectation of a random map of the same values, ties and upsampling on the same masks. The ceiling is the most that any map can score on these masks. Skill is the share of the way from chance to the ceiling.",
            "Intervals are 95 % patient-cluster BCa bootstrap intervals (\(study.resamples) resamples), proportions of 0 or 1 Clopper-Pearson's. Where patients are unknown every image counts as one, and intervals are too narrow if some share a patient.",
            "\"Localises\" means above chance and above the centre prior, each with a family-wise error of 5 % within a data set and metric. Over several metrics and data sets some such findings are expected by accident.",
            "One training run per initialisation says nothing about the initialisation in general.",
        ]
        if !study.methods.contains(where: { $0.identifier == "centre" }) {
            texts.append("The study ran no centre control; add `centre` to its methods to learn what a blob at the centre scores.")
        }
        if study.datasets.allSatisfy({ $0.stabilities.isEmpty }), !study.explainers.isEmpty,
            study.datasets.contains(where: { !$0.columns.isEmpty })
        {
            texts.append("Stability under noise was not measured; set `stability: true` in the study file.")
        }
        if study.datasets.contains(where: { !$0.columns.isEmpty && !$0.columns.contains { $0.kind == .randomWeights } }) {
            texts.append("No model with random weights was run as a control everywhere; add one with `random-weights`.")
        }
        return texts
    }

    private func provenance(_ html: inout HTML) {
        if !study.checkpoints.isEmpty {
            table(&html, caption: "Models", ["data set", "model", "file", "SHA-256", "family", "weights", "classes", "preprocessing"]) {
                html in
                for dataset in study.datasets {
                    for model in dataset.columns {
                        guard let c = study.checkpoints.first(where: { $0.modelID == model.id }) else { continue }
                        html.element("tr") { html in
                            html.element("th", ["scope": "row"], dataset.dataset.name)
                            for text in [model.name, model.path, String(c.sha256.prefix(16)), c.family] {
                                html.element("td", ["class": "words"], text)
                            }
                            html.element("td", "\(c.parameters)")
                            html.element("td", "\(c.classes)")
                            html.element("td", ["class": "words"], c.preprocess)
                        }
                    }
                }
            }
        }
        table(&html, caption: "Methods", ["method", "what it is", "source"]) { html in
            for method in study.methods {
                html.element("tr", method.isControl ? ["class": "control"] : [:]) { html in
                    html.element("th", ["scope": "row"], method.name)
                    html.element("td", ["class": "words"], method.summary)
                    html.element("td", ["class": "words"], method.citation)
                }
            }
        }
        table(&html, caption: "Metrics", ["metric", "protocol", "what it is", "source"]) { html in
            for metric in study.metrics {
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], metric.name)
                    for text in [metric.protocolName, metric.summary, metric.citation] { html.element("td", ["class": "words"], text) }
                }
            }
        }
        table(&html, caption: "Data sets", ["data set", "what it is", "source", "path"]) { html in
            for dataset in study.datasets {
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], dataset.dataset.name)
                    for text in [dataset.dataset.title, dataset.dataset.citation, dataset.dataset.path] {
                        html.element("td", ["class": "words"], text)
                    }
                }
            }
        }
        for a in study.arithmetic {
            html.element("p", "Computed by Vitrine \(a.vitrine), kernels \(a.cpuPath), \(a.blas), core \(a.blasCore).")
        }
        html.element(
            "p",
            "Fingerprint of the study file: \(study.fingerprint). Seed \(study.seed). To reproduce, save the file below as study.yaml beside its data, then:"
        )
        html.element("pre", ["tabindex": "0"], "vitrine study run study.yaml\nvitrine study report RESULTS -o REPORT")
        html.element("details") { html in
            html.element("summary", "The study file, with all defaults")
            html.element("pre", ["tabindex": "0"], study.resolved)
        }
    }

    // MARK: Parts

    private func name(_ dataset: DatasetAnalysis, _ model: Int, _ method: Int) -> String {
        "\(study.method(method)?.name ?? ""), \(dataset.model(model)?.name ?? "")"
    }

    private func figure(_ drawing: Drawing, _ html: inout HTML, caption: () -> String) {
        html.element("figure") { html in
            html.markup(drawing.svg(isStandalone: false))
            html.element("figcaption", caption())
        }
    }

    private func value(_ value: Double?, _ interval: Interval?, _ html: inout HTML) {
        html.element("td") { html in
            html.text(Format.score(value))
            if value != nil, let interval { html.element("span", ["class": "small"], Format.interval(interval)) }
        }
    }

    private func table(_ html: inout HTML, caption: String, _ columns: [String], _ rows: (inout HTML) -> Void) {
        html.table(caption: caption, columns, rows)
    }
}

extension HTML {
    /// A table that scrolls by itself where it is wider than the page.
    ///
    /// - Parameter isNumeric: whether all columns but the first hold numbers.
    mutating func table(caption: String, isNumeric: Bool = false, _ columns: [String], _ rows: (inout HTML) -> Void) {
        element("div", ["class": "scroll", "tabindex": "0", "role": "group", "aria-label": caption]) { html in
            html.element("table", isNumeric ? ["class": "numbers"] : [:]) { html in
                html.element("caption", caption)
                html.element("thead") { html in
                    html.element("tr") { html in
                        for column in columns { html.element("th", ["scope": "col"], column) }
                    }
                }
                html.element("tbody") { rows(&$0) }
            }
        }
    }
}
