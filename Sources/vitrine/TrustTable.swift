import Foundation
import VitrineReport
import VitrineStudy

/// The result of a trust run on phantoms, as tables for the terminal and the page.
struct TrustTable {
    let result: TrustResult

    init(_ result: TrustResult) { self.result = result }

    /// For the terminal.
    var text: String {
        ([checks, overview].compactMap { $0 } + result.tasks.compactMap(scores) + (result.metrics.isEmpty ? [] : [metrics]))
            .map(Self.text).joined(separator: "\n\n")
    }

    /// For the browser.
    func page(facts: String) -> TablePage {
        var sections = [
            TablePage.Section(
                "What the networks use",
                [
                    "Each network was trained until the same picture drawn without the cause is called otherwise on at least 95 % of the positives, drawn without anything else on at most 5 %, at a balanced accuracy of 0.90 or more. Maps of a network that does not prove what it uses are not scored."
                ], tables: [checks])
        ]
        if let overview {
            sections.append(
                .init(
                    "Methods against what the network used",
                    [
                        "Localisation: average precision on the pixels that the counterfactual changes, 0 at chance and 1 at the best the patches allow."
                    ],
                    tables: [overview]))
        }
        if !result.metrics.isEmpty {
            var tables = [metrics]
            if result.tasks.count > 1 { tables.append(metricsByTask) }
            sections.append(.init("Metrics against the planted truth", tables: tables))
        }
        sections += result.tasks.compactMap { task in scores(task).map { TablePage.Section(task.name, tables: [$0]) } }
        return TablePage("Which explanations, and which metrics, deserve trust", facts: facts, sections: sections)
    }

    // MARK: Tables

    /// What the networks proved.
    private var checks: TablePage.Table {
        var table = TablePage.Table(
            "What the networks use: the same pictures drawn without a part",
            [
                .init("task"), .init("balanced accuracy"), .init("rounds"), .init("without", isWords: true), .init("prediction changes"),
                .init("95 % interval"), .init("must"), .init("", isWords: true),
            ])
        for task in result.tasks {
            let check = task.check
            for row in check.rows {
                table.rows.append([
                    task.name, Self.number(check.balancedAccuracy), "\(task.rounds)", row.removed, "\(row.flips) of \(row.images)",
                    row.interval.map { String(format: "%.1f to %.1f %%", 100 * $0.lower, 100 * $0.upper) } ?? "-",
                    row.isCause ? ">= 95 %" : "<= 5 %", row.passes ? "" : "NO",
                ])
            }
        }
        for task in result.tasks where !task.check.passes {
            table.notes.append(
                "\(task.name): not scored; its network does not prove what it uses: \(task.check.faults.joined(separator: "; "))")
        }
        return table
    }

    /// Localisation of every method on every task, and the mean; nil where one task is scored.
    private var overview: TablePage.Table? {
        let scored = result.tasks.filter { !$0.methods.isEmpty }
        guard scored.count > 1 else { return nil }
        var table = TablePage.Table(
            "Localisation of the proven cause: mean over tasks, and by task",
            [.init("method"), .init("mean")] + scored.map { .init($0.name) },
            notes: ["* control"])
        var names: [String] = []
        for method in scored.flatMap(\.methods) where !names.contains(method.name) { names.append(method.name) }
        let rows = names.map { name -> (mean: Double, cells: [String]) in
            let own = scored.map { task in task.methods.first { $0.name == name } }
            let known = own.compactMap { $0?.localisation.value }
            let mean = known.reduce(0, +) / Double(known.count)
            let isControl = own.contains { $0?.isControl == true }
            return (
                mean, [name + (isControl ? " *" : ""), Self.number(mean)] + own.map { $0.map { Self.estimate($0.localisation) } ?? "-" }
            )
        }
        table.rows = rows.sorted { ($1.mean, $0.cells[0]) < ($0.mean, $1.cells[0]) }.map(\.cells)
        return table
    }

