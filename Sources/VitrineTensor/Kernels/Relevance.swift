import CVitrineKernels

// The steps of layer-wise relevance propagation as in Chefer, Gur & Wolf 2021 (https://arxiv.org/abs/2012.09838) and its public code.
// SAFETY: in every call below, counts are checked first, and `mutablePointer` makes an output distinct from all inputs; threads write
// different elements or rows, which changes no bit.

/// `y = a / (b + 1e-9)` where b is not 0, and 0 where it is; where `b + 1e-9` is exactly 0, `a / 1e-9`.
public func safeDivide(_ a: Tensor, _ b: Tensor, into y: inout Tensor, threads: Int = 1) {
    requireCount(a.count, b.count, y.count)
    let target = unsafe SharedFloats(pointer: y.mutablePointer())
    share(a.count, among: threads, unit: 4096) { range in
        let i = range.lowerBound
        unsafe vk_safe_divide_all(a.pointer + i, b.pointer + i, range.count, target.pointer + i)
    }
}

/// First half of the alpha-1 rule on a linear layer: `s = safeDivide(r, Z+)`, `Z+` the sum of the positive products `x_k W_jk`.
///
/// `Z+ = (x Wᵀ + |x| |W|ᵀ) / 2`; where the two nearly cancel it is summed anew, since a small sum makes a large quotient.
///
/// - Parameters:
///   - r: relevance at the output, `[..., D]`.
///   - x: the input, `[..., K]`.
///   - weight: W, `[D, K]`.
///   - y: the output `x Wᵀ + bias`.
///   - bias: `[D]`, taken off again; nil for none.
///   - p: `|x| |W|ᵀ`.
public func relevanceRatio(
    _ r: Tensor, x: Tensor, weight: Tensor, product y: Tensor, bias: Tensor? = nil, absoluteProduct p: Tensor, into s: inout Tensor,
    threads: Int = 1
) {
    let (rows, columns, terms) = (r.rowCount, r.shape.last, x.shape.last)
    requireCount(r.count, y.count, p.count, s.count)
    requireCount(columns, bias?.count ?? columns)
    requireCount(rows * terms, x.count)
    requireCount(columns * terms, weight.count)
    let target = unsafe SharedFloats(pointer: s.mutablePointer())
    share(rows, among: threads) { range in
        let i = range.lowerBound * columns
        unsafe vk_relevance_ratio(
            r.pointer + i, y.pointer + i, bias?.pointer, p.pointer + i, x.pointer + range.lowerBound * terms, weight.pointer, range.count,
            columns, terms, target.pointer + i)
    }
}

/// Relevance through the sum `q = z1 + z2` of a residual connection, for one sample.
///
/// Each summand gets `z s` with `s = safeDivide(r, q)`; both parts are then rescaled to the share of the total that the
/// absolute values of their sums deserve. The sums run over this call's tensors and are accumulated in Double.
///
/// - Parameters:
///   - r: relevance at the sum.
///   - stabiliser: 0 for the published rule, else `s = r q / (q² + stabiliser²)`, which stays bounded where q is near 0;
///     callers give `eps` times the standard deviation of q.
///   - r1: relevance of `z1`, overwritten; `r2` that of `z2`.
public func relevanceAdd(
    _ r: Tensor, _ z1: Tensor, _ z2: Tensor, stabiliser: Float, into r1: inout Tensor, _ r2: inout Tensor
) {
    let n = r.count
    requireCount(n, z1.count, z2.count, r1.count, r2.count)
    // A NaN image gives a NaN deviation, which must pass through as NaN and not stop the run.
    precondition(!(stabiliser < 0), "a stabiliser is 0 or positive")
    var sums: [3 of Double] = [0, 0, 0]
    var span = sums.mutableSpan
    unsafe span.withUnsafeMutableBufferPointer {
        unsafe vk_relevance_add(
            r.pointer, z1.pointer, z2.pointer, stabiliser, n, r1.mutablePointer(), r2.mutablePointer(), $0.baseAddress!)
    }
    rescale(&r1, &r2, total: sums[0], first: sums[1], second: sums[2])
}

/// The same where the sum `q` is known to more digits than `z1 + z2` in Float32 has: nothing near 0 is left of those where they cancel.
public func relevanceAdd(
    _ r: Tensor, _ z1: Tensor, _ z2: Tensor, sum q: Tensor, stabiliser: Float, into r1: inout Tensor, _ r2: inout Tensor
) {
    let n = r.count
    requireCount(n, z1.count, z2.count, q.count, r1.count, r2.count)
    precondition(!(stabiliser < 0), "a stabiliser is 0 or positive")
    let floor = Double(stabiliser) * Double(stabiliser)
    var (total, first, second) = (0.0, 0.0, 0.0)
    let (to1, to2) = unsafe (r1.mutablePointer(), r2.mutablePointer())
    let (relevances, sums, left, right) = unsafe (r.pointer, q.pointer, z1.pointer, z2.pointer)
    for i in 0..<n {
        let (r, q) = unsafe (Double(relevances[i]), Double(sums[i]))
        let s = stabiliser > 0 ? r * q / (q * q + floor) : safeDivide(r, q)
        let (a, b) = unsafe (Double(left[i]) * s, Double(right[i]) * s)
        unsafe (to1[i], to2[i]) = (Float(a), Float(b))
        total += r
        first += a
        second += b
    }
    rescale(&r1, &r2, total: total, first: first, second: second)
}

/// Brings both parts to the share of the total that the absolute values of their sums deserve.
private func rescale(_ r1: inout Tensor, _ r2: inout Tensor, total: Double, first: Double, second: Double) {
    let both = abs(first) + abs(second)
    scale(&r1, by: Float(safeDivide(safeDivide(abs(first), both) * total, first)))
    scale(&r2, by: Float(safeDivide(safeDivide(abs(second), both) * total, second)))
}

/// Relevance where one value was used twice: `r = x * (safeDivide(r1, x) + safeDivide(r2, x))`, the sum of both, and 0 where x is 0.
public func relevanceClone(_ r1: Tensor, _ r2: Tensor, x: Tensor, into r: inout Tensor, threads: Int = 1) {
    requireCount(x.count, r1.count, r2.count, r.count)
    let target = unsafe SharedFloats(pointer: r.mutablePointer())
    share(x.count, among: threads, unit: 4096) { range in
        let i = range.lowerBound
        unsafe vk_relevance_clone(r1.pointer + i, r2.pointer + i, x.pointer + i, range.count, target.pointer + i)
    }
}

/// The rule of `safeDivide` for two numbers.
private func safeDivide(_ a: Double, _ b: Double) -> Double {
    if b == 0 { return 0 }
    let denominator = b + 1e-9
    return a / (denominator == 0 ? 1e-9 : denominator)
}
