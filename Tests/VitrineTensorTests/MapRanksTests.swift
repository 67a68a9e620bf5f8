import Testing
import VitrineTensor

/// The C leaves against plain Swift twins at sizes around the vector width.
@Suite struct MapRanksTests {
    @Test(arguments: [(1, 1, 1), (3, 5, 2), (7, 15, 2), (9, 16, 4), (10, 33, 4), (24, 224, 2)])
    func combinedRows(_ height: Int, _ width: Int, _ taps: Int) {
        var random = Philox(seed: 1, name: "rows")
        let rows = 4
        let wide = (0..<rows * width).map { _ in Float(random.normal()) }
        let cells = (0..<height * taps).map { _ in Int32(random.below(rows)) }
        // Some weights are 0, as on clamped edges.
        let weights = (0..<height * taps).map { _ in random.below(4) == 0 ? 0 : random.uniformFloat() }
        var display = MapRanks.Display(height: height, width: width)
        display.combineRows(of: wide, cells: cells, weights: weights, taps: taps)
        for y in 0..<height {
            for x in 0..<width {
                var sum: Float = 0
                for t in 0..<taps { sum += weights[y * taps + t] * wide[Int(cells[y * taps + t]) * width + x] }
                // Four products of order 1; one fused rounding more or less.
                #expect(abs(display.values[y * width + x] - sum) < 1e-6)
            }
            let row = display.values[y * width..<(y + 1) * width]
            #expect(display.rowMinima[y] == row.min() && display.rowMaxima[y] == row.max())
        }
        for x in 0..<width {
            #expect(display.columnMaxima[x] == (0..<height).map { display.values[$0 * width + x] }.max())
        }
    }

    @Test(arguments: [1, 2, 15, 16, 17, 1000])
    func histogram(_ count: Int) {
        var random = Philox(seed: 2, name: "histogram")
        let values = (0..<count).map { _ in random.uniformFloat() * 3 - 1 }
        let marks = (0..<count).map { _ in UInt8(random.below(2)) }
        let low = values.min()!
        // The highest values lie beyond the last step.
        let scale: Float = 12
        var steps = [Int16](repeating: -1, count: count)
        var histogram = [UInt64](repeating: 99, count: 20)
        MapRanks.histogram(of: values, marks: marks, low: low, scale: scale, steps: &steps, histogram: &histogram)
        var expected = [UInt64](repeating: 0, count: 20)
        for i in 0..<count {
            let step = min(19, Int((values[i] - low) * scale))
            #expect(steps[i] == Int16(step))
            expected[step] += 1 + UInt64(marks[i]) << 32
        }
        #expect(histogram == expected)
    }
}
