#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Philox {
    /// A uniform number in [0, 1), a multiple of 2^-24.
    @inlinable
    public mutating func uniformFloat() -> Float { Float(nextUInt32() >> 8) * 0x1p-24 }

    /// A standard normal number (Box and Muller; two uniform draws each).
    public mutating func normal() -> Double {
        // 1 - u lies in (0, 1], so that the logarithm is finite.
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * Double.pi * uniform())
    }

    /// Brings the elements into a uniformly random order (Fisher and Yates).
    @inlinable
    public mutating func shuffle<Element>(_ elements: inout [Element]) {
        guard elements.count > 1 else { return }
        for i in stride(from: elements.count - 1, to: 0, by: -1) { elements.swapAt(i, below(i + 1)) }
    }

    /// A uniformly random order of 0..<count.
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        shuffle(&order)
        return order
    }
}
