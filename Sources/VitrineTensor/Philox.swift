/// The counter-based random generator Philox4x32-10, keyed by (seed, name, index).
///
/// A stream is a pure function of its key, so a draw does not depend on the order of work or on the number of threads:
/// key by the study's seed, the name of the step and the sample's index. Every random step of the project uses it.
/// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", https://doi.org/10.1145/2063384.2063405.
@frozen
public struct Philox: RandomNumberGenerator, Sendable {
    @usableFromInline var key: SIMD2<UInt32>
    @usableFromInline var counter: SIMD4<UInt32>
    @usableFromInline var buffer = SIMD4<UInt32>()
    @usableFromInline var used = 4

    /// The stream of one (seed, name, index); streams that differ in any of the three are independent.
    ///
    /// Seed and name are hashed into the 64-bit key, the index is the upper half of the counter: 2^64 blocks per stream.
    public init(seed: UInt64, name: String, index: UInt64 = 0) {
        // FNV-1a over the UTF-8 bytes, then the finaliser of SplitMix64: Swift's own Hasher differs from run to run.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let mixed = Self.mix(Self.mix(seed &+ 0x9e37_79b9_7f4a_7c15) ^ hash)
        key = SIMD2(UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32))
        counter = SIMD4(0, 0, UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32))
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// The bijection itself: ten rounds over a 128-bit counter under a 64-bit key.
    @inlinable
    public static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
        var (k0, k1) = (key[0], key[1])
        for _ in 0..<10 {
            let p0 = UInt64(c0) &* 0xD251_1F53
            let p1 = UInt64(c2) &* 0xCD9E_8D57
            (c0, c1, c2, c3) = (
                UInt32(truncatingIfNeeded: p1 >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: p1),
                UInt32(truncatingIfNeeded: p0 >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: p0)
            )
            k0 = k0 &+ 0x9E37_79B9
            k1 = k1 &+ 0xBB67_AE85
        }
        return SIMD4(c0, c1, c2, c3)
    }

    /// The next 32 random bits.
    @inlinable
    public mutating func nextUInt32() -> UInt32 {
        if used == 4 {
            buffer = Self.block(counter: counter, key: key)
            counter[0] = counter[0] &+ 1
            if counter[0] == 0 { counter[1] = counter[1] &+ 1 }
            used = 0
        }
        defer { used += 1 }
        return buffer[used]
    }

    /// The next 64 random bits: two consecutive 32-bit draws, the first one lowest.
    @inlinable
    public mutating func next() -> UInt64 {
        let low = UInt64(nextUInt32())
        return low | UInt64(nextUInt32()) << 32
    }

    /// A uniform number in [0, 1), a multiple of 2^-53.
    @inlinable
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A uniform integer in 0..<bound, without bias (Lemire 2019, https://doi.org/10.1145/3230636); `bound` is at least 1.
    @inlinable
    public mutating func below(_ bound: Int) -> Int {
        precondition(bound >= 1 && bound <= Int(UInt32.max), "a bound lies in 1...2^32-1")
        let n = UInt32(truncatingIfNeeded: bound)
        var product = UInt64(nextUInt32()) &* UInt64(n)
        if UInt32(truncatingIfNeeded: product) < n {
            let threshold = (0 &- n) % n
            while UInt32(truncatingIfNeeded: product) < threshold { product = UInt64(nextUInt32()) &* UInt64(n) }
        }
        return Int(product >> 32)
    }
}
