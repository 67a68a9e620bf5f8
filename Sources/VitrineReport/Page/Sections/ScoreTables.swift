import VitrineStore

/// The paper's tables: per data set and metric, methods by initialisations, in both protocols; every cell with what judges it.
///
/// The primary metric's table stands open, the others are folded; protocols that give the same numbers share a table.
struct ScoreTables: PageSection {
    let study: StudyAnalysis
    let id = "tables"
    let title = "Scores"

    /// One metric under the protocols whose tables are equal to the last digit shown.
    private struct Table {
        var name: String
        var protocols: [String]
        var metric: MetricAnalysis
        var rows: String
    }

    func write(_ html: inout HTML) {
        html.element("p", ["class": "note"]) { html in
            html.text("Every cell: the mean score and its 95 % interval. ")
            html.element("span", ["class": "yes"], "✓")
            html.text(" above chance and above the centre prior; ")
            html.element("span", ["class": "no"], "◦")
            html.text(" above chance but not shown to be above the centre prior: not to be called localising; ")
            html.element("span", ["class": "no"], "✗")
            html.text(" not shown to be above chance; ")
            html.element("span", ["class": "no"], "?")
            html.text(
                " cannot be told: with so few patients the test could not succeed, however good the map. Holm-adjusted at 5 % within the table. Grey rows are controls that know nothing of the model, then the level of chance and the most that any map can score. Skill, tests and undefined images: summary.csv."
            )
        }
        for dataset in study.datasets { write(dataset, &html) }
    }

    private func write(_ dataset: DatasetAnalysis, _ html: inout HTML) {
        html.element("h3", dataset.dataset.name)
        html.element("p", ["class": "note"], Self.facts(dataset))
        let tables = tables(dataset)
        guard !tables.isEmpty else { return html.element("p", "Nothing of this data set is scored yet.") }
        let first = tables.first { $0.name == study.primary.name && $0.protocols.contains(study.primary.protocolName) }
        if let first {
            html.figure(
                IntervalFigure(metric: first.metric, dataset: dataset, study: study).drawing(),
                caption:
                    "\(study.primaryTitle): scores with intervals, the best first; dark upright strokes are levels of chance. Full dots beat chance and the centre prior."
            )
            write(first, dataset, &html)
        }
        let others = tables.filter { $0.name != first?.name || $0.protocols != first?.protocols }
        guard !others.isEmpty else { return }
        html.element("details") { html in
            html.element("summary", "Other metrics and protocols: \(Format.list(others.map(Self.title)))")
            html.element("div", ["class": "metrics"]) { html in
                for table in others { html.element("div", ["class": "metric"]) { write(table, dataset, &$0) } }
            }
        }
    }

    private func tables(_ dataset: DatasetAnalysis) -> [Table] {
        var tables: [Table] = []
        for name in study.metricNames {
            // The primary protocol lends its numbers to those that are equal.
            for rules in study.protocols.sorted(by: { a, _ in a == study.primary.protocolName }) {
                guard let metric = dataset.metric(name, rules), !metric.cells.isEmpty else { continue }
                let rows = rows(dataset, metric)
                if let equal = tables.firstIndex(where: { $0.name == name && $0.rows == rows }) {
                    tables[equal].protocols.append(rules)
                } else {
                    tables.append(Table(name: name, protocols: [rules], metric: metric, rows: rows))
                }
            }
        }
        return tables
    }

    private static func title(_ table: Table) -> String { "\(table.name) (\(Format.list(table.protocols)))" }

    private static func facts(_ dataset: DatasetAnalysis) -> String {
        var text = "\(dataset.dataset.title): \(Format.count(dataset.scored, "image")) to explain and score"
        text += dataset.patients.map { ", of \(Format.count($0, "patient"))" } ?? ", patients unknown, so that every image counts as one"
        if dataset.predicted > 0 { text += "; \(dataset.predicted) more are only classified" }
        return text + "."
    }

    private func columns(_ dataset: DatasetAnalysis, _ metric: MetricAnalysis) -> [ModelRecord] {
        dataset.columns.filter { model in metric.cells.contains { $0.modelID == model.id } }
    }

    private func write(_ table: Table, _ dataset: DatasetAnalysis, _ html: inout HTML) {
        let columns = columns(dataset, table.metric)
        let titles = columns.isEmpty ? ["no model"] : columns.map { $0.kind == .randomWeights ? "\($0.name) (control)" : $0.name }
        html.table(
            caption: "\(dataset.dataset.name), \(Self.title(table))"
                + (study.plantedTruth.remark(table.name) == nil ? "" : " \(PlantedTruth.mark)")
                + (table.protocols.count > 1 ? ": equal under both" : ""),
            ["method"] + titles.map { Column($0) }
        ) { $0.markup(table.rows) }
        if let remark = study.plantedTruth.remark(table.name) { html.note("\(PlantedTruth.mark) \(table.name) \(remark).") }
    }

    private func rows(_ dataset: DatasetAnalysis, _ metric: MetricAnalysis) -> String {
        let columns = columns(dataset, metric)
        let rows = study.methods.filter { method in metric.cells.contains { $0.methodID == method.id } }
        let none = dataset.models.first { $0.kind == .none }?.id ?? -1
        var html = HTML()
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
        let width: HTML.Attributes = columns.count > 1 ? ["colspan": "\(columns.count)"] : [:]
        for method in rows where method.isControl {
            html.element("tr", ["class": "control"]) { html in
                html.element("th", ["scope": "row"], method.name)
                html.element("td", width) { html in
                    metric.cell(model: none, method: method.id).map { write($0, isControl: true, &html) } ?? html.text("–")
                }
            }
        }
        for (title, values) in [("chance", metric.cells.compactMap(\.chance)), ("most possible", metric.cells.compactMap(\.ceiling))] {
            guard let low = values.min(), let high = values.max() else { continue }
            html.element("tr", ["class": "control"]) { html in
                html.element("th", ["scope": "row"], title)
                let ends = [Format.score(low), Format.score(high)]
                html.element("td", width, ends[0] == ends[1] ? ends[0] : "\(ends[0]) to \(ends[1]), by method")
            }
        }
        return html.source
    }

    private func write(_ cell: Cell, isControl: Bool, _ html: inout HTML) {
        html.text(Format.score(cell.value))
        if !isControl {
            switch cell.verdict {
            case .localises: mark("✓", "yes", "above chance and the centre prior", &html)
            case .chanceOnly: mark("◦", "no", "not shown to be above the centre prior", &html)
            case .notAboveChance: mark("✗", "no", "not shown to be above chance", &html)
            case .noPower: mark("?", "no", "cannot be told with so few patients", &html)
            case .noCentre, .untested: break
            }
        }
        html.small(Format.interval(cell.interval))
        if cell.undefined > 0 { html.small("\(cell.images) images, \(cell.undefined) undefined") }
    }

    private func mark(_ sign: String, _ style: String, _ meaning: String, _ html: inout HTML) {
        html.text(" ")
        html.element("span", ["class": style, "role": "img", "aria-label": meaning, "title": meaning], sign)
    }
}
