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
public func layerNorm(
    _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float, into y: inout Tensor, mean: inout Tensor,
    inverseDeviation: inout Tensor
) {
    let rows = x.rowCount
    requireCount(x.count, y.count)
    requireCount(x.shape.last, weight.count, bias.count)
    requireCount(rows, mean.count, inverseDeviation.count)
    // SAFETY: counts checked above; `mutablePointer` makes each output distinct from everything else.
    unsafe vk_layer_norm(
        x.pointer, weight.pointer, bias.pointer, epsilon, rows, x.shape.last, y.mutablePointer(), mean.mutablePointer(),
        inverseDeviation.mutablePointer())
}

/// Gradient of layer normalisation with respect to its input.
///
/// - Parameters:
///   - dy: gradient at the output, `[..., D]`.
///   - x: the input of the forward pass; `mean` and `inverseDeviation` as it returned them.
///   - dx: overwritten.
public func layerNormGradient(
    _ dy: Tensor, x: Tensor, weight: Tensor, mean: Tensor, inverseDeviation: Tensor, into dx: inout Tensor
) {
    let rows = x.rowCount
    requireCount(x.count, dy.count, dx.count)
    requireCount(x.shape.last, weight.count)
    requireCount(rows, mean.count, inverseDeviation.count)
    // SAFETY: counts checked above; `mutablePointer` makes the output distinct.
    unsafe vk_layer_norm_gradient(
        dy.pointer, x.pointer, weight.pointer, mean.pointer, inverseDeviation.pointer, rows, x.shape.last, dx.mutablePointer())
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
