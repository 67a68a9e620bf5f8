import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Tensor {
    /// An image `[channels, height, width]` under a Gaussian, cut at four deviations, the edge repeated outwards: SciPy's
    /// `gaussian_filter(mode="nearest")`.
    ///
    /// - Parameter sigma: in pixels; 0 or less changes nothing.
    /// - Complexity: O(pixels · sigma).
    public func blurred(sigma: Float) -> Tensor {
        guard sigma > 0 else { return self }
        let radius = Int(4 * Double(sigma) + 0.5)
        var weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * Double(sigma) * Double(sigma))) }
        let total = weights.reduce(0, +)
        for i in weights.indices { weights[i] /= total }
        let (planes, height, width) = (shape[0], shape[1], shape[2])
        var down = [Double](repeating: 0, count: count)
        var result = self
        withSpan { source in
            for p in 0..<planes {
                for y in 0..<height {
                    let line = (p * height + y) * width
                    for k in -radius...radius {
                        let from = (p * height + min(max(y + k, 0), height - 1)) * width
                        let weight = weights[k + radius]
                        for x in 0..<width { down[line + x] += weight * Double(source[from + x]) }
                    }
                }
            }
        }
        result.withMutableSpan { span in
            for line in stride(from: 0, to: down.count, by: width) {
                for x in 0..<width {
                    var sum = 0.0
                    for k in -radius...radius { sum += weights[k + radius] * down[line + min(max(x + k, 0), width - 1)] }
                    span[line + x] = Float(sum)
                }
            }
        }
        return result
    }
}
