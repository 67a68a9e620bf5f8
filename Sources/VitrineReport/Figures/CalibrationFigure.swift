import VitrineImage
import VitrineStore

/// Confidence against accuracy, in ten bins; dots as large as their bins are full.
struct CalibrationFigure {
    let prediction: PredictionAnalysis
    let title: String

    func drawing() -> Drawing {
        let (left, top, side) = (44.0, 42.0, 180.0)
        var drawing = Drawing(
            width: max(left + side + 20, 12 + 6.6 * Double(title.count)), height: top + side + 40,
            description: "\(title): expected calibration error \(Format.fixed(prediction.calibration.expectedError, 3))")
        func x(_ value: Double) -> Double { left + side * value }
        func y(_ value: Double) -> Double { top + side * (1 - value) }
        drawing.text(title, 4, 14)
        drawing.text("share right", 4, 32)
        for tick in [0, 0.25, 0.5, 0.75, 1] {
            drawing.line(left, y(tick), left + side, y(tick), .ink(opacity: 0.15))
            drawing.text(Axis.label(tick), left - 5, y(tick) + 4, anchor: .end)
            drawing.text(Axis.label(tick), x(tick), top + side + 16, anchor: .middle)
        }
        drawing.line(x(0), y(0), x(1), y(1), .ink(opacity: 0.5), isDashed: true)
        let most = Double(prediction.calibration.bins.map(\.count).max() ?? 1)
        for bin in prediction.calibration.bins where bin.count > 0 {
            drawing.dot(
                x(bin.confidence), y(bin.accuracy), radius: 2 + 5 * (Double(bin.count) / max(most, 1)).squareRoot(),
                .color(Drawing.palette[0]))
        }
        drawing.text("confidence", left + side / 2, top + side + 32, anchor: .middle)
        return drawing
    }
}
