import VitrineEvaluate
import VitrineImage

/// The model's answer while patches go or come: a line per method, random orders dashed with their interval.
struct CurveFigure {
    let curves: CurveAnalysis
    /// Of the lines.
    let names: [String]
    let title: String

    func drawing() -> Drawing {
        let bounds = curves.intervals.flatMap { [$0.lower, $0.upper] }.filter(\.isFinite)
        let all = curves.lines.flatMap(\.values) + curves.random + bounds
        let (lowest, highest) = (min(0, all.min() ?? 0), max(all.max() ?? 1, 0.05))
        let (left, top, width, height) = (50.0, 24.0, 420.0, 220.0)
        var drawing = Drawing(
            width: left + width + 20, height: top + height + 44 + 18 * Double((names.count + 3) / 3),
            description: "\(title): the model's answer against the share of the patches, random orders dashed")
        let steps = Double(curves.random.count - 1)
        func x(_ point: Int) -> Double { left + width * Double(point) / steps }
        func y(_ value: Double) -> Double { top + height * (1 - (value - lowest) / (highest - lowest)) }
        func legend(_ i: Int) -> (x: Double, y: Double) { (left + 145 * Double(i % 3), top + height + 52 + 18 * Double(i / 3)) }
        drawing.text(title, 4, 14)
        for tick in Axis.ticks(lowest, highest) {
            drawing.line(left, y(tick), left + width, y(tick), .ink(opacity: 0.15))
            drawing.text(Axis.label(tick), left - 6, y(tick) + 4, anchor: .end)
        }
        for share in [0.0, 0.25, 0.5, 0.75, 1] {
            drawing.text(share == 0 ? "0" : Format.percent(share), left + width * share, top + height + 16, anchor: .middle)
        }
        drawing.text("share of the patches", left + width / 2, top + height + 32, anchor: .middle)
        func line(_ values: [Double], _ paint: Drawing.Paint, width: Double, isDashed: Bool = false) {
            for point in 1..<values.count {
                drawing.line(x(point - 1), y(values[point - 1]), x(point), y(values[point]), paint, width: width, isDashed: isDashed)
            }
        }
        for (point, interval) in curves.intervals.enumerated() where interval.lower.isFinite && interval.upper.isFinite {
            drawing.line(x(point), y(interval.lower), x(point), y(interval.upper), .ink(opacity: 0.35), width: 5)
        }
        for (i, method) in curves.lines.enumerated() {
            let paint = Drawing.Paint.color(Drawing.palette[i % Drawing.palette.count])
            // A palette that begins again does so with dashes.
            line(method.values, paint, width: 2, isDashed: i >= Drawing.palette.count)
            let place = legend(i)
            drawing.rectangle(place.x, place.y - 6, 14, 4, paint)
            drawing.text(names[i], place.x + 20, place.y)
        }
        line(curves.random, .ink, width: 1, isDashed: true)
        let place = legend(names.count)
        drawing.line(place.x, place.y - 4, place.x + 14, place.y - 4, isDashed: true)
        drawing.text("random orders", place.x + 20, place.y)
        return drawing
    }
}
