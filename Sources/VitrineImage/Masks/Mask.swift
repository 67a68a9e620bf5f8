/// A binary region of an image: an expert's lesion mask, or the pixels a threshold selects.
public struct Mask: Sendable, Equatable {
    public let width: Int
    public let height: Int
    /// `height * width` values, row-major from the top; true is lesion.
    public var bits: [Bool]

    public init(width: Int, height: Int, bits: [Bool]) {
        precondition(bits.count == width * height, "a mask holds height x width values")
        self.width = width
        self.height = height
        self.bits = bits
    }

    /// Number of pixels in the region.
    public var count: Int { bits.reduce(0) { $0 + ($1 ? 1 : 0) } }
    /// Share of the image that the region covers, 0...1.
    public var area: Double { Double(count) / Double(width * height) }
    public var isEmpty: Bool { !bits.contains(true) }

    public subscript(row row: Int, column column: Int) -> Bool {
        get { bits[row * width + column] }
        set { bits[row * width + column] = newValue }
    }
}
