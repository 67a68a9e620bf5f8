import Foundation
import VitrineImage

/// The figure of a run: losses on the left, accuracies on the right, over the epochs, with the kept epoch marked.
struct TrainingCurves {
    let records: [EpochRecord]
    let bestEpoch: Int?

    private struct Series {
        var name: String
        var values: [Double?]
    }

    private static let (panelWidth, top, panelHeight) = (380.0, 50.0, 270.0)

    func drawing() -> Drawing {
        var drawing = Drawing(width: 960, height: 400, description: "Loss, accuracy, balanced accuracy and AUROC by epoch")
        let losses = [
            Series(name: "training", values: records.map(\.trainingLoss)),
            Series(name: "validation", values: records.map { $0.validation?.loss }),
        ]
        let shares = [
            Series(name: "training accuracy", values: records.map(\.trainingAccuracy)),
            Series(name: "balanced accuracy", values: records.map { $0.validation?.balancedAccuracy }),
            Series(name: "AUROC", values: records.map { $0.validation?.auroc }),
        ]
        let highest = losses.flatMap(\.values).compactMap { $0 }.filter(\.isFinite).max() ?? 1
        panel("loss", left: 70, top: 4 * Self.roundStep(max(highest, 1e-6) / 4), losses, into: &drawing)
        panel("validation (and training accuracy)", left: 550, top: 1, shares, into: &drawing)
        return drawing
    }

    /// The least of 1, 2, 2.5 and 5 times a power of ten that is not below a number.
    static func roundStep(_ least: Double) -> Double {
        let power = pow(10, log10(least).rounded(.down))
        return [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= least * (1 - 1e-12) } ?? 10 * power
    }

    private func panel(_ title: String, left: Double, top highest: Double, _ series: [Series], into drawing: inout Drawing) {
        let (right, bottom) = (left + Self.panelWidth, Self.top + Self.panelHeight)
        func x(_ index: Int) -> Double {
            left + Self.panelWidth * (records.count == 1 ? 0.5 : Double(index) / Double(max(records.count - 1, 1)))
        }
        func y(_ value: Double) -> Double { Self.top + Self.panelHeight * (1 - min(max(value / highest, 0), 1)) }
        drawing.text(title, left, Self.top - 14)
        for step in 0...4 {
            let tick = highest * Double(step) / 4
            drawing.line(left, y(tick), right, y(tick), .ink(opacity: 0.15))
            drawing.text(String(format: "%.3g", tick), left - 6, y(tick) + 4, anchor: .end)
        }
        drawing.text("1", left, bottom + 18)
        drawing.text("\(records.count)", right, bottom + 18, anchor: .end)
        drawing.text(bestEpoch.map { "epoch (dashed: \($0), kept)" } ?? "epoch", (left + right) / 2, bottom + 18, anchor: .middle)
        if let bestEpoch, (1...max(records.count, 1)).contains(bestEpoch) {
            drawing.line(x(bestEpoch - 1), Self.top, x(bestEpoch - 1), bottom, .ink(opacity: 0.5), isDashed: true)
        }
        for (i, series) in series.enumerated() {
            let paint = Drawing.Paint.color(Drawing.palette[i])
            let points = series.values.enumerated().compactMap { at, value in value.flatMap { $0.isFinite ? (x: x(at), y: y($0)) : nil } }
            guard !points.isEmpty else { continue }
            for (a, b) in zip(points, points.dropFirst()) { drawing.line(a.x, a.y, b.x, b.y, paint, width: 2) }
            for point in points { drawing.dot(point.x, point.y, radius: 2.5, paint) }
            let legend = left + Double(i) * 130
            drawing.rectangle(legend, bottom + 34, 14, 4, paint)
            drawing.text(series.name, legend + 20, bottom + 40)
        }
    }
}
