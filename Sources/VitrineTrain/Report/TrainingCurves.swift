import Foundation
import VitrineImage

/// The figure of a run: losses on the left, accuracies on the right, over the epochs, with the kept epoch marked.
struct TrainingCurves {
    let records: [EpochRecord]
    let bestEpoch: Int?

    private struct Series {
        var name: String
        var color: Color
        var values: [Double?]
    }

    private struct Panel {
        var title: String
        var left: Int
        var range: ClosedRange<Double>
        var series: [Series]
    }

    private static let (width, height) = (960, 400)
    private static let (panelWidth, top, panelHeight) = (380, 50, 270)
    // Okabe & Ito's palette: told apart by readers of every colour vision.
    private static let (blue, orange, green) = (Color(0, 114, 178), Color(213, 94, 0), Color(0, 158, 115))

    private var panels: [Panel] {
        let losses = [
            Series(name: "training", color: Self.blue, values: records.map(\.trainingLoss)),
            Series(name: "validation", color: Self.orange, values: records.map { $0.validation?.loss }),
        ]
        let shares = [
            Series(name: "training accuracy", color: Self.blue, values: records.map(\.trainingAccuracy)),
            Series(name: "balanced accuracy", color: Self.orange, values: records.map { $0.validation?.balancedAccuracy }),
            Series(name: "AUROC", color: Self.green, values: records.map { $0.validation?.auroc }),
        ]
        let top = losses.flatMap(\.values).compactMap { $0 }.filter(\.isFinite).max() ?? 1
        return [
            Panel(title: "loss", left: 70, range: 0...max(top * 1.05, 1e-6), series: losses),
            Panel(title: "validation (and training accuracy)", left: 550, range: 0...1, series: shares),
        ]
    }

    private func x(_ index: Int, _ panel: Panel) -> Double {
        let span = max(records.count - 1, 1)
        return Double(panel.left) + Double(Self.panelWidth) * (records.count == 1 ? 0.5 : Double(index) / Double(span))
    }

    private func y(_ value: Double, _ panel: Panel) -> Double {
        let share = (value - panel.range.lowerBound) / (panel.range.upperBound - panel.range.lowerBound)
        return Double(Self.top) + Double(Self.panelHeight) * (1 - min(max(share, 0), 1))
    }

    private func points(_ series: Series, _ panel: Panel) -> [(x: Double, y: Double)] {
        series.values.enumerated().compactMap { i, value in value.flatMap { $0.isFinite ? (x(i, panel), y($0, panel)) : nil } }
    }

    private func ticks(_ panel: Panel) -> [Double] {
        (0...4).map { panel.range.lowerBound + Double($0) / 4 * (panel.range.upperBound - panel.range.lowerBound) }
    }

    private func label(_ value: Double) -> String { String(format: value >= 10 ? "%.1f" : "%.2f", value) }

