import Foundation
import VitrineStudy

/// The result of a trust run on phantoms, as tables for the terminal.
struct TrustTable {
    let result: TrustResult

    init(_ result: TrustResult) { self.result = result }

    var text: String {
        ([checks] + result.tasks.map(scores) + (result.metrics.isEmpty ? [] : [metrics])).joined(separator: "\n\n")
    }

    /// What the networks proved.
    private var checks: String {
        var rows = [["task", "balanced accuracy", "without", "prediction changes", "must", ""]]
        for task in result.tasks {
            let check = task.check
            for (i, row) in check.rows.enumerated() {
                rows.append([
                    i == 0 ? task.name : "", i == 0 ? Self.number(check.balancedAccuracy) : "", row.removed,
                    "\(row.flips) of \(row.images)", row.isCause ? ">= 95 %" : "<= 5 %", row.passes ? "" : "NO",
                ])
            }
        }
        var lines = ["What the networks use: the same pictures drawn without a part"] + Self.aligned(rows)
        for task in result.tasks where !task.check.passes {
            lines.append("\(task.name): not scored; its network does not prove what it uses: \(task.check.faults.joined(separator: "; "))")
        }
        return lines.joined(separator: "\n")
    }

    private func scores(_ task: TrustResult.Task) -> String {
        guard !task.methods.isEmpty else { return "\(task.name): no scores" }
        let hasClasses = task.methods.contains { $0.classContrast != nil }
        var rows = [["method", "localisation", "95 % interval", "precision (chance)"] + task.nonCauses.map { "credit to \($0)" }]
        if hasClasses { rows[0].append("class contrast") }
        for m in task.methods {
            var row = [
                m.name + (m.isControl ? " *" : ""), Self.number(m.localisation.value), Self.interval(m.localisation),
                "\(Self.number(m.precision)) (\(Self.number(m.chance)))",
            ]
            row += task.nonCauses.map { part in m.credit[part].map { "x \(Self.number($0.value)) \(Self.interval($0))" } ?? "-" }
            if hasClasses { row.append(m.classContrast.map { "\(Self.number($0.value)) \(Self.interval($0))" } ?? "-") }
            rows.append(row)
        }
        let title =
            "\(task.name): maps against what the network used, \(task.methods[0].images) images (localisation 0 at chance, 1 at best; "
            + "credit in multiples of chance\(hasClasses ? "; class contrast 0.5 for a map that ignores the class" : ""); * control)"
        var lines = [title] + Self.aligned(rows)
        for (name, reason) in task.leftOut.sorted(by: { $0.key < $1.key }) { lines.append("left out: \(name): \(reason)") }
        return lines.joined(separator: "\n")
    }

    private var metrics: String {
        var rows = [["metric", "better", "rank correlation with the truth", "95 % interval", "tasks", ""]]
        for m in result.metrics.sorted(by: { ($0.correlation ?? -2) > ($1.correlation ?? -2) }) {
            let bounds = m.lower.flatMap { lower in m.upper.map { "[\(Self.number(lower)), \(Self.number($0))]" } }
            rows.append([
                m.name, m.better, m.correlation.map(Self.number) ?? "-", bounds ?? "-", "\(m.tasks)",
                m.beatsChance ? "" : "does not beat chance",
            ])
        }
        return (["Which metric ranks methods as the planted truth does"] + Self.aligned(rows)).joined(separator: "\n")
    }

    private static func number(_ value: Double) -> String { String(format: "%.2f", value) }

    private static func interval(_ estimate: TrustResult.Estimate) -> String {
        guard let lower = estimate.lower, let upper = estimate.upper else { return "" }
        return "[\(number(lower)), \(number(upper))]"
    }

    private static func aligned(_ rows: [[String]]) -> [String] {
        let widths = rows[0].indices.map { c in rows.map { $0[c].count }.max() ?? 0 }
        return rows.map { row in
            let line = zip(row, widths).map { $0.padding(toLength: $1 + 2, withPad: " ", startingAt: 0) }.joined()
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
