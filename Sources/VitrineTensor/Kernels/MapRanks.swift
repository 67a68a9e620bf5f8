import CVitrineKernels

/// Element loops of upsampled maps, for metrics that display one map thousands of times.
public enum MapRanks {
    /// A displayed map with the extremes of its rows and columns.
    public struct Display: Sendable {
        public let height: Int
        public let width: Int
        /// `height * width`, row-major.
        public private(set) var values: [Float]
        public private(set) var rowMinima: [Float]
        public private(set) var rowMaxima: [Float]
        public private(set) var columnMaxima: [Float]

        public init(height: Int, width: Int) {
            self.height = height
            self.width = width
            values = [Float](repeating: 0, count: height * width)
            rowMinima = [Float](repeating: 0, count: height)
            rowMaxima = rowMinima
            columnMaxima = [Float](repeating: 0, count: width)
        }

        /// Row y becomes the sum over t of `weights[y * taps + t]` times row `cells[y * taps + t]` of `wide`.
        ///
        /// - Parameters:
        ///   - wide: finite, `rows x width`.
        ///   - cells: `height * taps` row numbers of `wide`.
        /// - Complexity: O(height · width · taps).
        public mutating func combineRows(of wide: [Float], cells: [Int32], weights: [Float], taps: Int) {
            let rows = width == 0 ? 0 : wide.count / width
            precondition(taps > 0 && cells.count == height * taps && weights.count == cells.count, "taps for every row")
            precondition(cells.allSatisfy { $0 >= 0 && $0 < rows }, "cells are rows of the map")
            // SAFETY: the sizes were checked above; the arrays are distinct and live during the call.
            unsafe vk_upsample_rows(
                wide, width, cells, weights, taps, height, &values, &rowMinima, &rowMaxima, &columnMaxima)
        }
    }

    /// Counts values by step: step k holds those in `low + [k, k + 1) / scale`, the first and the last also all beyond.
    ///
    /// - Parameters:
    ///   - marks: 0 or 1 for each value.
    ///   - steps: set to the step of each value.
    ///   - histogram: set to the number of values of each step (low 32 bits) and of those marked (high 32 bits).
    public static func histogram(
        of values: [Float], marks: [UInt8], low: Float, scale: Float, steps: inout [Int16], histogram: inout [UInt64]
    ) {
        precondition(marks.count == values.count && steps.count == values.count, "a mark and a step for each value")
        precondition(histogram.count > 0 && histogram.count <= 32_768, "steps are numbered by Int16")
        for i in histogram.indices { histogram[i] = 0 }
        var spare = histogram
        // SAFETY: the sizes were checked above; the arrays are distinct and live during the call. The kernel clamps
        // every step to the table.
        unsafe vk_rank_histogram(values, marks, values.count, low, scale, &steps, &histogram, &spare, histogram.count)
    }
}
