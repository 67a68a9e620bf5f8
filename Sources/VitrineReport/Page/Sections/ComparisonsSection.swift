import VitrineStore

/// Methods against controls, against each other, and models against each other.
struct ComparisonsSection: PageSection {
    let study: StudyAnalysis
    let id = "comparisons"
    let title = "Comparisons"

    func write(_ html: inout HTML) {
        html.note(
            "On the same images, by \(study.primaryTitle); all metrics stand in comparisons.csv. Hits of independent images are compared by McNemar's exact test, everything else by flipping the signs of patients' differences; Wilcoxon's test (Pratt's zeros) is the check. Families of Holm's adjustment: all cells of one data set and metric against one control; all pairs of one data set and metric."
        )
        var isEmpty = true
        for dataset in study.datasets {
            guard let metric = dataset.metric(study.primary.name, study.primary.protocolName) else { continue }
            if metric.cells.contains(where: { !$0.controls.isEmpty }) {
                isEmpty = false
                controls(dataset, metric, &html)
            }
            if !metric.pairs.isEmpty {
                isEmpty = false
                pairs(dataset, metric, &html)
            }
        }
        if isEmpty { html.element("p", "There is nothing to compare.") }
    }

    private func controls(_ dataset: DatasetAnalysis, _ metric: MetricAnalysis, _ html: inout HTML) {
        let cells = metric.cells.filter { !$0.controls.isEmpty }
        let keys = cells.flatMap { $0.controls.map { Control($0, dataset) } }.reduce(into: [Control]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        html.element("details") { html in
            html.element("summary", "\(dataset.dataset.name): methods minus controls")
            html.table(
                caption: "\(dataset.dataset.name), \(study.primary.name): method minus control, with interval and adjusted p",
                ["method, model"] + keys.map { Column(name($0, dataset)) }
            ) { html in
                for cell in cells {
                    html.element("tr") { html in
                        html.element("th", ["scope": "row"], name(dataset, cell.modelID, cell.methodID))
                        for key in keys {
                            guard let found = cell.controls.first(where: { Control($0, dataset) == key }) else {
                                html.element("td", "–")
                                continue
                            }
                            html.element("td") { html in
                                html.text(Format.score(found.comparison.meanDifference))
                                html.small(Format.interval(found.comparison.interval))
                                let isAbove = found.isShownBetter(metric.metric.better)
                                html.element(
                                    "span", ["class": isAbove ? "small yes" : "small"], "p \(Format.equals(found.adjusted))")
                            }
                        }
                    }
                }
            }
        }
    }

    /// A column of the table of controls: one control, or each method's own map under random weights.
    private struct Control: Equatable {
        let model: Int
        let method: Int?

        init(_ comparison: Cell.ControlComparison, _ dataset: DatasetAnalysis) {
            model = comparison.modelID
            method = dataset.model(comparison.modelID)?.kind == .randomWeights ? nil : comparison.methodID
        }
    }

    private func name(_ control: Control, _ dataset: DatasetAnalysis) -> String {
        control.method.flatMap { study.method($0)?.name } ?? "itself under \(dataset.model(control.model)?.name ?? "")"
    }

    private func pairs(_ dataset: DatasetAnalysis, _ metric: MetricAnalysis, _ html: inout HTML) {
        html.element("details") { html in
            html.element(
                "summary",
                "\(dataset.dataset.name): \(Format.count(metric.pairs.count, "pair")), \(metric.pairs.count { $0.adjusted < StudyAnalysis.alpha }) told apart"
            )
            html.table(
                caption: "\(dataset.dataset.name), \(study.primary.name): first minus second",
                [
                    "first", .words("second"), "difference", "p", "p (Holm)", .words("test"), "Wilcoxon", "rank-biserial",
                    "Cliff's delta", "detectable",
                ]
            ) { html in
                for pair in metric.pairs {
                    let c = pair.comparison
                    html.element("tr") { html in
                        html.element("th", ["scope": "row"], name(dataset, pair.firstModel, pair.firstMethod))
                        html.words(name(dataset, pair.secondModel, pair.secondMethod))
                        html.cell(c.meanDifference, c.interval)
                        html.element("td", Format.pValue(pair.pValue))
                        html.element("td", pair.adjusted < StudyAnalysis.alpha ? ["class": "yes"] : [:], Format.pValue(pair.adjusted))
                        html.words(pair.test)
                        html.element("td", Format.pValue(c.wilcoxon.pValue))
                        html.element("td", Format.fixed(c.rankBiserial, 2))
                        html.element("td", Format.fixed(c.cliffDelta, 2))
                        html.element("td", Format.score(c.minimumDetectableEffect))
                    }
                }
            }
            html.note("Detectable: the smallest difference that so many patients show with 80 % power.")
        }
    }

    private func name(_ dataset: DatasetAnalysis, _ model: Int, _ method: Int) -> String {
        "\(study.method(method)?.name ?? ""), \(dataset.model(model)?.name ?? "")"
    }
}
