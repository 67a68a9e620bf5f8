import VitrineImage
import VitrineStudy

/// Scores with their intervals, one row per model and method; the chance level, the centre prior and the ceiling are marked.
struct IntervalFigure {
    let metric: MetricAnalysis
    let dataset: DatasetAnalysis
    let study: StudyAnalysis

    func drawing() -> Drawing {
        let rows = metric.cells.compactMap { cell -> (label: String, cell: Cell, group: Int)? in
            guard let model = dataset.model(cell.modelID), let method = study.method(cell.methodID) else { return nil }
            return (
                model.kind == .none ? "\(method.name) (control)" : "\(method.name), \(model.name)", cell,
                dataset.models.firstIndex { $0.id == model.id } ?? 0
            )
        }
        let bounds = rows.flatMap { [$0.cell.value, $0.cell.interval.lower, $0.cell.interval.upper, $0.cell.chance ?? 0] }
            .filter(\.isFinite)
        let (low, high) = (min(0, bounds.min() ?? 0), max(bounds.max() ?? 1, 0.05))
        let labelWidth = 14 + 6.6 * Double(rows.map(\.label.count).max() ?? 10)
        let plot = 420.0
        let height = 46 + 18 * Double(rows.count)
        var drawing = Drawing(
            width: labelWidth + plot + 30, height: height + 30,
            description:
                "\(metric.metric.name) (\(metric.metric.protocolName)) on \(dataset.dataset.name): scores with 95 % intervals; the numbers stand in the tables"
        )
        func x(_ value: Double) -> Double { labelWidth + plot * (min(max(value, low), high) - low) / (high - low) }
        for step in Axis.ticks(low, high) {
            drawing.line(x(step), 14, x(step), height, .ink(opacity: 0.15))
            drawing.text(Axis.label(step), x(step), height + 16, anchor: .middle)
        }
        let centre = study.methods.first { $0.identifier == "centre" }?.id
        if let level = metric.cells.first(where: { $0.methodID == centre })?.value {
            drawing.line(x(level), 14, x(level), height, .color(Drawing.palette[1]), isDashed: true)
            drawing.text("centre prior", x(level), 10, anchor: level > (low + high) / 2 ? .end : .start, .color(Drawing.palette[1]))
        }
        for (i, row) in rows.enumerated() {
            let y = 28 + 18 * Double(i)
            let paint = Drawing.Paint.color(row.group == 0 ? Drawing.palette[7] : Drawing.palette[(row.group - 1) % 7])
            drawing.text(row.label, labelWidth - 8, y + 4, anchor: .end)
            if row.cell.interval.lower.isFinite {
                drawing.line(x(row.cell.interval.lower), y, x(row.cell.interval.upper), y, paint, width: 2)
            }
            drawing.dot(x(row.cell.value), y, radius: 4, paint, isHollow: row.cell.verdict != .localises)
            if let chance = row.cell.chance { drawing.line(x(chance), y - 6, x(chance), y + 6, .ink(opacity: 0.7), width: 1.5) }
            if let ceiling = row.cell.ceiling, ceiling <= high { drawing.line(x(ceiling), y - 6, x(ceiling), y + 6, .ink(opacity: 0.35)) }
        }
        return drawing
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

    static func label(_ value: Double) -> String {
        let text = Format.fixed(value, abs(value) >= 10 ? 0 : 3)
        guard text.contains(".") else { return text }
        let trimmed = String(text.reversed().drop { $0 == "0" }.reversed())
        return trimmed.hasSuffix(".") ? String(trimmed.dropLast()) : trimmed
    }
}
