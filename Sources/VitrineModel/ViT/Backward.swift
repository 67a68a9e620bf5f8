/// A pass from the output down: a gradient under some rule, or a relevance.
public enum Backward: Sendable, Hashable {
    /// The derivative of the target.
    case gradient(GradientRule = .exact, from: Reading = .output)
    /// Layer-wise relevance propagation; starts from 1 at the target's class.
    case relevance(RelevanceRule)

    /// Of the forward pass that it reads.
    var precision: Precision { if case .relevance(let rule) = self { rule.precision } else { .single } }
}

/// Where the scalar of a gradient is read.
public enum Reading: Sendable, Hashable {
    /// The network's own output.
    case output
    /// The final norm and the head, applied to the tokens after a block: what the network would say if it ended there.
    case block(Int, Pooling)

    /// Which of a block's tokens the head is given.
    public enum Pooling: Sendable, Hashable {
        /// Those that it reads at the output.
        case own
        /// The mean over all tokens, then the final norm (LeGrad, arXiv:2404.03214).
        case meanOfTokens
        /// The final norm, then the mean over all tokens (InFlow).
        case meanOfNormed
    }

    /// The block whose output is read; `depth - 1` for the network's own.
    func block(depth: Int) -> Int {
        switch self {
        case .output: depth - 1
        case .block(let block, _): block
        }
    }
}

/// What stands in the place of a derivative in a gradient pass.
///
/// With every switch at its default the pass is the exact gradient. Others make `value * gradient` a relevance:
/// CP-LRP (Ali et al. 2022, arXiv:2202.07304), AttnLRP (Achtibat et al. 2024, arXiv:2402.05602), LibraGrad (arXiv:2411.16760).
public struct GradientRule: Sendable, Hashable, Codable {
    public enum Norm: String, Sendable, Codable {
        case exact
        /// The deviation of a LayerNorm counts as a constant; its mean does not.
        case frozenDeviation
    }

    public enum Activation: String, Sendable, Codable {
        case derivative
        /// `f(x) / x`: the gate of `x * gate(x)` counts as a constant. A gated product gives each factor half.
        case secant
    }

    public enum Attention: String, Sendable, Codable {
        case exact
        /// Each factor of a product gets half: a quarter reaches queries and keys, half the values; the softmax is exact.
        case halvedProducts
        /// The attention counts as a constant; only values pass a gradient on.
        case valuesOnly
    }

    public var norm: Norm
    public var activation: Activation
    public var attention: Attention
    /// The generalised gamma rule in the MLP's maps and the head; 0 is the exact derivative.
    public var gamma: Float
    /// The same in the patch embedding.
    public var patchGamma: Float

    public init(
        norm: Norm = .exact, activation: Activation = .derivative, attention: Attention = .exact, gamma: Float = 0, patchGamma: Float = 0
    ) {
        self.norm = norm
        self.activation = activation
        self.attention = attention
        self.gamma = gamma
        self.patchGamma = patchGamma
    }

    /// The derivative itself.
    public static let exact = GradientRule()
    /// CP-LRP, the default of LXT for vision transformers: constant attention, secants, frozen deviations.
    public static let cpLRP = GradientRule(norm: .frozenDeviation, activation: .secant, attention: .valuesOnly)
    /// AttnLRP: as CP-LRP, with relevance through queries and keys.
    public static let attnLRP = GradientRule(norm: .frozenDeviation, activation: .secant, attention: .halvedProducts)
}

/// How relevance passes through a residual addition, and how exactly the values are known that it divides by.
public struct RelevanceRule: Sendable, Hashable, Codable {
    public enum Addition: Sendable, Hashable, Codable {
        /// Chefer et al. 2021 (arXiv:2012.09838) as published: `R / (z1 + z2)`, ill-conditioned where the two branches cancel.
        case published
        /// `R q / (q^2 + (epsilon sd(q))^2)` with `q = z1 + z2`; everything else unchanged.
        case stabilised(epsilon: Float)
        /// As txv 0.0.2 runs: the skip's share is handed to the branch, and the branch's share is lost.
        case skipIntoBranch
    }

    public var addition: Addition
    /// Of the forward pass that relevance reads. With `.double` it is a pass of its own, whose values and sums are rounded once.
    public var precision: Precision

    public init(_ addition: Addition, precision: Precision = .single) {
        self.addition = addition
        self.precision = precision
    }

    /// The published addition.
    public static let study = RelevanceRule(.published)
    /// The stabilised addition.
    public static func stabilised(epsilon: Float) -> RelevanceRule { RelevanceRule(.stabilised(epsilon: epsilon)) }
}

/// What a forward pass is computed in.
public enum Precision: String, Sendable, Hashable, Codable, CaseIterable {
    /// Float32.
    case single
    /// Float64; see `Pass.preciseForward`.
    case double
}