    func svg() -> String {
        func color(_ c: Color) -> String { String(format: "#%02x%02x%02x", Int(c.red), Int(c.green), Int(c.blue)) }
        func n(_ value: Double) -> String { String(format: "%.1f", value) }
        var out = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(Self.width)\" height=\"\(Self.height)\" "
                + "viewBox=\"0 0 \(Self.width) \(Self.height)\" font-family=\"sans-serif\" font-size=\"12\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        ]
        for panel in panels {
            let (left, right) = (panel.left, panel.left + Self.panelWidth)
            let bottom = Self.top + Self.panelHeight
            out.append("<text x=\"\(left)\" y=\"\(Self.top - 14)\" font-size=\"14\">\(panel.title)</text>")
            for tick in ticks(panel) {
                let at = n(y(tick, panel))
                out.append("<line x1=\"\(left)\" y1=\"\(at)\" x2=\"\(right)\" y2=\"\(at)\" stroke=\"#dddddd\"/>")
                out.append("<text x=\"\(left - 6)\" y=\"\(n(y(tick, panel) + 4))\" text-anchor=\"end\">\(label(tick))</text>")
            }
            out.append("<text x=\"\(left)\" y=\"\(bottom + 18)\">1</text>")
            out.append("<text x=\"\(right)\" y=\"\(bottom + 18)\" text-anchor=\"end\">\(records.count)</text>")
            out.append("<text x=\"\((left + right) / 2)\" y=\"\(bottom + 18)\" text-anchor=\"middle\">epoch</text>")
            if let bestEpoch, (1...max(records.count, 1)).contains(bestEpoch) {
                let at = n(x(bestEpoch - 1, panel))
                out.append(
                    "<line x1=\"\(at)\" y1=\"\(Self.top)\" x2=\"\(at)\" y2=\"\(bottom)\" stroke=\"#888888\" stroke-dasharray=\"4 3\"/>")
            }
            for (i, series) in panel.series.enumerated() {
                let p = points(series, panel)
                guard !p.isEmpty else { continue }
                let path = p.map { "\(n($0.x)),\(n($0.y))" }.joined(separator: " ")
                out.append("<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color(series.color))\" stroke-width=\"2\"/>")
                out += p.map { "<circle cx=\"\(n($0.x))\" cy=\"\(n($0.y))\" r=\"2.5\" fill=\"\(color(series.color))\"/>" }
                let legend = left + i * 130
                out.append("<rect x=\"\(legend)\" y=\"\(bottom + 34)\" width=\"14\" height=\"4\" fill=\"\(color(series.color))\"/>")
                out.append("<text x=\"\(legend + 20)\" y=\"\(bottom + 40)\">\(series.name)</text>")
            }
        }
        return (out + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    func image() -> Image {
        var canvas = Canvas(width: Self.width, height: Self.height)
        let grey = Color(221, 221, 221)
        for panel in panels {
            let bottom = Self.top + Self.panelHeight
            canvas.draw(panel.title, top: Self.top - 26, left: panel.left, scale: 2)
            for tick in ticks(panel) {
                let at = Int(y(tick, panel))
                canvas.fill(PixelRectangle(top: at, left: panel.left, width: Self.panelWidth, height: 1), with: grey)
                let text = label(tick)
                canvas.draw(text, top: at - 4, left: panel.left - 6 - Canvas.textWidth(text))
            }
            let last = "\(records.count)"
            canvas.draw("1", top: bottom + 8, left: panel.left)
            canvas.draw("epoch", top: bottom + 8, left: panel.left + Self.panelWidth / 2 - 15)
            canvas.draw(last, top: bottom + 8, left: panel.left + Self.panelWidth - Canvas.textWidth(last))
            if let bestEpoch, (1...max(records.count, 1)).contains(bestEpoch) {
                let at = Int(x(bestEpoch - 1, panel))
                for row in stride(from: Self.top, to: bottom, by: 7) {
                    canvas.fill(PixelRectangle(top: row, left: at, width: 1, height: 4), with: Color(136, 136, 136))
                }
            }
            for (i, series) in panel.series.enumerated() {
                let p = points(series, panel)
                guard !p.isEmpty else { continue }
                for (a, b) in zip(p, p.dropFirst()) { canvas.line(from: a, to: b, color: series.color) }
                for point in p {
                    canvas.fill(
                        PixelRectangle(top: Int(point.y) - 2, left: Int(point.x) - 2, width: 5, height: 5), with: series.color)
                }
                let legend = panel.left + i * 130
                canvas.fill(PixelRectangle(top: bottom + 34, left: legend, width: 14, height: 4), with: series.color)
                canvas.draw(series.name, top: bottom + 32, left: legend + 18)
            }
        }
        return canvas.image
    }
}

extension Canvas {
    /// A straight line, two pixels wide.
    fileprivate mutating func line(from a: (x: Double, y: Double), to b: (x: Double, y: Double), color: Color) {
        let steps = max(Int(max(abs(b.x - a.x), abs(b.y - a.y)).rounded(.up)), 1)
        for i in 0...steps {
            let t = Double(i) / Double(steps)
            fill(
                PixelRectangle(top: Int(a.y + t * (b.y - a.y)), left: Int(a.x + t * (b.x - a.x)), width: 2, height: 2), with: color)
        }
    }
}
