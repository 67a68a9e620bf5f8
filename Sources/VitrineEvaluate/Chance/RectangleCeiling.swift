import Synchronization
import VitrineImage

/// Best rectangles found so far, by least area: all methods of a study ask for the same few.
final class RectangleCeilings: Sendable {
    private let known = Mutex<[Int: Double]>([:])

    func value(_ minimumArea: Int, _ find: () -> Double) -> Double {
        if let value = known.withLock({ $0[minimumArea] }) { return value }
        let value = find()
        known.withLock { $0[minimumArea] = value }
        return value
    }
}

extension ScoredMask {
    /// The largest IoU that any axis-aligned rectangle of at least `minimumArea` pixels has with the mask.
    ///
    /// Maximises the ratio by Dinkelbach's method: |R ∩ M| - λ |R ∪ M| is a sum over pixels and is maximised over all
    /// rectangles by Kadane's scan of column sums for each pair of rows, with the least width that the area asks for. For
    /// images of more than 3e7 (rows² x columns) the bound min(1, m / minimumArea) is returned.
    ///
    /// - Complexity: O(height² · width) for each of a handful of rounds; O(height + width) if the mask is itself a rectangle.
    func bestRectangleIoU(minimumArea: Int) -> Double {
        guard let bounds else { return 0 }
        if isFilledRectangle && count >= minimumArea { return 1 }
        if minimumArea == pixelCount || isFull { return area }
        if isFilledRectangle { return Double(count) / Double(smallestEnclosure(of: bounds, minimumArea)) }
        guard height * height * width <= 30_000_000 else { return min(1, Double(count) / Double(minimumArea)) }
        return ceilings.value(minimumArea) { searchedRectangleIoU(bounds, minimumArea) }
    }

    private func searchedRectangleIoU(_ bounds: PixelRectangle, _ minimumArea: Int) -> Double {
        // The whole image is a rectangle of any area asked for.
        var best = area
        if bounds.count >= minimumArea { best = max(best, intersectionOverUnion(with: bounds)) }
        let columnSums = columnPrefixes()
        while let better = improved(on: best, minimumArea, columnSums), better > best + 1e-12 { best = better }
        return best
    }

    /// Area of the smallest rectangle in the image that holds `bounds` and has at least `minimumArea` pixels.
    private func smallestEnclosure(of bounds: PixelRectangle, _ minimumArea: Int) -> Int {
        (bounds.height...height).reduce(pixelCount) { smallest, rows in
            let columns = max(bounds.width, (minimumArea + rows - 1) / rows)
            return columns <= width ? min(smallest, rows * columns) : smallest
        }
    }

    /// Lesion pixels of each column above each row, `(height + 1) x width`.
    private func columnPrefixes() -> [Int32] {
        var sums = [Int32](repeating: 0, count: (height + 1) * width)
        for y in 0..<height {
            for x in 0..<width { sums[(y + 1) * width + x] = sums[y * width + x] + (mask.bits[y * width + x] ? 1 : 0) }
        }
        return sums
    }

    /// The IoU of the rectangle that maximises |R ∩ M| - λ |R ∪ M|.
    private func improved(on lambda: Double, _ minimumArea: Int, _ columnSums: [Int32]) -> Double? {
        var best = (gain: -Double.infinity, rectangle: PixelRectangle?.none)
        var prefix = [Double](repeating: 0, count: width + 1)
        for top in 0..<height {
            for bottom in top + 1...height {
                let rows = bottom - top
                let least = (minimumArea + rows - 1) / rows
                if least > width { continue }
                for x in 0..<width {
                    let lesion = columnSums[bottom * width + x] - columnSums[top * width + x]
                    prefix[x + 1] = prefix[x] + (1 + lambda) * Double(lesion) - lambda * Double(rows)
                }
                var start = 0
                for end in least...width {
                    if prefix[end - least] < prefix[start] { start = end - least }
                    let gain = prefix[end] - prefix[start]
                    if gain > best.gain {
                        best = (gain, PixelRectangle(top: top, left: start, width: end - start, height: rows))
                    }
                }
            }
        }
        return best.rectangle.map { intersectionOverUnion(with: $0) }
    }
}
