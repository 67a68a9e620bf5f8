import VitrineTensor

/// How relevance passes through a residual addition (methods.md §5, §5b).
public enum RelevanceRule: Sendable, Hashable, Codable {
    /// Chefer et al. 2021 as published: `R / (z1 + z2)`, ill-conditioned where the two branches cancel.
    case study
    /// `R q / (q^2 + (epsilon sd(q))^2)` with `q = z1 + z2`; everything else unchanged.
    case stabilised(epsilon: Float)
}

/// What a relevance pass must reach.
public struct RelevanceRequest: Sendable, Equatable {
    /// Blocks whose relevance at the attention matrix is wanted.
    public var attention: Set<Int>
    /// Whether relevance goes on to the pixels.
    public var input: Bool

    public init(attention: Set<Int> = [], input: Bool = false) {
        self.attention = attention
        self.input = input
    }
}

/// The inner values of a vision transformer that a method needs; the union over all methods is computed once.
///
/// Blocks count from 0. The passes stop where nothing asked for lies further down.
public struct TraceRequest: Sendable, Equatable {
    /// Softmax attention `[heads, tokens, tokens]` of these blocks.
    public var attention: Set<Int> = []
    /// Output of the first LayerNorm `[tokens, width]` of these blocks.
    public var norm1: Set<Int> = []
    /// Gradient of the target by the attention of these blocks.
    public var attentionGradient: Set<Int> = []
    /// Gradient of the target by the first LayerNorm's output of these blocks.
    public var norm1Gradient: Set<Int> = []
    /// Gradient of the target by the input pixels.
    public var inputGradient = false
    /// Relevance passes, one per rule.
    public var relevance: [RelevanceRule: RelevanceRequest] = [:]

    public init() {}

    /// Nothing but the logits.
    public static var logits: TraceRequest { TraceRequest() }

    /// Whether a class must be named.
    public var needsTarget: Bool { !attentionGradient.isEmpty || !norm1Gradient.isEmpty || inputGradient || !relevance.isEmpty }

    public mutating func formUnion(_ other: TraceRequest) {
        attention.formUnion(other.attention)
        norm1.formUnion(other.norm1)
        attentionGradient.formUnion(other.attentionGradient)
        norm1Gradient.formUnion(other.norm1Gradient)
        inputGradient = inputGradient || other.inputGradient
        for (rule, wanted) in other.relevance {
            relevance[rule, default: RelevanceRequest()].attention.formUnion(wanted.attention)
            if wanted.input { relevance[rule]!.input = true }
        }
    }

    /// The lowest block that the gradient pass must enter, or nil when there is none to do; -1 goes on to the pixels.
    var gradientEnd: Int? {
        if inputGradient { return -1 }
        return attentionGradient.union(norm1Gradient).min()
    }

    /// The lowest block whose inner values must outlive the forward pass; `depth` when none.
    func firstKeptBlock(depth: Int) -> Int {
        var first = depth
        if let end = gradientEnd { first = min(first, max(end, 0)) }
        for wanted in relevance.values { first = min(first, wanted.input ? 0 : wanted.attention.min() ?? depth) }
        return first
    }

    func check(depth: Int) throws(ViTError) {
        var blocks = attention.union(norm1).union(attentionGradient).union(norm1Gradient)
        for wanted in relevance.values { blocks.formUnion(wanted.attention) }
        for block in blocks.sorted() where block < 0 || block >= depth { throw .blockOutOfRange(block: block, depth: depth) }
    }
}
