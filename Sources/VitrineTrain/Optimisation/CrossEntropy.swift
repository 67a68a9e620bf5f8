import VitrineModel
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Cross-entropy with class weights and label smoothing, as PyTorch's `cross_entropy(weight:label_smoothing:)` defines it.
///
/// The loss of a batch is `sum_i l_i / sum_i w(y_i)` with `l_i = -(1 - e) w(y_i) log p(y_i) - e / C sum_c w(c) log p(c)`.
/// Label smoothing: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, section 7. Computed in Double.
public struct CrossEntropy: Sendable, Equatable {
    /// w, one per class; empty for all ones.
    public var classWeights: [Double]
    /// e, in 0..<1.
    public var labelSmoothing: Double

    public init(classWeights: [Double] = [], labelSmoothing: Double = 0) {
        self.classWeights = classWeights
        self.labelSmoothing = labelSmoothing
    }

    /// w(y).
    public func weight(of label: Int) -> Double { classWeights.isEmpty ? 1 : classWeights[label] }

    /// What the loss of these labels is divided by.
    public func denominator(_ labels: some Sequence<Int>) -> Double { labels.reduce(0) { $0 + weight(of: $1) } }

    /// l, the undivided loss of one image, and its derivative by the logits.
    public func callAsFunction(logits: [Float], label: Int) -> (loss: Double, gradient: [Double]) {
        let classes = logits.count
        precondition(label >= 0 && label < classes && (classWeights.isEmpty || classWeights.count == classes), "one weight per class")
        let top = Double(logits.max()!)
        let shifted = logits.map { Double($0) - top }
        let logTotal = log(shifted.reduce(0) { $0 + exp($1) })
        let own = (1 - labelSmoothing) * weight(of: label)
        let spread = labelSmoothing / Double(classes)
        var loss = own * (logTotal - shifted[label])
        var mass = own
        if spread > 0 {
            for c in 0..<classes {
                loss += spread * weight(of: c) * (logTotal - shifted[c])
                mass += spread * weight(of: c)
            }
        }
        let gradient = (0..<classes).map { c in
            mass * exp(shifted[c] - logTotal) - (c == label ? own : 0) - spread * weight(of: c)
        }
        return (loss, gradient)
    }

    /// The undivided losses of the rows of `logits` `[B, classes]` and the derivative of `scale` times their sum.
    public func callAsFunction(logits: Tensor, labels: [Int], scale: Double) -> (losses: [Double], gradient: Tensor) {
        precondition(labels.count == logits.shape[0], "one label per image")
        var losses: [Double] = []
        var rows: [Float] = []
        for (b, label) in labels.enumerated() {
            let (loss, gradient) = self(logits: logits[b].values, label: label)
            losses.append(loss)
            rows += gradient.map { Float($0 * scale) }
        }
        return (losses, Tensor(logits.shape, rows))
    }
}
