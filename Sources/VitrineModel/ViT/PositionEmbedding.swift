import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A position embedding brought to another patch grid, as PyTorch's `F.interpolate(mode="bicubic")` does it.
///
/// Which checkpoint wants which mode is written at `ViTConfiguration.PositionResampling`. The kernel is Keys' cubic convolution
/// (Keys 1981, https://doi.org/10.1109/TASSP.1981.1163711) with a = -0.75, or a = -0.5 with antialias, where it is also
/// stretched by the shrinking factor. Bicubic interpolation is separable: one matrix per axis.
///
/// - Parameters:
///   - grid: `[from.count, D]`, row-major.
///   - mode: equal grids give `grid` itself in every mode, as all the implementations do.
/// - Returns: `[to.count, D]`.
/// - Complexity: O(from.rows * from.columns * to.columns * D + from.rows * to.count * D).
public func resamplePositionEmbedding(
    _ grid: Tensor, from: PatchGrid, to: PatchGrid, mode: ViTConfiguration.PositionResampling
) -> Tensor {
    precondition(grid.shape.rank == 2 && grid.shape[0] == from.count, "a position grid of \(from) has one row per patch, not \(grid.shape)")
    precondition(from.count > 0 && to.count > 0, "a position grid has at least one patch")
    if from == to { return grid }
    let width = grid.shape[1]
    let across = interpolationMatrix(from: from.columns, to: to.columns, mode: mode)
    let down = interpolationMatrix(from: from.rows, to: to.rows, mode: mode)
    var stretched = Tensor([from.rows, to.columns, width])
    for row in 0..<from.rows {
        let source = MatrixWindow(start: row * from.columns * width, rows: from.columns, columns: width, stride: width)
        let target = MatrixWindow(start: row * to.columns * width, rows: to.columns, columns: width, stride: width)
        multiply(across.matrix, grid.matrix(source), into: &stretched, window: target)
    }
    var result = Tensor([to.rows, to.columns * width])
    multiply(down.matrix, stretched.reshaped([from.rows, to.columns * width]).matrix, into: &result)
    return result.reshaped([to.count, width])
}

/// The weights of every input position for every output position along one axis: `[to, from]`, rows sum to 1.
private func interpolationMatrix(from: Int, to: Int, mode: ViTConfiguration.PositionResampling) -> Tensor {
    var weights = [Float](repeating: 0, count: to * from)
    // Positions in Float32, as PyTorch has them: at position 36 their rounding shows in the weights.
    let scale =
        switch mode {
        case .bicubicAntialias, .bicubic: Float(from) / Float(to)
        case .bicubicOffset: Float(Double(from) / (Double(to) + 0.1))
        case .bicubicAlignCorners: to > 1 ? Float(from - 1) / Float(to - 1) : 0
        }
    for i in 0..<to {
        if mode == .bicubicAntialias {
            let stretch = max(scale, 1)
            let centre = scale * (Float(i) + 0.5)
            let first = max(Int(centre - 2 * stretch + 0.5), 0)
            let end = min(Int(centre + 2 * stretch + 0.5), from)
            let taps = (first..<end).map { cubicKernel((Float($0) - centre + 0.5) / stretch, a: -0.5) }
            let sum = taps.reduce(0, +)
            for (j, tap) in taps.enumerated() { weights[i * from + first + j] = tap / sum }
        } else {
            let position = mode == .bicubicAlignCorners ? scale * Float(i) : scale * (Float(i) + 0.5) - 0.5
            let base = floor(position)
            for j in -1...2 {
                // Beyond the border the nearest position counts again.
                let index = min(max(Int(base) + j, 0), from - 1)
                weights[i * from + index] += cubicKernel(position - base - Float(j), a: -0.75)
            }
        }
    }
    return Tensor([to, from], weights)
}

/// Keys' cubic convolution kernel, zero from distance 2 on.
private func cubicKernel(_ x: Float, a: Float) -> Float {
    let x = abs(x)
    if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    if x < 2 { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
    return 0
}
