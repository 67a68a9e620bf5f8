import VitrineStudy

/// The paper's tables: per data set and metric, methods by initialisations, in both protocols; every cell with all that judges it.
struct ScoreTables: PageSection {
    let study: StudyAnalysis
    let id = "tables"
    let title = "Scores"

    func write(_ html: inout HTML) {
        html.element("p", ["class": "note"]) { html in
            html.text(
                "Every cell: the score, its 95 % interval, then chance (c), ceiling (max) and skill (s, the share of the way from chance to the ceiling). "
            )
            html.element("span", ["class": "yes"], "✓")
            html.text(" above chance and above the centre prior; ")
            html.element("span", ["class": "no"], "◦")
            html.text(" above chance but not above the centre prior: not to be called localising; ")
            html.element("span", ["class": "no"], "✗")
            html.text(" not above chance. Holm-adjusted at 5 % within the table. Grey rows are controls that know nothing of the model.")
        }
        for dataset in study.datasets {
            html.element("h3", dataset.dataset.name)
            html.element("p", ["class": "note"], Self.facts(dataset))
            if let metric = dataset.metric(study.primary.name, study.primary.protocolName), !metric.cells.isEmpty {
                html.figure(
                    IntervalFigure(metric: metric, dataset: dataset, study: study).drawing(),
                    caption:
                        "\(study.primaryTitle): scores with intervals; dark upright strokes are chance levels, pale ones ceilings. Full dots beat chance and the centre prior."
                )
            }
            let names = study.metricNames.filter { name in
                study.protocols.contains { dataset.metric(name, $0)?.cells.isEmpty == false }
            }
            if names.isEmpty { html.element("p", "Nothing of this data set is scored yet.") }
            html.element("div", ["class": "metrics"]) { html in
                for name in names {
                    html.element("div", ["class": "metric"]) { html in
                        html.element("h4", name)
                        html.element("div", ["class": "side"]) { html in
                            for rules in study.protocols {
                                guard let metric = dataset.metric(name, rules), !metric.cells.isEmpty else { continue }
                                table(dataset, metric, &html)
                            }
                        }
                    }
                }
            }
        }
    }

    private static func facts(_ dataset: DatasetAnalysis) -> String {
        var text = "\(dataset.dataset.title): \(Format.count(dataset.scored, "image")) to explain and score"
        text += dataset.patients.map { ", of \(Format.count($0, "patient"))" } ?? ", patients unknown, so that every image counts as one"
        if dataset.predicted > 0 { text += "; \(dataset.predicted) more are only classified" }
        return text + "."
    }

    private func table(_ dataset: DatasetAnalysis, _ metric: MetricAnalysis, _ html: inout HTML) {
        let columns = dataset.columns.filter { model in metric.cells.contains { $0.modelID == model.id } }
        let rows = study.methods.filter { method in metric.cells.contains { $0.methodID == method.id } }
        let none = dataset.models.first { $0.kind == .none }?.id ?? -1
        let titles = columns.isEmpty ? ["no model"] : columns.map { $0.kind == .randomWeights ? "\($0.name) (control)" : $0.name }
        html.table(
            caption: "\(dataset.dataset.name), \(metric.metric.name), \(metric.metric.protocolName)",
            ["method"] + titles.map { Column($0) }
        ) { html in
            for method in rows where !method.isControl {
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], method.name)
                    for model in columns {
                        let cell = metric.cell(model: model.id, method: method.id)
                        html.element("td") { html in
                            cell.map { write($0, isControl: model.kind == .randomWeights, &html) } ?? html.text("–")
                        }
                    }
                }
            }
            for method in rows where method.isControl {
                html.element("tr", ["class": "control"]) { html in
                    html.element("th", ["scope": "row"], method.name)
                    html.element("td", columns.count > 1 ? ["colspan": "\(columns.count)"] : [:]) { html in
                        metric.cell(model: none, method: method.id).map { write($0, isControl: true, &html) } ?? html.text("–")
                    }
                }
            }
        }
    }

    private func write(_ cell: Cell, isControl: Bool, _ html: inout HTML) {
        html.text(Format.score(cell.value))
        if !isControl {
            switch cell.verdict {
            case .localises: mark("✓", "yes", "above chance and the centre prior", &html)
            case .chanceOnly: mark("◦", "no", "not above the centre prior", &html)
            case .notAboveChance: mark("✗", "no", "not above chance", &html)
            case .noCentre, .untested: break
            }
        }
        html.small(Format.interval(cell.interval))
        var facts = "c \(Format.score(cell.chance)) · max \(Format.score(cell.ceiling))"
        if let skill = cell.skill { facts += " · s \(Format.fixed(skill, 2))" }
        html.small(facts)
        if cell.undefined > 0 { html.small("\(cell.images) images, \(cell.undefined) undefined") }
    }

    private func mark(_ sign: String, _ style: String, _ meaning: String, _ html: inout HTML) {
        html.text(" ")
        html.element("span", ["class": style, "role": "img", "aria-label": meaning, "title": meaning], sign)
    }
}
