import VitrineImage

/// A closed polygon in continuous pixel coordinates (see `BoundingBox`); the last point is joined to the first.
public struct Polygon: Sendable, Equatable {
    public struct Point: Sendable, Equatable {
        public var x, y: Double

        public init(x: Double, y: Double) {
            self.x = x
            self.y = y
        }
    }

    public var points: [Point]

    public init(_ points: [Point]) { self.points = points }

    /// Points from `x0, y0, x1, y1, ...`, as COCO stores them; nil for fewer than three points or an odd count.
    init?(flat values: [Double]) {
        guard values.count >= 6, values.count % 2 == 0, values.allSatisfy(\.isFinite) else { return nil }
        points = (0..<values.count / 2).map { Point(x: values[2 * $0], y: values[2 * $0 + 1]) }
    }
}

extension Mask {
    /// Adds the pixels of a polygon.
    ///
    /// A pixel belongs to it when its centre lies inside by the even-odd rule; a centre exactly on an edge belongs to the side to the right
    /// of or below the edge, so that polygons with a common edge share no pixel. A lesion so small that it holds no centre marks the one
    /// pixel in the middle of its bounding box, so that it does not vanish; what lies outside the image is cut off.
    ///
    /// - Complexity: O(height · points + area).
    mutating func fill(_ polygon: Polygon) {
        let points = polygon.points
        guard let first = points.first else { return }
        var (left, right, top, bottom) = (first.x, first.x, first.y, first.y)
        for point in points {
            (left, right) = (min(left, point.x), max(right, point.x))
            (top, bottom) = (min(top, point.y), max(bottom, point.y))
        }
        var holdsACentre = false
        let (firstRow, lastRow) = (clamped(top.rounded(.down), 0...height), clamped(bottom.rounded(.up), 0...height))
        for row in firstRow..<max(firstRow, lastRow) {
            let y = Double(row) + 0.5
            var crossings: [Double] = []
            for i in points.indices {
                let (a, b) = (points[i], points[(i + 1) % points.count])
                if (a.y <= y) != (b.y <= y) { crossings.append(a.x + (y - a.y) * (b.x - a.x) / (b.y - a.y)) }
            }
            crossings.sort()
            for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
                // Columns whose centre c + 0.5 lies in [from, to).
                let from = (crossings[pair] - 0.5).rounded(.up)
                let to = (crossings[pair + 1] - 0.5).rounded(.up)
                guard from < to else { continue }
                holdsACentre = true
                let (start, end) = (clamped(from, 0...width), clamped(to, 0...width))
                for column in start..<max(start, end) { self[row: row, column: column] = true }
            }
        }
        let middle = Polygon.Point(x: (left + right) / 2, y: (top + bottom) / 2)
        guard !holdsACentre, middle.x >= 0, middle.y >= 0, middle.x < Double(width), middle.y < Double(height) else { return }
        self[row: Int(middle.y), column: Int(middle.x)] = true
    }

    /// Adds the pixels whose centre lies in a box, by the rule of polygons.
    mutating func fill(_ box: BoundingBox) { fill(box.polygon) }

    /// Adds the pixels of another mask of the same size.
    mutating func formUnion(_ other: Mask, source: String) throws(DataError) {
        guard other.width == width && other.height == height else {
            throw .sizeMismatch(source: source, annotation: [other.width, other.height], image: [width, height])
        }
        for i in bits.indices where other.bits[i] { bits[i] = true }
    }

    private func clamped(_ value: Double, _ range: ClosedRange<Int>) -> Int {
        Int(min(max(value, Double(range.lowerBound)), Double(range.upperBound)))
    }
}

extension Polygon {
    func scaled(x: Double, y: Double) -> Polygon { Polygon(points.map { Point(x: $0.x * x, y: $0.y * y) }) }
}
