import VitrineImage
import VitrineStore

/// Demšar's diagram: mean ranks on a line, bars over methods that Nemenyi's test does not tell apart.
struct CriticalDifferenceFigure {
    let ranking: MetricAnalysis.Ranking
    let names: [String]
    let title: String

    func drawing() -> Drawing {
        let ranks = ranking.criticalDifference.averageRanks
        let order = ranking.criticalDifference.order
        let k = Double(ranks.count)
        let label = 20 + 6.6 * Double(names.map(\.count).max() ?? 10)
        let scale = 360.0
        let half = (order.count + 1) / 2
        let bars = ranking.criticalDifference.indistinguishable
        let first = 56 + 12 * Double(bars.count)
        var drawing = Drawing(
            width: 2 * label + scale, height: first + 20 * Double(half) + 10,
            description: "\(title). Mean ranks: "
                + order.map { "\(names[$0]) \(Format.fixed(ranks[$0], 2))" }.joined(separator: ", ")
                + "; critical difference \(Format.fixed(ranking.criticalDifference.criticalDifference, 2))")
        func x(_ rank: Double) -> Double { label + scale * (rank - 1) / max(k - 1, 1) }
        drawing.line(x(1), 40, x(k), 40, width: 1.5)
        for rank in 1...max(1, ranks.count) {
            drawing.line(x(Double(rank)), 35, x(Double(rank)), 45)
            drawing.text("\(rank)", x(Double(rank)), 31, anchor: .middle)
        }
        let critical = min(ranking.criticalDifference.criticalDifference, k - 1)
        drawing.line(x(1), 14, x(1 + critical), 14, .color(Drawing.palette[1]), width: 2)
        drawing.text(
            "CD \(Format.fixed(ranking.criticalDifference.criticalDifference, 2))", x(1 + critical) + 6, 18, .color(Drawing.palette[1]))
        for (i, bar) in bars.enumerated() {
            let y = 52 + 12 * Double(i)
            drawing.line(x(ranks[bar[0]]) - 4, y, x(ranks[bar[bar.count - 1]]) + 4, y, width: 4)
        }
        for (place, method) in order.enumerated() {
            let isLeft = place < half
            let y = first + 20 * Double(isLeft ? place : order.count - 1 - place) + 8
            let edge = isLeft ? label - 6 : label + scale + 6
            drawing.line(x(ranks[method]), 40, x(ranks[method]), y, .ink(opacity: 0.6))
            drawing.line(x(ranks[method]), y, edge, y, .ink(opacity: 0.6))
            drawing.text(names[method], isLeft ? edge - 4 : edge + 4, y + 4, anchor: isLeft ? .end : .start)
        }
        return drawing
    }
}
