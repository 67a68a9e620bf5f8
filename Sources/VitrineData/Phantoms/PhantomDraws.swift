import VitrineTensor

/// Random numbers for phantoms: a Philox stream with the distributions that the generators state.
struct PhantomDraws {
    var stream: Philox

    init(seed: UInt64, name: String, index: Int) {
        stream = Philox(seed: seed, name: name, index: UInt64(index))
    }

    mutating func uniform(_ low: Float, _ high: Float) -> Float { low + (high - low) * Float(stream.uniform()) }

    mutating func integer(_ range: ClosedRange<Int>) -> Int { range.lowerBound + stream.below(range.count) }

    mutating func chance(_ probability: Double) -> Bool { stream.uniform() < probability }

    /// Nearly normal, zero mean and unit variance, bounded by ±3.5: the sum of twelve uniforms needs no logarithm and has no outliers.
    mutating func normal() -> Float {
        var sum: Float = 0
        for _ in 0..<3 {
            let bits = stream.nextUInt32()
            sum += Float(bits & 0xff) + Float((bits >> 8) & 0xff) + Float((bits >> 16) & 0xff) + Float(bits >> 24)
        }
        return (sum - 1530) / 256
    }

    /// Four bytes of one draw, zero mean and unit variance: coarse, but cheap enough for every pixel.
    mutating func pixelNoise() -> Float {
        let bits = stream.nextUInt32()
        let sum = (bits & 0xff) + ((bits >> 8) & 0xff) + ((bits >> 16) & 0xff) + (bits >> 24)
        return (Float(sum) - 510) / 147.8
    }

    /// A log-normal share: `median · exp(sigma · N)`, drawn anew by clamping to `range`.
    mutating func logNormal(median: Float, sigma: Float, _ range: ClosedRange<Float>) -> Float {
        min(max(median * phantomExp(sigma * normal()), range.lowerBound), range.upperBound)
    }
}
