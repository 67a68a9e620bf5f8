import Foundation
import VitrineImage
import VitrineStudy

/// Score against lesion size: every image a dot while there are few, means over tenths of the images when there are many.
struct SizeFigure {
    let strata: [StrataAnalysis]
    let names: [String]
    let title: String

    private static let mostDots = 400

    func drawing() -> Drawing {
        let areas = strata.flatMap { $0.points.map(\.area) }.filter { $0 > 0 }
        let (low, high) = (areas.min() ?? 0.001, max(areas.max() ?? 1, (areas.min() ?? 0.001) * 2))
        let (left, top, width, height) = (50.0, 24.0, 420.0, 220.0)
        let values = strata.flatMap { $0.points.map(\.value) }
        let highest = max(values.max() ?? 1, 0.05)
        let lowest = min(values.min() ?? 0, 0)
        var drawing = Drawing(
            width: left + width + 20, height: top + height + 44 + 18 * Double((names.count + 2) / 3),
            description: "\(title): score against the share of the image that the lesion covers")
        func x(_ area: Double) -> Double { left + width * (log(max(area, low)) - log(low)) / (log(high) - log(low)) }
        func y(_ value: Double) -> Double { top + height * (1 - (value - lowest) / (highest - lowest)) }
        drawing.text(title, left, 14)
        for tick in Axis.ticks(lowest, highest) {
            drawing.line(left, y(tick), left + width, y(tick), .ink(opacity: 0.15))
            drawing.text(Axis.label(tick), left - 6, y(tick) + 4, anchor: .end)
        }
        for tick in [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1] where tick >= low && tick <= high {
            drawing.line(x(tick), top, x(tick), top + height, .ink(opacity: 0.15))
            drawing.text(Format.percent(tick), x(tick), top + height + 16, anchor: .middle)
        }
        drawing.text("lesion area, share of the image", left + width / 2, top + height + 32, anchor: .middle)
        for (i, stratum) in strata.enumerated() {
            let paint = Drawing.Paint.color(Drawing.palette[i % Drawing.palette.count])
            let sorted = stratum.points.filter { $0.area > 0 }.sorted { ($0.area, $0.value) < ($1.area, $1.value) }
            if sorted.count <= Self.mostDots {
                for point in sorted { drawing.dot(x(point.area), y(point.value), radius: 2, paint, isHollow: false) }
            }
            let bins = min(10, max(1, sorted.count / 5))
            var previous: (Double, Double)?
            for bin in 0..<bins where !sorted.isEmpty {
                let members = sorted[sorted.count * bin / bins..<sorted.count * (bin + 1) / bins]
                let count = Double(members.count)
                let at = (x(members[members.startIndex + members.count / 2].area), y(members.reduce(0) { $0 + $1.value } / count))
                if let previous { drawing.line(previous.0, previous.1, at.0, at.1, paint, width: 2) }
                previous = at
            }
            let (column, row) = (Double(i % 3), Double(i / 3))
            drawing.rectangle(left + 145 * column, top + height + 46 + 18 * row, 14, 4, paint)
            drawing.text(names[i], left + 145 * column + 20, top + height + 52 + 18 * row)
        }
        return drawing
    }
}
