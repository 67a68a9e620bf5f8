import VitrineImage

/// A mask prepared for scoring: its size, its bounding rectangle, and its count in any rectangle in constant time.
public struct ScoredMask: Sendable {
    public let mask: Mask
    /// Number of lesion pixels, m.
    public let count: Int
    /// The smallest rectangle that holds every lesion pixel; absent for an empty mask.
    public let bounds: PixelRectangle?
    /// Sums over all rectangles from the upper left corner, `(height + 1) x (width + 1)`.
    private let sums: [Int32]
    let ceilings = RectangleCeilings()
    let distanceCache = MaskDistances()
    /// Mean of other images' masks outside this one, 0 inside, per pixel; absent where none are known.
    let otherMasks: [Float]?

    /// - Parameter others: mean of the masks of other images, per pixel of this one.
    /// - Complexity: O(height · width).
    public init(_ mask: Mask, others: [Float]? = nil) {
        precondition(others.map { $0.count == mask.bits.count } ?? true, "one mean per pixel")
        otherMasks = others.map { others in others.indices.map { mask.bits[$0] ? 0 : others[$0] } }
        let height = mask.height
        let width = mask.width
        var sums = [Int32](repeating: 0, count: (height + 1) * (width + 1))
        for y in 0..<height {
            var line: Int32 = 0
            for x in 0..<width {
                if mask.bits[y * width + x] { line += 1 }
                sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + line
            }
        }
        self.mask = mask
        self.sums = sums
        count = Int(sums.last ?? 0)
        bounds = mask.boundingRectangle
    }

    /// Number of 4-connected regions.
    var lesionCount: Int { distanceCache.lesions { mask.components(.four).count } }

    public var height: Int { mask.height }
    public var width: Int { mask.width }
    public var pixelCount: Int { mask.height * mask.width }
    /// Share of the image, a.
    public var area: Double { Double(count) / Double(pixelCount) }
    public var isEmpty: Bool { count == 0 }
    public var isFull: Bool { count == pixelCount }
    /// The lesion is one filled axis-aligned rectangle.
    public var isFilledRectangle: Bool { bounds?.count == count }

    /// Lesion pixels inside a rectangle.
    public func count(in rectangle: PixelRectangle) -> Int {
        let stride = width + 1
        let top = rectangle.top * stride
        let bottom = (rectangle.top + rectangle.height) * stride
        let left = rectangle.left
        let right = rectangle.left + rectangle.width
        return Int(sums[bottom + right] - sums[top + right] - sums[bottom + left] + sums[top + left])
    }

    /// Intersection over union of the mask with a filled rectangle.
    func intersectionOverUnion(with rectangle: PixelRectangle) -> Double {
        let inside = count(in: rectangle)
        return Double(inside) / Double(count + rectangle.count - inside)
    }

    /// Lesion pixels of every site of a lattice.
    func overlaps(_ lattice: Lattice) -> [Int32] {
        if lattice.siteArea == 1 { return mask.bits.map { $0 ? 1 : 0 } }
        return (0..<lattice.count).map { site in
            let (y, x) = (site / lattice.columns, site % lattice.columns)
            return Int32(count(in: lattice.pixels(rows: y...y, columns: x...x)))
        }
    }

    /// The pixels no farther than `radius` (Euclidean, between pixel centres) from the lesion.
    ///
    /// - Complexity: O(height · width · radius) in the vertical pass.
    func dilated(by radius: Double) -> ScoredMask {
        guard radius > 0 && !isEmpty else { return self }
        let reach = Int(radius)
        // For each vertical offset the horizontal half-width of the disc; a run is covered if its window holds a lesion pixel.
        let halfWidths = (0...reach).map { Int((radius * radius - Double($0 * $0)).squareRoot()) }
        var bits = [Bool](repeating: false, count: pixelCount)
        for y in 0..<height {
            for x in 0..<width {
                bits[y * width + x] = (max(0, y - reach)...min(height - 1, y + reach)).contains { row in
                    let half = halfWidths[abs(row - y)]
                    let left = max(0, x - half)
                    let run = PixelRectangle(top: row, left: left, width: min(width, x + half + 1) - left, height: 1)
                    return count(in: run) > 0
                }
            }
        }
        return ScoredMask(Mask(width: width, height: height, bits: bits))
    }
}
