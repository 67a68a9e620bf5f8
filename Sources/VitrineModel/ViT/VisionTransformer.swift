import VitrineTensor

/// `y = x W^T + b`.
public struct Linear: Sendable {
    /// `[out, in]`, as PyTorch stores it.
    public var weight: Tensor
    /// `[out]`.
    public var bias: Tensor?

    public init(weight: Tensor, bias: Tensor?) {
        precondition(weight.shape.rank == 2, "a linear weight has two dimensions")
        precondition(bias == nil || bias!.count == weight.shape[0], "a bias has one value per output")
        self.weight = weight
        self.bias = bias
    }

    public var inputs: Int { weight.shape[1] }
    public var outputs: Int { weight.shape[0] }
}

/// Scale and shift of a LayerNorm, `[D]` each.
public struct LayerNorm: Sendable {
    public var weight: Tensor
    public var bias: Tensor

    public init(weight: Tensor, bias: Tensor) {
        self.weight = weight
        self.bias = bias
    }
}

/// The weights of one transformer block: `z' = z + s1 * proj(attention(LN1 z))`, `z'' = z' + s2 * mlp(LN2 z')`.
public struct ViTBlock: Sendable {
    public var norm1: LayerNorm
    /// Queries, keys and values in one map: `[3 D, D]`, in the order (3, head, d).
    public var qkv: Linear
    public var projection: Linear
    /// LayerScale of the attention branch, `[D]`.
    public var scale1: Tensor?
    public var norm2: LayerNorm
    public var fc1: Linear
    public var fc2: Linear
    /// LayerScale of the MLP branch, `[D]`.
    public var scale2: Tensor?

    public init(
        norm1: LayerNorm, qkv: Linear, projection: Linear, scale1: Tensor?, norm2: LayerNorm, fc1: Linear, fc2: Linear, scale2: Tensor?
    ) {
        self.norm1 = norm1
        self.qkv = qkv
        self.projection = projection
        self.scale1 = scale1
        self.norm2 = norm2
        self.fc1 = fc1
        self.fc2 = fc2
        self.scale2 = scale2
    }
}

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
    /// `[positionedPrefixTokens + positionGrid.count, D]`, prefix tokens first.
    public var positionEmbedding: Tensor
    public var blocks: [ViTBlock]
    /// The last LayerNorm; `configuration.normPlacement` says where it stands.
    public var norm: LayerNorm
    /// `[classes, pooledWidth]`; nil for a backbone.
    public var head: Linear?
    /// Head of the distillation token (`configuration.pooling == .distilled`).
    public var distillationHead: Linear?

    public init(
        configuration: ViTConfiguration, patchEmbedding: Linear, classToken: Tensor?, distillationToken: Tensor? = nil,
        registerTokens: Tensor? = nil, positionEmbedding: Tensor, blocks: [ViTBlock], norm: LayerNorm, head: Linear?,
        distillationHead: Linear? = nil
    ) {
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
    }
}
