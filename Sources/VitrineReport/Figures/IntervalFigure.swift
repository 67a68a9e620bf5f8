import Foundation
import VitrineImage
import VitrineStore

/// Scores with their intervals, the best first, a colour per model; the chance level and the centre prior are marked.
struct IntervalFigure {
    let metric: MetricAnalysis
    let dataset: DatasetAnalysis
    let study: StudyAnalysis

    private struct Row {
        var label: String
        var cell: Cell
        /// Of the model, 0 for the controls that know none.
        var group: Int
    }

    func drawing() -> Drawing {
        let rows = rows()
        let groups = dataset.models.indices.filter { group in rows.contains { $0.group == group } }
        let bounds = rows.flatMap { [$0.cell.value, $0.cell.interval.lower, $0.cell.interval.upper, $0.cell.chance ?? 0] }
            .filter(\.isFinite)
        let (low, high) = (min(0, bounds.min() ?? 0), max(bounds.max() ?? 1, 0.05))
        let labelWidth = 14 + 6.6 * Double(rows.map(\.label.count).max() ?? 10)
        let plot = max(560, 900 - labelWidth)
        let top = 30 + 18 * Double(groups.count / 4 + 1)
        let bottom = top + 14 + 18 * Double(rows.count)
        var drawing = Drawing(
            width: labelWidth + plot + 30, height: bottom + 48,
            description:
                "\(metric.metric.name) (\(metric.metric.protocolName)) on \(dataset.dataset.name): scores with 95 % intervals; the numbers stand in the tables"
        )
        func x(_ value: Double) -> Double { labelWidth + plot * (min(max(value, low), high) - low) / (high - low) }
        legend(groups, labelWidth, &drawing)
        for step in Axis.ticks(low, high) {
            drawing.line(x(step), top, x(step), bottom, .ink(opacity: 0.15))
            drawing.text(Axis.label(step), x(step), bottom + 16, anchor: .middle)
        }
        drawing.text("\(metric.metric.name) (\(metric.metric.protocolName))", labelWidth + plot / 2, bottom + 36, anchor: .middle)
        let centre = study.methods.first { $0.identifier == "centre" }?.id
        if let level = metric.cells.first(where: { $0.methodID == centre })?.value {
            drawing.line(x(level), top, x(level), bottom, .color(Drawing.palette[1]), isDashed: true)
            drawing.text("centre prior", x(level), top - 4, anchor: level > (low + high) / 2 ? .end : .start, .color(Drawing.palette[1]))
        }
        for (i, row) in rows.enumerated() {
            let y = top + 14 + 18 * Double(i)
            drawing.text(row.label, labelWidth - 8, y + 4, anchor: .end)
            // Below the dot, which would hide under it otherwise.
            if let chance = row.cell.chance { drawing.line(x(chance), y - 6, x(chance), y + 6, .ink(opacity: 0.7), width: 1.5) }
            if row.cell.interval.lower.isFinite {
                drawing.line(x(row.cell.interval.lower), y, x(row.cell.interval.upper), y, paint(row.group), width: 2)
            }
            drawing.dot(x(row.cell.value), y, radius: 4, paint(row.group), isHollow: row.cell.verdict != .localises)
        }
        return drawing
    }

    private func rows() -> [Row] {
        let sign = metric.metric.better.sign ?? 1
        return metric.cells.compactMap { cell in
            guard let model = dataset.model(cell.modelID), let method = study.method(cell.methodID) else { return nil }
            return Row(
                label: model.kind == .none ? "\(method.name) (control)" : "\(method.name), \(model.name)", cell: cell,
                group: dataset.models.firstIndex { $0.id == model.id } ?? 0)
        }
        .sorted { (sign * $0.cell.value, $1.label) > (sign * $1.cell.value, $0.label) }
    }

    private func legend(_ groups: [Int], _ left: Double, _ drawing: inout Drawing) {
        let names = groups.map { dataset.models[$0] }.map { model in
            switch model.kind {
            case .none: "controls that know no model"
            case .randomWeights: "\(model.name) (control)"
            default: model.name
            }
        }
        let step = 34 + 6.6 * Double(names.map(\.count).max() ?? 0)
        for (i, group) in groups.enumerated() {
            let (x, y) = (left + step * Double(i % 4), 12 + 18 * Double(i / 4))
            drawing.dot(x + 6, y - 4, radius: 4, paint(group))
            drawing.text(names[i], x + 16, y)
        }
    }

    private func paint(_ group: Int) -> Drawing.Paint {
        .color(group == 0 ? Drawing.palette[7] : Drawing.palette[(group - 1) % 7])
    }
}

/// Round numbers along an axis.
enum Axis {
    /// About five steps of 1, 2 or 5 times a power of ten.
    static func ticks(_ low: Double, _ high: Double) -> [Double] {
        guard high > low else { return [low] }
        var step = 1.0
        let wanted = (high - low) / 5
        while step > wanted { step /= 10 }
        while step * 10 <= wanted { step *= 10 }
        step *= wanted / step >= 5 ? 5 : wanted / step >= 2 ? 2 : 1
        let first = Int((low / step - 1e-9).rounded(.up))
        let last = Int((high / step + 1e-9).rounded(.down))
        return first > last ? [low, high] : (first...last).map { Double($0) * step }
    }

    /// Ticks of a logarithmic axis of shares: 1, 2 and 5 times powers of ten, and the ends where fewer than three of these fit.
    static func logarithmicTicks(_ low: Double, _ high: Double) -> [Double] {
        let powers = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]
        let round = powers.flatMap { [$0, 2 * $0, 5 * $0] }.filter { $0 >= low && $0 <= high }
        guard round.count < 3 else { return round }
        // An end close to a round number would be written over it.
        let least = pow(high / low, 1.0 / 8)
        let ends = [low, high].filter { end in round.allSatisfy { max($0, end) / min($0, end) > least } }
        return (round + ends).sorted()
    }

    static func label(_ value: Double) -> String {
        let text = Format.fixed(value, abs(value) >= 10 ? 0 : 3)
        guard text.contains(".") else { return text }
        let trimmed = String(text.reversed().drop { $0 == "0" }.reversed())
        return trimmed.hasSuffix(".") ? String(trimmed.dropLast()) : trimmed
    }
}
