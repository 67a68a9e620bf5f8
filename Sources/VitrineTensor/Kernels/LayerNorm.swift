import CVitrineKernels

/// Layer normalisation of every row: `y = (x - mean) / sqrt(variance + epsilon) * weight + bias`
/// (Ba, Kiros & Hinton 2016, https://arxiv.org/abs/1607.06450), the variance being the mean squared deviation.
///
/// - Parameters:
///   - x: `[..., D]`.
///   - weight: `[D]`; `bias` likewise.
///   - y: as many elements as `x`, overwritten.
///   - mean: `[rows]`, receives each row's mean; the gradients need it.
///   - inverseDeviation: `[rows]`, receives `1 / sqrt(variance + epsilon)`.
///   - threads: share the rows.
public func layerNorm(
    _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float, into y: inout Tensor, mean: inout Tensor,
    inverseDeviation: inout Tensor, threads: Int = 1
) {
    let (rows, columns) = (x.rowCount, x.shape.last)
    requireCount(x.count, y.count)
    requireCount(x.shape.last, weight.count, bias.count)
    requireCount(rows, mean.count, inverseDeviation.count)
    // SAFETY: counts checked above; `mutablePointer` makes each output distinct from everything else; threads write different rows.
    let target = unsafe SharedFloats(pointer: y.mutablePointer())
    let (means, inverses) = unsafe (
        SharedFloats(pointer: mean.mutablePointer()), SharedFloats(pointer: inverseDeviation.mutablePointer())
    )
    share(rows, among: threads) { range in
        let first = range.lowerBound
        unsafe vk_layer_norm(
            x.pointer + first * columns, weight.pointer, bias.pointer, epsilon, range.count, columns, target.pointer + first * columns,
            means.pointer + first, inverses.pointer + first)
    }
}

/// Gradient of layer normalisation with respect to its input.
///
/// - Parameters:
///   - dy: gradient at the output, `[..., D]`.
///   - x: the input of the forward pass; `mean` and `inverseDeviation` as it returned them.
///   - dx: overwritten.
public func layerNormGradient(
    _ dy: Tensor, x: Tensor, weight: Tensor, mean: Tensor, inverseDeviation: Tensor, into dx: inout Tensor, threads: Int = 1
) {
    let (rows, columns) = (x.rowCount, x.shape.last)
    requireCount(x.count, dy.count, dx.count)
    requireCount(x.shape.last, weight.count)
    requireCount(rows, mean.count, inverseDeviation.count)
    // SAFETY: counts checked above; `mutablePointer` makes the output distinct; threads write different rows.
    let target = unsafe SharedFloats(pointer: dx.mutablePointer())
    share(rows, among: threads) { range in
        let (first, i) = (range.lowerBound, range.lowerBound * columns)
        unsafe vk_layer_norm_gradient(
            dy.pointer + i, x.pointer + i, weight.pointer, mean.pointer + first, inverseDeviation.pointer + first, range.count, columns,
            target.pointer + i)
    }
}

/// The gradient of layer normalisation whose deviation counts as a constant: `dx = (g - mean g) / deviation` with `g = dy * weight`.
///
/// - Parameters: shapes as in `layerNormGradient`.
public func layerNormFrozenGradient(_ dy: Tensor, weight: Tensor, inverseDeviation: Tensor, into dx: inout Tensor) {
    let (rows, columns) = (dy.rowCount, dy.shape.last)
    requireCount(dy.count, dx.count)
    requireCount(columns, weight.count)
    requireCount(rows, inverseDeviation.count)
    // SAFETY: counts checked above; `mutablePointer` makes the output distinct.
    unsafe vk_layer_norm_frozen_gradient(
        dy.pointer, weight.pointer, inverseDeviation.pointer, rows, columns, dx.mutablePointer())
}

/// Gradient of layer normalisation with respect to weight and bias, added to `dWeight` and `dBias`, both `[D]`.
public func layerNormWeightGradient(
    _ dy: Tensor, x: Tensor, mean: Tensor, inverseDeviation: Tensor, addingTo dWeight: inout Tensor, bias dBias: inout Tensor
) {
    let rows = x.rowCount
    requireCount(x.count, dy.count)
    requireCount(x.shape.last, dWeight.count, dBias.count)
    requireCount(rows, mean.count, inverseDeviation.count)
    // SAFETY: counts checked above; `mutablePointer` makes each output distinct.
    unsafe vk_layer_norm_weight_gradient(
        dy.pointer, x.pointer, mean.pointer, inverseDeviation.pointer, rows, x.shape.last, dWeight.mutablePointer(),
        dBias.mutablePointer())
}
