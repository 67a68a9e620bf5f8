import VitrineTensor

/// A vision transformer: its configuration and its weights (Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929).
///
/// Weights are immutable once loaded and shared between workers; they may lie in a mapped checkpoint.
public struct VisionTransformer: Sendable {
    public var configuration: ViTConfiguration
    /// `[D, channels * patch * patch]`: the patch convolution as a linear map on (channel, row, column).
    public var patchEmbedding: Linear
    /// `[D]`.
    public var classToken: Tensor?
    /// `[D]`.
    public var distillationToken: Tensor?
    /// `[registers, D]`.
    public var registerTokens: Tensor?
    /// `[positionedPrefixTokens + positionGrid.count, D]`, prefix tokens first; nil where none is added (`hasPositionEmbedding`).
    public var positionEmbedding: Tensor?
    public var blocks: [ViTBlock]
    /// On the embedded tokens, before block 0 (`hasInputNorm`).
    public var inputNorm: LayerNorm?
    /// The last LayerNorm; `configuration.normPlacement` says where it stands. Nothing reads it where that is nowhere.
    public var norm: LayerNorm
    /// What pools where `configuration.pooling` is `.attention`.
    public var attentionPool: AttentionPool?
    /// `[projectionWidth, pooledWidth]`, without a bias; nil where the head reads the pooled vector itself.
    public var visualProjection: Linear?
    /// `[classes, featureWidth]`; nil for a backbone.
    public var head: Linear?
    /// Head of the distillation token (`configuration.pooling == .distilled`).
    public var distillationHead: Linear?

    public init(
        configuration: ViTConfiguration, patchEmbedding: Linear, classToken: Tensor?, distillationToken: Tensor? = nil,
        registerTokens: Tensor? = nil, positionEmbedding: Tensor?, blocks: [ViTBlock], norm: LayerNorm, head: Linear?,
        distillationHead: Linear? = nil, inputNorm: LayerNorm? = nil, attentionPool: AttentionPool? = nil,
        visualProjection: Linear? = nil
    ) {
        precondition((attentionPool != nil) == (configuration.pooling == .attention), "attention pools where there is a query")
        self.configuration = configuration
        self.patchEmbedding = patchEmbedding
        self.classToken = classToken
        self.distillationToken = distillationToken
        self.registerTokens = registerTokens
        self.positionEmbedding = positionEmbedding
        self.blocks = blocks
        self.norm = norm
        self.head = head
        self.distillationHead = distillationHead
        self.inputNorm = inputNorm
        self.attentionPool = attentionPool
        self.visualProjection = visualProjection
    }
}
