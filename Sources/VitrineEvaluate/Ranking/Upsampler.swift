import VitrineImage
import VitrineTensor

/// The upsampling of a display rule, prepared for many maps of one shape.
///
/// The weights are read off `HeatMap.displayed()` itself, one unit vector at a time, so that there is one definition of
/// each rule.
struct Upsampler: Sendable {
    /// One axis: for each output pixel the cells it reads and their weights, `taps` of each.
    struct Axis: Sendable {
        let taps: Int
        let cells: [Int32]
        let weights: [Float]

        init(from old: Int, to new: Int, _ rule: DisplayRule.Upsampling) {
            var matrix = [[(cell: Int, weight: Float)]](repeating: [], count: new)
            for cell in 0..<old {
                var unit = [Float](repeating: 0, count: old)
                unit[cell] = 1
                let column = HeatMap(
                    rows: old, columns: 1, values: unit, height: new, width: 1,
                    display: DisplayRule(upsampling: rule, normalisation: .none)
                ).displayed()
                for (i, weight) in column.enumerated() where weight != 0 { matrix[i].append((cell, weight)) }
            }
            let taps = matrix.map(\.count).max() ?? 1
            self.taps = taps
            cells = matrix.flatMap { row in (0..<taps).map { $0 < row.count ? Int32(row[$0].cell) : 0 } }
            weights = matrix.flatMap { row in (0..<taps).map { $0 < row.count ? row[$0].weight : 0 } }
        }
    }

    let rows: Int
    let columns: Int
    let height: Int
    let width: Int
    private let down: Axis
    private let across: Axis

    init(_ map: HeatMap) {
        rows = map.rows
        columns = map.columns
        height = map.height
        width = map.width
        down = Axis(from: map.rows, to: map.height, map.display.upsampling)
        across = Axis(from: map.columns, to: map.width, map.display.upsampling)
    }

    /// Upsamples `rows x columns` values.
    ///
    /// - Complexity: O(height · width · taps).
    func display(_ grid: [Float], into display: inout MapRanks.Display) {
        var wide = [Float](repeating: 0, count: rows * width)
        for y in 0..<rows {
            for x in 0..<width {
                var sum: Float = 0
                for t in 0..<across.taps {
                    sum += across.weights[x * across.taps + t] * grid[y * columns + Int(across.cells[x * across.taps + t])]
                }
                wide[y * width + x] = sum
            }
        }
        display.combineRows(of: wide, cells: down.cells, weights: down.weights, taps: down.taps)
    }
}