    private func scores(_ task: TrustResult.Task) -> TablePage.Table? {
        guard !task.methods.isEmpty else { return nil }
        let hasClasses = task.methods.contains { $0.classContrast != nil }
        var columns = ["method", "localisation", "95 % interval", "precision (chance)"] + task.nonCauses.map { "credit to \($0)" }
        if hasClasses { columns.append("class contrast") }
        var table = TablePage.Table(
            "\(task.name): maps against what the network used, \(task.methods[0].images) images", columns.map { .init($0) })
        for m in task.methods {
            var row = [
                m.name + (m.isControl ? " *" : ""), Self.number(m.localisation.value), Self.interval(m.localisation),
                "\(Self.number(m.precision)) (\(Self.number(m.chance)))",
            ]
            row += task.nonCauses.map { part in m.credit[part].map { "x \(Self.estimate($0))" } ?? "-" }
            if hasClasses { row.append(m.classContrast.map(Self.estimate) ?? "-") }
            table.rows.append(row)
        }
        table.notes = [
            "Localisation: 0 at chance, 1 at best. Credit: share of the map's positive mass in multiples of chance."
                + (hasClasses ? " Class contrast: 0.5 for a map that ignores the class." : "") + " * control"
        ]
        table.notes += task.leftOut.sorted { $0.key < $1.key }.map { "left out: \($0.key): \($0.value)" }
        return table
    }

    private var ranked: [MetricTrust] { result.metrics.sorted { ($0.correlation ?? -2) > ($1.correlation ?? -2) } }

    private var metrics: TablePage.Table {
        var table = TablePage.Table(
            "Which metric ranks methods as the planted truth does",
            [
                .init("metric"), .init("family", isWords: true), .init("better", isWords: true), .init("rank correlation"),
                .init("95 % interval"), .init("tasks"), .init("methods"), .init("", isWords: true),
            ],
            notes: [
                "Rank correlation over methods, controls left out, of the metric's mean with localisation of the proven cause; mean over tasks. "
                    + "The interval is Student's over tasks. A metric whose interval does not lie above 0 does not beat chance. Metrics that ask a method for its map again are asked "
                    + "about methods of at most \(Int(TrustSettings.mostPasses)) passes."
            ])
        for m in ranked {
            let bounds = m.lower.flatMap { lower in m.upper.map { "[\(Self.number(lower)), \(Self.number($0))]" } }
            table.rows.append([
                m.name, m.family, m.better, m.correlation.map(Self.number) ?? "-", bounds ?? "-", "\(m.tasks)", "\(m.methods)",
                m.beatsChance ? "" : m.lower == nil ? "too few tasks for an interval" : "does not beat chance",
            ])
        }
        return table
    }

    private var metricsByTask: TablePage.Table {
        let tasks = result.tasks.map(\.name).filter { name in result.metrics.contains { $0.byTask[name] != nil } }
        var table = TablePage.Table("Rank correlation by task", [.init("metric")] + tasks.map { .init($0) })
        table.rows = ranked.map { m in [m.name] + tasks.map { m.byTask[$0].map(Self.number) ?? "-" } }
        return table
    }

    // MARK: Words

    private static func number(_ value: Double) -> String { String(format: "%.2f", value) }

    private static func estimate(_ estimate: TrustResult.Estimate) -> String {
        [number(estimate.value), interval(estimate)].filter { !$0.isEmpty }.joined(separator: " ")
    }

    private static func interval(_ estimate: TrustResult.Estimate) -> String {
        guard let lower = estimate.lower, let upper = estimate.upper else { return "" }
        return "[\(number(lower)), \(number(upper))]"
    }

    /// A table as lines; a name that the row above has too stands once.
    private static func text(_ table: TablePage.Table) -> String {
        var rows = [table.columns.map(\.title)] + table.rows
        for i in rows.indices.dropFirst(2).reversed() where rows[i][0] == rows[i - 1][0] { rows[i][0] = "" }
        let widths = rows[0].indices.map { c in rows.map { $0[c].count }.max() ?? 0 }
        let lines = rows.map { row in
            let line = zip(row, widths).map { $0.padding(toLength: $1 + 2, withPad: " ", startingAt: 0) }.joined()
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
        return ([table.caption] + lines + table.notes).joined(separator: "\n")
    }
}
