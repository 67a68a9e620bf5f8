import CVitrineKernels

/// `softmax(scale * s)` over the last dimension, in place.
///
/// A row that holds NaN or +infinity, or nothing but -infinity, becomes NaN throughout, as in PyTorch; a single -infinity gives 0.
public func softmaxRows(_ s: inout Tensor, scale: Float, threads: Int = 1) {
    let columns = s.shape.last
    let rows = s.rowCount
    // SAFETY: `rows * columns` floats are the whole tensor; threads write different rows.
    let target = unsafe SharedFloats(pointer: s.mutablePointer())
    share(rows, among: threads) { range in unsafe vk_softmax(target.pointer + range.lowerBound * columns, scale, range.count, columns) }
}

/// Gradient of `a = softmax(scale * s)` with respect to `s`: `ds = scale * a * (da - rowsum(a * da))`.
///
/// - Parameters:
///   - da: gradient at the softmax's output, `[..., columns]`.
///   - a: the softmax's output.
///   - ds: overwritten.
public func softmaxGradient(_ da: Tensor, a: Tensor, scale: Float, into ds: inout Tensor, threads: Int = 1) {
    requireCount(a.count, da.count, ds.count)
    let columns = a.shape.last
    // SAFETY: counts checked above; `mutablePointer` makes the output distinct; threads write different rows.
    let target = unsafe SharedFloats(pointer: ds.mutablePointer())
    share(a.rowCount, among: threads) { range in
        let i = range.lowerBound * columns
        unsafe vk_softmax_gradient(da.pointer + i, a.pointer + i, scale, range.count, columns, target.pointer + i)
    }
}
