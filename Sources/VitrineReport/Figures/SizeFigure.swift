import Foundation
import VitrineImage
import VitrineStudy

/// Score against lesion size, with the chance level: every image a dot while there are few, and lines that join means over up to ten groups
/// of images of like lesion size.
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
            width: left + width + 20, height: top + height + 44 + 18 * Double((names.count + 3) / 3),
            description: "\(title): score against the share of the image that the lesion covers")
        func x(_ area: Double) -> Double { left + width * (log(max(area, low)) - log(low)) / (log(high) - log(low)) }
        func y(_ value: Double) -> Double { top + height * (1 - (value - lowest) / (highest - lowest)) }
        func legend(_ i: Int) -> (x: Double, y: Double) { (left + 145 * Double(i % 3), top + height + 52 + 18 * Double(i / 3)) }
        drawing.text(title, 4, 14)
        for tick in Axis.ticks(lowest, highest) {
            drawing.line(left, y(tick), left + width, y(tick), .ink(opacity: 0.15))
            drawing.text(Axis.label(tick), left - 6, y(tick) + 4, anchor: .end)
        }
        for tick in Axis.logarithmicTicks(low, high) {
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
            join(sorted.map { ($0.area, $0.value) }) { drawing.line(x($0.0), y($0.1), x($1.0), y($1.1), paint, width: 2) }
            let place = legend(i)
            drawing.rectangle(place.x, place.y - 6, 14, 4, paint)
            drawing.text(names[i], place.x + 20, place.y)
        }
        // Chance depends a little on the method, by its ties: the mean over methods.
        let chances = strata.flatMap(\.points).filter { $0.area > 0 && $0.chance.isFinite }.map { ($0.area, $0.chance) }.sorted { $0 < $1 }
        if !chances.isEmpty {
            join(chances) { drawing.line(x($0.0), y($0.1), x($1.0), y($1.1), isDashed: true) }
            let place = legend(names.count)
            drawing.line(place.x, place.y - 4, place.x + 14, place.y - 4, isDashed: true)
            drawing.text("chance", place.x + 20, place.y)
        }
        return drawing
    }

    /// Draws from mean to mean of up to ten groups of points, which are sorted by their first number.
    private func join(_ points: [(Double, Double)], _ line: ((Double, Double), (Double, Double)) -> Void) {
        let bins = min(10, max(1, points.count / 5))
        var previous: (Double, Double)?
        for bin in 0..<bins where !points.isEmpty {
            let members = points[points.count * bin / bins..<points.count * (bin + 1) / bins]
            let mean = (members[members.startIndex + members.count / 2].0, members.reduce(0) { $0 + $1.1 } / Double(members.count))
            if let previous { line(previous, mean) }
            previous = mean
        }
    }
}
