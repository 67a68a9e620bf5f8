import VitrineStudy

/// `tables.tex`: the study's tables with booktabs, one per data set, metric and protocol.
///
/// A cell is the score with its interval below it; a dagger marks what is not shown to beat the centre prior, a double dagger what is not
/// shown to beat chance. `\input` it after `\usepackage{booktabs}`.
struct LaTeXTables {
    let study: StudyAnalysis

    func text() -> String {
        var out = [
            "% Needs \\usepackage{booktabs}. Scores with 95 % patient-bootstrap intervals.",
            "% \\dag: not above the centre prior; \\ddag: not above chance (Holm-adjusted, 5 %).",
        ]
        for dataset in study.datasets {
            for metric in dataset.metrics { out += table(dataset, metric) }
        }
        return out.joined(separator: "\n") + "\n"
    }

    private func table(_ dataset: DatasetAnalysis, _ metric: MetricAnalysis) -> [String] {
        let columns = dataset.columns.filter { model in metric.cells.contains { $0.modelID == model.id } }
        let rows = study.methods.filter { method in metric.cells.contains { $0.methodID == method.id } }
        let isControlsOnly = columns.isEmpty
        var out = [
            "", "\\begin{table}", "\\centering",
            "\\caption{\(Self.escaped(dataset.dataset.name)): \(Self.escaped(metric.metric.name)), protocol \(metric.metric.protocolName). "
                + "Mean over images with 95\\,\\% interval. $^\\dag$ not shown to be above the centre prior, $^\\ddag$ nor above chance, $^{?}$ cannot be told with so few patients.}",
            "\\begin{tabular}{l\(String(repeating: "c", count: isControlsOnly ? 1 : columns.count))}", "\\toprule",
            "Method & " + (isControlsOnly ? ["no model"] : columns.map { Self.escaped($0.name) }).joined(separator: " & ") + " \\\\",
            "\\midrule",
        ]
        for method in rows where !method.isControl {
            let cells = columns.map { metric.cell(model: $0.id, method: method.id) }
            out.append(Self.escaped(method.name) + " & " + cells.map { $0.map(Self.score) ?? "--" }.joined(separator: " & ") + " \\\\")
            out.append(" & " + cells.map { $0.map(Self.interval) ?? "" }.joined(separator: " & ") + " \\\\")
        }
        let controls = rows.filter(\.isControl)
        if !controls.isEmpty, !isControlsOnly { out.append("\\midrule") }
        let none = dataset.models.first { $0.kind == .none }?.id ?? -1
        for method in controls {
            guard let cell = metric.cell(model: none, method: method.id) else { continue }
            let text = "\(Self.score(cell)) \(Self.interval(cell))"
            let span = isControlsOnly ? text : "\\multicolumn{\(columns.count)}{c}{\(text)}"
            out.append("\(Self.escaped(method.name)) & \(span) \\\\")
        }
        if let chance = metric.cells.compactMap(\.chance).first {
            let (low, high) = (metric.cells.compactMap(\.chance).min() ?? chance, metric.cells.compactMap(\.chance).max() ?? chance)
            let range = low == high ? Format.score(low) : "\(Format.score(low)) to \(Format.score(high))"
            out.append("chance & " + (isControlsOnly ? range : "\\multicolumn{\(columns.count)}{c}{\(range)}") + " \\\\")
        }
        return out + ["\\bottomrule", "\\end{tabular}", "\\end{table}"]
    }

    private static func score(_ cell: Cell) -> String {
        let mark =
            switch cell.verdict {
            case .chanceOnly: "$^{\\dag}$"
            case .notAboveChance: "$^{\\ddag}$"
            case .noPower: "$^{?}$"
            case .localises, .noCentre, .untested: ""
            }
        return "\(Format.score(cell.value))\(mark)"
    }

    private static func interval(_ cell: Cell) -> String {
        guard cell.interval.lower.isFinite, cell.interval.method != .constant else { return "" }
        return "{\\footnotesize [\(Format.score(cell.interval.lower)), \(Format.score(cell.interval.upper))]}"
    }

    /// Text of a table's cell; a character beyond Latin, which pdflatex may lack, is written as its code point.
    static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "&", "%", "$", "#", "_", "{", "}": "\\\(scalar)"
            case "~": "\\textasciitilde{}"
            case "^": "\\textasciicircum{}"
            case "\\": "\\textbackslash{}"
            // At the start of a row these would belong to the line break before it.
            case "[", "*": "{\(scalar)}"
            case "\u{20}"..."\u{7E}", "\u{C0}"..."\u{17F}": String(scalar)
            case "\u{00}"..."\u{1F}", "\u{7F}"..."\u{A0}": " "
            default: "{[}U+" + String(scalar.value, radix: 16, uppercase: true) + "]"
            }
        }.joined()
    }
}
