/// The non-linearity of a transformer's MLP.
public enum Activation: String, Sendable, Codable, CaseIterable {
    /// `x Phi(x)`, the exact error-function form (PyTorch `GELU()`).
    case gelu
    /// The tanh approximation (PyTorch `GELU(approximate='tanh')`).
    case geluTanh
    /// `x sigmoid(1.702 x)`.
    case quickGelu
}
