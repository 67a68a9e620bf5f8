import Synchronization
import VitrineImage

/// Distances that were worked out for a mask: all methods of a study ask for the same.
final class MaskDistances: Sendable {
    private let known = Mutex<[String: [[Float]]]>([:])
    private let count = Mutex<Int?>(nil)

    func value(_ key: String, _ find: () -> [[Float]]) -> [[Float]] {
        if let value = known.withLock({ $0[key] }) { return value }
        let value = find()
        known.withLock { $0[key] = value }
        return value
    }

    func lesions(_ find: () -> Int) -> Int {
        count.withLock { count in
            let found = count ?? find()
            count = found
            return found
        }
    }
}

extension ScoredMask {
    /// sqrt(height² + width²), in pixels.
    var diagonal: Double { (Double(height * height) + Double(width * width)).squareRoot() }

    /// Distance from each pixel to the nearest lesion pixel, between centres; 0 inside. For a mask that is not empty.
    var distances: [Float] { distanceCache.value("all") { [distanceTransform(mask.bits, height, width)] }[0] }

    /// For each lesion (4-connected), the distances from the centres of a grid's cells to its nearest pixel.
    func lesionDistances(rows: Int, columns: Int) -> [[Float]] {
        distanceCache.value("\(rows)x\(columns)") {
            let components = mask.components(.four)
            let places = (0..<rows * columns).map { cell -> Int in
                // The pixel that holds the cell's centre.
                let y = (2 * (cell / columns) + 1) * height / (2 * rows)
                let x = (2 * (cell % columns) + 1) * width / (2 * columns)
                return y * width + x
            }
            return (1...components.count).map { label in
                let own = distanceTransform(components.labels.map { $0 == Int32(label) }, height, width)
                return places.map { own[$0] }
            }
        }
    }
}

/// Exact Euclidean distances to the nearest set pixel, of which there is one at least.
///
/// Lower envelopes of parabolas, columns then rows: Felzenszwalb & Huttenlocher 2012, https://doi.org/10.4086/toc.2012.v008a019.
/// - Complexity: O(pixels).
func distanceTransform(_ bits: [Bool], _ height: Int, _ width: Int) -> [Float] {
    let far = Double(height + width) * Double(height + width) * 4
    var squares = bits.map { $0 ? 0 : far }
    func transform(_ start: Int, _ step: Int, _ count: Int) {
        let values = (0..<count).map { squares[start + $0 * step] }
        // Parabolas of the envelope and where each begins.
        var roots = [0]
        var borders = [-Double.infinity]
        for q in 1..<max(count, 1) {
            while true {
                let r = roots[roots.count - 1]
                let meet = (values[q] + Double(q * q) - values[r] - Double(r * r)) / Double(2 * (q - r))
                if meet > borders[borders.count - 1] {
                    roots.append(q)
                    borders.append(meet)
                    break
                }
                roots.removeLast()
                borders.removeLast()
            }
        }
        var k = 0
        for q in 0..<count {
            while k + 1 < roots.count, borders[k + 1] < Double(q) { k += 1 }
            let d = Double(q - roots[k])
            squares[start + q * step] = d * d + values[roots[k]]
        }
    }
    for x in 0..<width { transform(x, width, height) }
    for y in 0..<height { transform(y * width, 1, width) }
    return squares.map { Float($0.squareRoot()) }
}
