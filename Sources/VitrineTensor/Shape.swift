/// The extents of a tensor, outermost first; at most six of them, held inline so that shapes cost no allocation.
public struct Shape: Sendable, Equatable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The largest number of dimensions a shape can have.
    public static let maximumRank = 6

    /// Number of dimensions.
    public let rank: Int
    private var extents: InlineArray<6, Int> = .init(repeating: 1)

    public init(_ dimensions: some Collection<Int>) {
        precondition(dimensions.count <= Self.maximumRank, "a shape has at most \(Self.maximumRank) dimensions")
        rank = dimensions.count
        for (i, d) in dimensions.enumerated() {
            precondition(d >= 0, "an extent cannot be negative")
            extents[i] = d
        }
    }

    public init(arrayLiteral dimensions: Int...) { self.init(dimensions) }

    /// Number of elements: the product of the extents, 1 for a scalar.
    public var count: Int {
        var n = 1
        for i in 0..<rank { n *= extents[i] }
        return n
    }

    /// The last extent, 1 for a scalar.
    public var last: Int { rank == 0 ? 1 : extents[rank - 1] }

    public var dimensions: [Int] { (0..<rank).map { extents[$0] } }

    public subscript(_ i: Int) -> Int {
        precondition(i >= 0 && i < rank, "dimension \(i) of a shape of rank \(rank)")
        return extents[i]
    }

    public var description: String { "[" + dimensions.map(String.init).joined(separator: ", ") + "]" }

    public static func == (a: Shape, b: Shape) -> Bool {
        guard a.rank == b.rank else { return false }
        for i in 0..<a.rank where a.extents[i] != b.extents[i] { return false }
        return true
    }

    public func hash(into hasher: inout Hasher) {
        for i in 0..<rank { hasher.combine(extents[i]) }
    }
}
