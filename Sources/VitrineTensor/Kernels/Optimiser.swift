import CVitrineKernels

/// One step of stochastic gradient descent with momentum and L2 weight decay, as PyTorch's `SGD` defines it:
/// `g += decay * w; b = momentum * b + g; w -= rate * b`.
///
/// - Parameters:
///   - buffer: b, as many elements as the weights; zeros before the first step.
///   - gradientScale: multiplies the gradient first (clipping).
///   - threads: share the weights.
public func sgdStep(
    _ weight: inout Tensor, gradient: Tensor, buffer: inout Tensor, gradientScale: Float, rate: Float, momentum: Float, decay: Float,
    threads: Int = 1
) {
    requireCount(weight.count, gradient.count, buffer.count)
    // SAFETY: counts checked above; `mutablePointer` makes each output distinct; threads write different elements.
    let (w, b) = unsafe (SharedFloats(pointer: weight.mutablePointer()), SharedFloats(pointer: buffer.mutablePointer()))
    share(weight.count, among: threads, unit: 4096) { range in
        let i = range.lowerBound
        unsafe vk_sgd_step(
            w.pointer + i, gradient.pointer + i, b.pointer + i, range.count, gradientScale, rate, momentum, decay)
    }
}

/// One step of Adam (Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, algorithm 1), with L2 weight decay as PyTorch's `Adam`, or
/// decoupled as AdamW (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101).
///
/// - Parameters:
///   - first: m, zeros before the first step; `second`: v likewise.
///   - step: t, the number of this step from 1.
public func adamStep(
    _ weight: inout Tensor, gradient: Tensor, first: inout Tensor, second: inout Tensor, gradientScale: Float, rate: Float,
    beta1: Double, beta2: Double, epsilon: Float, step: Int, decay: Float, isDecoupled: Bool, threads: Int = 1
) {
    requireCount(weight.count, gradient.count, first.count, second.count)
    precondition(step >= 1, "steps of Adam count from 1")
    // By repeated squaring in Double: a library's `pow` may differ between machines.
    let corrections = (Float(1 - power(beta1, step)), Float(1 - power(beta2, step)))
    // SAFETY: counts checked above; `mutablePointer` makes each output distinct; threads write different elements.
    let w = unsafe SharedFloats(pointer: weight.mutablePointer())
    let (m, v) = unsafe (SharedFloats(pointer: first.mutablePointer()), SharedFloats(pointer: second.mutablePointer()))
    share(weight.count, among: threads, unit: 4096) { range in
        let i = range.lowerBound
        unsafe vk_adam_step(
            w.pointer + i, gradient.pointer + i, m.pointer + i, v.pointer + i, range.count, gradientScale, rate, beta1, beta2, epsilon,
            corrections.0, corrections.1, decay, isDecoupled ? 1 : 0)
    }
}

private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, factor, left) = (1.0, base, exponent)
    while left > 0 {
        if left & 1 == 1 { result *= factor }
        factor *= factor
        left >>= 1
    }
    return result
}
