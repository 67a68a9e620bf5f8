import VitrineTensor

/// What a forward pass, and the passes downwards asked for, left behind for a batch of B images.
///
/// `trace.forward[.attention(l)]![b]` is one image's share, a view without a copy.
public struct Trace: Sendable {
    /// Patch grid of the images.
    public let grid: PatchGrid
    /// Number of tokens before the first patch.
    public let prefixTokens: Int
    /// `[B, featureWidth]`: what the head reads (for a backbone: its features).
    public internal(set) var pooled: Tensor
    /// `[B, classes]`; nil for a backbone.
    public internal(set) var logits: Tensor?
    /// What each image's gradient and relevance belong to; empty when no target was needed.
    public internal(set) var targets: [Target] = []
    /// Values by place, with the batch in front.
    public internal(set) var forward: [Site: Tensor] = [:]
    /// What each pass downwards left behind.
    public internal(set) var backward: [Backward: PassValues] = [:]

    /// Number of images.
    public var count: Int { pooled.shape[0] }

    /// The logits of image `b`; empty for a backbone.
    public func logits(of b: Int) -> [Float] { logits.map { $0[b].values } ?? [] }

    /// The exact gradient of the targets by place; empty when none was asked for.
    public var gradient: [Site: Tensor] { backward[.gradient()]?.values ?? [:] }

    /// Relevance under a rule by place; empty when none was asked for.
    public func relevance(_ rule: RelevanceRule) -> [Site: Tensor] { backward[.relevance(rule)]?.values ?? [:] }
}

/// What one pass downwards left behind.
public struct PassValues: Sendable {
    /// By place, with the batch in front.
    public internal(set) var values: [Site: Tensor] = [:]
    /// Of a relevance, by image, then by block visited from the last: the sum of what leaves the block downwards (1 when
    /// conserved), with the pixels' sum last if they were reached.
    public internal(set) var sums: [[Double]] = []
    /// `[B, classes]` that the pass started from: the network's own, or those read after a block.
    public internal(set) var logits: Tensor?
}
