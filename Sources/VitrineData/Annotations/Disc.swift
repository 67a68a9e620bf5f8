import VitrineImage

/// A filled circle in continuous pixel coordinates (see `BoundingBox`).
public struct Disc: Sendable, Equatable {
    public var x, y, radius: Double

    public init(x: Double, y: Double, radius: Double) {
        self.x = x
        self.y = y
        self.radius = radius
    }
}

extension Mask {
    /// Adds the pixels whose centre lies in a disc or on its rim; one that holds no centre marks the pixel of its middle, as polygons do.
    mutating func fill(_ disc: Disc) {
        var holdsACentre = false
        let rows = Int(min(max((disc.y - disc.radius).rounded(.down), 0), Double(height)))
        let end = Int(min(max((disc.y + disc.radius).rounded(.up), 0), Double(height)))
        for row in rows..<max(rows, end) {
            let dy = Double(row) + 0.5 - disc.y
            for column in 0..<width {
                let dx = Double(column) + 0.5 - disc.x
                guard dx * dx + dy * dy <= disc.radius * disc.radius else { continue }
                holdsACentre = true
                self[row: row, column: column] = true
            }
        }
        guard !holdsACentre, disc.x >= 0, disc.y >= 0, disc.x < Double(width), disc.y < Double(height) else { return }
        self[row: Int(disc.y), column: Int(disc.x)] = true
    }

    /// Adds the pixels of a smaller mask at a place; what lies outside is cut off.
    mutating func formUnion(_ patch: Mask, left: Int, top: Int) {
        for y in max(0, -top)..<max(max(0, -top), min(patch.height, height - top)) {
            for x in max(0, -left)..<max(max(0, -left), min(patch.width, width - left)) where patch[row: y, column: x] {
                self[row: top + y, column: left + x] = true
            }
        }
    }
}
