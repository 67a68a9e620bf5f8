import VitrineTensor

/// What a forward pass, and the gradient and relevance passes asked for, left behind for a batch of B images.
///
/// `trace.attention[l]![b]` is one image's share, a view without a copy.
public struct Trace: Sendable {
    /// Patch grid of the images.
    public let grid: PatchGrid
    /// Number of tokens before the first patch.
    public let prefixTokens: Int
    /// `[B, pooledWidth]`: what the head reads (for a backbone: its features).
    public internal(set) var pooled: Tensor
    /// `[B, classes]`; nil for a backbone.
    public internal(set) var logits: Tensor?
    /// What each image's gradient and relevance belong to; empty when no target was needed.
    public internal(set) var targets: [Target] = []
    /// By block: `[B, heads, tokens, tokens]`, rows sum to 1.
    public internal(set) var attention: [Int: Tensor] = [:]
    /// By block: `[B, tokens, width]`.
    public internal(set) var norm1: [Int: Tensor] = [:]
    /// By block: `[B, heads, tokens, tokens]`.
    public internal(set) var attentionGradient: [Int: Tensor] = [:]
    /// By block: `[B, tokens, width]`.
    public internal(set) var norm1Gradient: [Int: Tensor] = [:]
    /// `[B, channels, height, width]`, by the normalised pixels.
    public internal(set) var inputGradient: Tensor?
    public internal(set) var relevance: [RelevanceRule: RelevanceTrace] = [:]

    /// Number of images.
    public var count: Int { pooled.shape[0] }

    /// The logits of image `b`; empty for a backbone.
    public func logits(of b: Int) -> [Float] { logits.map { $0[b].values } ?? [] }
}

/// What one relevance pass left behind.
public struct RelevanceTrace: Sendable {
    /// By block: relevance at the attention matrix, `[B, heads, tokens, tokens]`.
    public internal(set) var attention: [Int: Tensor] = [:]
    /// `[B, height, width]`: relevance of the pixels, channels summed.
    public internal(set) var input: Tensor?
    /// By image, then by block visited from the last: the sum of the relevance that leaves the block downwards (1 when
    /// conserved), with the pixels' sum last if they were reached.
    public internal(set) var sums: [[Double]]
}
