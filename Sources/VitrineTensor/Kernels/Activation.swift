import CVitrineKernels

/// The non-linearity inside an MLP.
public enum Activation: String, Sendable, Codable, CaseIterable {
    /// `x Phi(x)` with the normal distribution function (Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415).
    case gelu
    /// The same paper's approximation `x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`.
    case geluTanh
    /// The same paper's `x sigmoid(1.702 x)`.
    case quickGelu
}

/// `y = kind(x)`, element by element, shared among threads.
public func activate(_ kind: Activation, _ x: Tensor, into y: inout Tensor, threads: Int = 1) {
    requireCount(x.count, y.count)
    // SAFETY: counts checked above; `mutablePointer` makes the output distinct; threads write different elements.
    let target = unsafe SharedFloats(pointer: y.mutablePointer())
    share(x.count, among: threads, unit: 64) { range in
        let (source, n) = unsafe (x.pointer + range.lowerBound, range.count)
        let output = unsafe target.pointer + range.lowerBound
        switch kind {
        case .gelu: unsafe vk_gelu(source, n, output)
        case .geluTanh: unsafe vk_gelu_tanh(source, n, output)
        case .quickGelu: unsafe vk_quick_gelu(source, n, output)
        }
    }
}

/// `dx = dy * kind'(x)`, element by element, shared among threads.
public func activationGradient(_ kind: Activation, x: Tensor, dy: Tensor, into dx: inout Tensor, threads: Int = 1) {
    requireCount(x.count, dy.count, dx.count)
    // SAFETY: counts checked above; `mutablePointer` makes the output distinct; threads write different elements.
    let target = unsafe SharedFloats(pointer: dx.mutablePointer())
    share(x.count, among: threads, unit: 64) { range in
        let (i, n) = (range.lowerBound, range.count)
        let (source, gradient, output) = unsafe (x.pointer + i, dy.pointer + i, target.pointer + i)
        switch kind {
        case .gelu: unsafe vk_gelu_gradient(source, gradient, n, output)
        case .geluTanh: unsafe vk_gelu_tanh_gradient(source, gradient, n, output)
        case .quickGelu: unsafe vk_quick_gelu_gradient(source, gradient, n, output)
        }
    }
}

/// The gate of SwiGLU (Shazeer 2020, https://arxiv.org/abs/2002.05202): `y = silu(gate) * value`.
///
/// - Parameters:
///   - x: `[..., 2H]`, each row the gates followed by the values.
///   - y: `[..., H]`, overwritten.
public func siluGate(_ x: Tensor, into y: inout Tensor) {
    precondition(x.shape.last % 2 == 0, "SwiGLU needs gates and values: an even number of columns, not \(x.shape.last)")
    requireCount(x.count / 2, y.count)
    // SAFETY: counts checked above; `mutablePointer` makes the output distinct.
    unsafe vk_silu_gate(x.pointer, x.rowCount, x.shape.last / 2, y.mutablePointer())
}

/// Gradient of `siluGate`: `dy [..., H]` at the output gives `dx [..., 2H]`, overwritten.
public func siluGateGradient(_ dy: Tensor, x: Tensor, into dx: inout Tensor) {
    precondition(x.shape.last % 2 == 0, "SwiGLU needs gates and values: an even number of columns, not \(x.shape.last)")
    requireCount(x.count, dx.count)
    requireCount(x.count / 2, dy.count)
    // SAFETY: counts checked above; `mutablePointer` makes the output distinct.
    unsafe vk_silu_gate_gradient(dy.pointer, x.pointer, x.rowCount, x.shape.last / 2, dx.mutablePointer())
}

/// `dx = dy f(x) / x`: what stands in the place of a derivative where the gate of `f(x) = x gate(x)` counts as a constant.
///
/// - Parameter y: f(x). At x = 0 the ratio is 1/2, the limit of every activation here.
public func activationSecant(x: Tensor, y: Tensor, dy: Tensor, into dx: inout Tensor) {
    requireCount(x.count, y.count, dy.count, dx.count)
    // SAFETY: counts checked above; `mutablePointer` makes the output distinct.
    unsafe vk_activation_secant(x.pointer, y.pointer, dy.pointer, x.count, dx.mutablePointer())
}

/// The same for `siluGate`: half of `dy` to each factor, the sigmoid of the gate a constant.
///
/// - Parameters: shapes as in `siluGateGradient`.
public func siluGateSecant(_ dy: Tensor, x: Tensor, into dx: inout Tensor) {
    precondition(x.shape.last % 2 == 0, "SwiGLU needs gates and values: an even number of columns, not \(x.shape.last)")
    requireCount(x.count, dx.count)
    requireCount(x.count / 2, dy.count)
    // SAFETY: counts checked above; `mutablePointer` makes the output distinct.
    unsafe vk_silu_gate_secant(dy.pointer, x.pointer, x.rowCount, x.shape.last / 2, dx.mutablePointer())
}
