#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How the learning rate falls over a run.
public enum Schedule: String, Sendable, Codable, CaseIterable {
    case constant
    /// `(1 + cos(pi e / E)) / 2` with the epoch e: PyTorch's `CosineAnnealingLR(T_max: E)` stepped once an epoch
    /// (Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983, without restarts).
    case cosine
    /// The same in fractions of an epoch, changing with every step.
    case cosinePerStep = "cosine-per-step"

    /// The factor of the learning rate.
    ///
    /// - Parameters:
    ///   - epoch: from 0; `step`: the optimiser step within it, from 0.
    ///   - warmup: epochs during which the factor rises linearly, reaching 1 with their last step; the schedule then runs over the rest.
    public func factor(epoch: Int, step: Int, stepsPerEpoch: Int, epochs: Int, warmup: Int) -> Double {
        if epoch < warmup { return Double(epoch * stepsPerEpoch + step + 1) / Double(warmup * stepsPerEpoch) }
        let span = Double(max(epochs - warmup, 1))
        switch self {
        case .constant: return 1
        case .cosine: return 0.5 * (1 + cos(.pi * Double(epoch - warmup) / span))
        case .cosinePerStep:
            return 0.5 * (1 + cos(.pi * (Double(epoch - warmup) + Double(step) / Double(stepsPerEpoch)) / span))
        }
    }
}
