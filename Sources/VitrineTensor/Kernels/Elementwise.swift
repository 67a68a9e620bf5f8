import CVitrineKernels

// SAFETY: in every call below, counts are checked first, and `mutablePointer` makes an output distinct from all inputs; threads write
// different elements.

/// `y = a + b`, shared among threads.
public func add(_ a: Tensor, _ b: Tensor, into y: inout Tensor, threads: Int = 1) {
    requireCount(a.count, b.count, y.count)
    let target = unsafe SharedFloats(pointer: y.mutablePointer())
    share(a.count, among: threads, unit: 4096) { range in
        let i = range.lowerBound
        unsafe vk_add(a.pointer + i, b.pointer + i, range.count, target.pointer + i)
    }
}

/// `y += a`, shared among threads.
public func add(_ a: Tensor, to y: inout Tensor, threads: Int = 1) {
    requireCount(a.count, y.count)
    let target = unsafe SharedFloats(pointer: y.mutablePointer())
    share(a.count, among: threads, unit: 4096) { range in
        unsafe vk_add_to(a.pointer + range.lowerBound, range.count, target.pointer + range.lowerBound)
    }
}

/// `y += factor * a`.
public func addScaled(_ a: Tensor, _ factor: Float, to y: inout Tensor) {
    requireCount(a.count, y.count)
    unsafe vk_add_scaled(a.pointer, factor, a.count, y.mutablePointer())
}

/// `y *= factor`.
public func scale(_ y: inout Tensor, by factor: Float) {
    let n = y.count
    unsafe vk_scale(y.mutablePointer(), factor, n)
}

/// `y = a * b`, element by element.
public func multiply(_ a: Tensor, _ b: Tensor, into y: inout Tensor, threads: Int = 1) {
    requireCount(a.count, b.count, y.count)
    let target = unsafe SharedFloats(pointer: y.mutablePointer())
    share(a.count, among: threads, unit: 4096) { range in
        let i = range.lowerBound
        unsafe vk_multiply(a.pointer + i, b.pointer + i, range.count, target.pointer + i)
    }
}

/// `y = |x|`.
public func absolute(_ x: Tensor, into y: inout Tensor) {
    requireCount(x.count, y.count)
    unsafe vk_absolute(x.pointer, x.count, y.mutablePointer())
}

/// Adds `bias` `[D]` to every row of `y` `[..., D]`.
public func addBias(_ bias: Tensor, to y: inout Tensor) {
    let rows = y.rowCount
    let columns = y.shape.last
    requireCount(columns, bias.count)
    unsafe vk_add_bias(bias.pointer, rows, columns, y.mutablePointer())
}

/// Adds the sum of the rows of `x` `[..., D]` to `sums` `[D]`: the gradient of a bias.
public func columnSums(_ x: Tensor, addingTo sums: inout Tensor) {
    requireCount(x.shape.last, sums.count)
    unsafe vk_column_sums(x.pointer, x.rowCount, x.shape.last, sums.mutablePointer())
}

/// `y = x * gamma` with `gamma` `[D]` along every row of `x` `[..., D]`: LayerScale
/// (Touvron et al. 2021, https://arxiv.org/abs/2103.17239, equation 4).
public func scaleColumns(_ x: Tensor, by gamma: Tensor, into y: inout Tensor) {
    requireCount(x.count, y.count)
    requireCount(x.shape.last, gamma.count)
    unsafe vk_scale_columns(x.pointer, gamma.pointer, x.rowCount, x.shape.last, y.mutablePointer())
}
