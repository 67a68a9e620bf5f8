/// An axis-aligned box in continuous pixel coordinates: x to the right, y down, (0, 0) the outer corner of the first pixel, whose centre
/// is (0.5, 0.5).
public struct BoundingBox: Sendable, Equatable {
    public var left, top, right, bottom: Double

    public init(left: Double, top: Double, right: Double, bottom: Double) {
        self.left = left
        self.top = top
        self.right = right
        self.bottom = bottom
    }

    func scaled(x: Double, y: Double) -> BoundingBox { BoundingBox(left: left * x, top: top * y, right: right * x, bottom: bottom * y) }

    var polygon: Polygon { Polygon([(left, top), (right, top), (right, bottom), (left, bottom)].map { Polygon.Point(x: $0.0, y: $0.1) }) }
}
