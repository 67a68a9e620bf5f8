#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension HeatMap {
    /// The map as its reference shows and scores it: `height x width` values, row-major, Float32 throughout.
    ///
    /// In this order: ReLU where the rule asks for it, normalisation of the grid, upsampling, normalisation at full size
    /// (spec: methods.md §0). A map that holds NaN or infinity, or whose min-max is undefined because it is constant, is
    /// shown as zeros; `audit` says so.
    ///
    /// - Complexity: O(height · width).
    public func displayed() -> [Float] {
        let zeros = [Float](repeating: 0, count: height * width)
        guard rows > 0 && columns > 0 && values.allSatisfy(\.isFinite) else { return zeros }
        var grid = values
        if display.clipsNegatives { for i in grid.indices { grid[i] = max(grid[i], 0) } }
        normalise(&grid, display.gridNormalisation)
        var map = upsampled(grid)
        normalise(&map, display.normalisation)
        return map.allSatisfy(\.isFinite) ? map : zeros
    }

    private func upsampled(_ grid: [Float]) -> [Float] {
        if rows == height && columns == width { return grid }
        let down = SamplingTaps(from: rows, to: height, display.upsampling)
        let across = SamplingTaps(from: columns, to: width, display.upsampling)
        let taps = across.taps
        var wide = [Float](repeating: 0, count: rows * width)
        for y in 0..<rows {
            for x in 0..<width {
                var sum: Float = 0
                for t in 0..<taps { sum += across.weights[x * taps + t] * grid[y * columns + across.positions[x * taps + t]] }
                wide[y * width + x] = sum
            }
        }
        var out = [Float](repeating: 0, count: height * width)
        for y in 0..<height {
            for t in 0..<taps {
                let weight = down.weights[y * taps + t]
                let row = down.positions[y * taps + t] * width
                for x in 0..<width { out[y * width + x] += weight * wide[row + x] }
            }
        }
        return out
    }
}

/// Brings finite values to a common range; a constant map becomes zeros unless the rule is `.none`.
private func normalise(_ values: inout [Float], _ rule: DisplayRule.Normalisation) {
    guard rule != .none, let low = values.min(), let high = values.max() else { return }
    let range = high - low
    let divisor = rule == .minMaxGuarded ? 1e-7 + range : range
    for i in values.indices { values[i] = range == 0 ? 0 : (values[i] - low) / divisor }
}

/// One axis of an upsampling: for each output pixel the input cells it reads, clamped to the edge, and their weights.
private struct SamplingTaps {
    let taps: Int
    var positions: [Int] = []
    var weights: [Float] = []

    init(from old: Int, to new: Int, _ rule: DisplayRule.Upsampling) {
        let scale = Float(old) / Float(new)
        func clamped(_ i: Int) -> Int { min(max(i, 0), old - 1) }
        switch rule {
        case .nearest:
            taps = 1
            for i in 0..<new {
                positions.append(clamped(i * old / new))
                weights.append(1)
            }
        case .bilinear:
            taps = 2
            for i in 0..<new {
                let centre = max(0, scale * (Float(i) + 0.5) - 0.5)
                let first = clamped(Int(centre))
                let fraction = min(max(centre - Float(first), 0), 1)
                positions += [first, clamped(first + 1)]
                weights += [1 - fraction, fraction]
            }
        case .bicubic:
            taps = 4
            for i in 0..<new {
                let centre = (-0.5 as Float).addingProduct(scale, Float(i) + 0.5)
                let first = centre.rounded(.down)
                let t = centre - first
                positions += (-1...2).map { clamped(Int(first) + $0) }
                weights += [Self.outer(t + 1), Self.inner(t), Self.inner(1 - t), Self.outer((1 - t) + 1)]
            }
        }
    }

    // Keys' kernel with a = -0.75, for distances below 1 and between 1 and 2. Multiplications and additions are fused as in
    // PyTorch's AVX2 build: unfused Float32 is off from it by up to 1.2e-6 at a grid of 16.
    private static func inner(_ x: Float) -> Float {
        (1 as Float).addingProduct((-2.25 as Float).addingProduct(1.25, x) * x, x)
    }

    private static func outer(_ x: Float) -> Float {
        (3 as Float).addingProduct((-6 as Float).addingProduct((3.75 as Float).addingProduct(-0.75, x), x), x)
    }
}
