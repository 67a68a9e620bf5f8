import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The number of patch rows and columns of an image or of a position embedding.
public struct PatchGrid: Sendable, Hashable, Codable, CustomStringConvertible {
    public var rows: Int
    public var columns: Int
    public var count: Int { rows * columns }

    public init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }

    public var description: String { "\(rows)x\(columns)" }
}

/// Everything about a vision transformer but its weights: one description for the whole family (timm, DINO, DINOv2, MAE,
/// DeiT, Hugging Face, torchvision).
///
/// Tokens stand in the order class token, distillation token, registers, patches (row-major from the top left).
public struct ViTConfiguration: Sendable, Equatable, Codable {
    /// What the classifier head reads.
    public enum Pooling: String, Sendable, Codable {
        /// The class token.
        case classToken
        /// The mean of the patch tokens (prefix tokens excluded).
        case mean
        /// Class token and mean of the patch tokens, concatenated (Hugging Face `Dinov2ForImageClassification`).
        case classAndMean
        /// Class token and distillation token each have a head; the logits are averaged (DeiT).
        case distilled
        /// A learnt query attends to the patches (SigLIP); see `AttentionPool`.
        case attention
    }

    /// What pools by attention.
    public struct AttentionPooling: Sendable, Equatable, Codable {
        /// E, the width of its query, keys and values; divided by the heads.
        public var width: Int
        public var heads: Int
        /// Prefix tokens are asked too.
        public var readsPrefix = false
        /// A LayerNorm on the tokens that are asked.
        public var hasKeyNorm = false
        /// An MLP behind it, with the blocks' activation and epsilon.
        public var hasMLP = true
        /// A LayerNorm on what it gives.
        public var hasOutputNorm = false
        /// Of its own norms.
        public var normEpsilon: Float = 1e-5

        public init(width: Int, heads: Int) {
            self.width = width
            self.heads = heads
        }
    }

    /// What the logits mean.
    public enum Probabilities: String, Sendable, Codable, CaseIterable {
        /// One class of several: the probabilities of an image sum to 1.
        case softmax
        /// Every logit is a question of its own: one-logit and multi-label heads.
        case sigmoid
        /// A Tanh stands behind the classifier, before softmax, of one logit before its sigmoid (MONAI's ViT): the logits are its inputs.
        case tanh

        /// The probability of each logit, computed in Float64.
        public func callAsFunction(_ logits: [Float]) -> [Float] {
            switch self {
            case .softmax: VitrineModel.softmax(logits)
            case .sigmoid: logits.map { Float(1 / (1 + exp(-Double($0)))) }
            case .tanh:
                (logits.count > 1 ? Self.softmax : .sigmoid)(logits.map { Float(bounded(Double($0))) })
            }
        }
    }

    /// Where the last LayerNorm stands.
    public enum NormPlacement: String, Sendable, Codable {
        /// On all tokens, before pooling (`norm`).
        case beforePooling
        /// On the pooled vector (`fc_norm`, MAE).
        case afterPooling
        /// Nowhere: tokens are pooled as the last block left them (Hugging Face `CLIPForImageClassification`).
        case absent
    }

    /// What an MLP does between its two linear maps.
    public enum MLP: Sendable, Equatable, Codable {
        case activation(Activation)
        /// `silu(gate) * value`; the first linear map gives `gate | value`, twice the hidden width (DINOv2 giant).
        case swiGLU
    }

    /// How a position embedding made for another grid is brought to the image's.
    public enum PositionResampling: String, Sendable, Codable, CaseIterable {
        /// PyTorch bicubic with antialias, half-pixel centres: timm's `resample_abs_pos_embed`, and DINOv2 with registers both in
        /// its own code and in Hugging Face's.
        case bicubicAntialias
        /// PyTorch bicubic without antialias, half-pixel centres: MAE, DeiT and all of Hugging Face but `Dinov2WithRegisters`.
        case bicubic
        /// Without antialias, and the scale taken as (new + 0.1) / old: the own code of DINO and of DINOv2 without registers.
        case bicubicOffset
        /// Without antialias, corner points aligned: torchvision's `interpolate_embeddings`.
        case bicubicAlignCorners
    }

    /// Side of a square patch in pixels.
    public var patchSize: Int
    /// D, the width of a token.
    public var width: Int
    /// L, the number of blocks.
    public var depth: Int
    /// H, the number of attention heads; divides the width.
    public var heads: Int
    /// Hidden width of the MLP (of each half with SwiGLU).
    public var hidden: Int
    /// Number of logits; 0 for a backbone without a head.
    public var classes: Int
    /// Input channels, 3 for every known model.
    public var channels: Int
    /// Grid of the stored position embedding.
    public var positionGrid: PatchGrid
    public var hasClassToken: Bool
    public var hasDistillationToken: Bool
    /// Number of register tokens (DINOv2 with registers: 4).
    public var registers: Int
    /// Prefix tokens that have a position embedding of their own (the first this many).
    public var positionedPrefixTokens: Int
    public var pooling: Pooling
    public var normPlacement: NormPlacement
    public var mlp: MLP
    public var hasLayerScale: Bool
    public var normEpsilon: Float
    public var positionResampling: PositionResampling
    public var probabilities: Probabilities
    /// Whether a learnt embedding of positions is added to the tokens; without one, `positionGrid` is the grid that images usually have.
    public var hasPositionEmbedding = true
    /// Positions that turn queries and keys; nil for none.
    public var rotary: RotaryPositions?
    /// Whether attention scores have a learnt bias by relative position; the image then has the grid of `positionGrid`.
    public var hasRelativePositions = false
    /// Without one, the keys' third of the bias of queries, keys and values is 0 and is not trained.
    public var hasKeyBias = true
    /// A LayerNorm on each head's queries and keys, before they turn.
    public var hasQueryKeyNorm = false
    /// A LayerNorm on the heads' joint output, before the projection (EVA-02 CLIP).
    public var hasContextNorm = false
    /// A LayerNorm between the MLP's two maps, behind the activation (EVA-02).
    public var hasHiddenNorm = false
    /// A LayerNorm on the embedded tokens, before block 0 (CLIP).
    public var hasInputNorm = false
    /// Width of the space that images and texts share, to which the pooled vector is projected without a bias (CLIP); 0 for none.
    public var projectionWidth = 0
    /// What pools where `pooling` is `.attention`; nil for SigLIP's kind, of the blocks' width and heads.
    public var attentionPooling: AttentionPooling?
    /// What the head reads has length 1, so that its logits are cosines times a scale (CLIP, SigLIP).
    public var hasUnitFeatures = false

    public init(
        patchSize: Int, width: Int, depth: Int, heads: Int, hidden: Int? = nil, classes: Int, channels: Int = 3,
        positionGrid: PatchGrid, hasClassToken: Bool = true, hasDistillationToken: Bool = false, registers: Int = 0,
        positionedPrefixTokens: Int? = nil, pooling: Pooling = .classToken, normPlacement: NormPlacement = .beforePooling,
        mlp: MLP = .activation(.gelu), hasLayerScale: Bool = false, normEpsilon: Float = 1e-6,
        positionResampling: PositionResampling = .bicubicAntialias, probabilities: Probabilities = .softmax
    ) {
        self.patchSize = patchSize
        self.width = width
        self.depth = depth
        self.heads = heads
        self.hidden = hidden ?? 4 * width
        self.classes = classes
        self.channels = channels
        self.positionGrid = positionGrid
        self.hasClassToken = hasClassToken
        self.hasDistillationToken = hasDistillationToken
        self.registers = registers
        self.positionedPrefixTokens = positionedPrefixTokens ?? ((hasClassToken ? 1 : 0) + (hasDistillationToken ? 1 : 0))
        self.pooling = pooling
        self.normPlacement = normPlacement
        self.mlp = mlp
        self.hasLayerScale = hasLayerScale
        self.normEpsilon = normEpsilon
        self.positionResampling = positionResampling
        self.probabilities = probabilities
    }

    /// r, the number of tokens before the first patch.
    public var prefixTokens: Int { (hasClassToken ? 1 : 0) + (hasDistillationToken ? 1 : 0) + registers }
    /// d, the width of a head.
    public var headWidth: Int { width / heads }
    /// Output width of the MLP's first linear map.
    public var firstHidden: Int { mlp == .swiGLU ? 2 * hidden : hidden }
    /// Width of the pooled vector.
    public var pooledWidth: Int {
        switch pooling {
        case .classAndMean: 2 * width
        case .attention: pool.width
        case .classToken, .mean, .distilled: width
        }
    }
    /// What pools by attention, where it does.
    public var pool: AttentionPooling { attentionPooling ?? AttentionPooling(width: width, heads: heads) }
    /// Width of the vector that the head reads.
    public var featureWidth: Int { projectionWidth > 0 ? projectionWidth : pooledWidth }

    /// Which class the logits decide for: the largest, the first of equals. Of a single logit, 1 where it is above 0 and else 0.
    public func predictedClass(_ logits: [Float]) -> Int {
        if logits.count == 1 { return logits[0] > 0 ? 1 : 0 }
        var best = 0
        for i in logits.indices where logits[i] > logits[best] { best = i }
        return best
    }

    /// Attentions from the pixels up: those of the blocks, and that of attention pooling, where there is one, with the number `depth`.
    public var attentions: Range<Int> { 0..<depth + (pooling == .attention ? 1 : 0) }

    /// Heads of one of `attentions`.
    public func heads(of attention: Int) -> Int { attention == depth ? pool.heads : heads }

    /// The patch grid of an image of this size.
    ///
    /// - Throws: `ViTError.imageSize` when a side is no multiple of the patch.
    public func grid(height: Int, width: Int) throws(ViTError) -> PatchGrid {
        guard height > 0, width > 0, height % patchSize == 0, width % patchSize == 0 else {
            throw .imageSize(height: height, width: width, patch: patchSize)
        }
        let grid = PatchGrid(rows: height / patchSize, columns: width / patchSize)
        guard !hasRelativePositions || grid == positionGrid else { throw .relativePositions(stored: positionGrid, found: grid) }
        return grid
    }
}

/// The hyperbolic tangent.
func bounded(_ x: Double) -> Double { 1 - 2 / (exp(2 * x) + 1) }

extension ViTConfiguration {
    /// Reads a stored configuration. A field that the text lacks, because it was written before there was such a field, has the value
    /// that all models had then: that of `init`'s default.
    ///
    /// - Throws: `DecodingError` without patch size, width, depth, heads, classes or position grid, or for a value of another kind.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            patchSize: try fields.decode(Int.self, forKey: .patchSize), width: try fields.decode(Int.self, forKey: .width),
            depth: try fields.decode(Int.self, forKey: .depth), heads: try fields.decode(Int.self, forKey: .heads),
            classes: try fields.decode(Int.self, forKey: .classes),
            positionGrid: try fields.decode(PatchGrid.self, forKey: .positionGrid))
        func read<T: Decodable>(_ key: CodingKeys, into value: inout T) throws {
            if let stored = try fields.decodeIfPresent(T.self, forKey: key) { value = stored }
        }
        try read(.hidden, into: &hidden)
        try read(.channels, into: &channels)
        try read(.hasClassToken, into: &hasClassToken)
        try read(.hasDistillationToken, into: &hasDistillationToken)
        try read(.registers, into: &registers)
        positionedPrefixTokens = (hasClassToken ? 1 : 0) + (hasDistillationToken ? 1 : 0)
        try read(.positionedPrefixTokens, into: &positionedPrefixTokens)
        try read(.pooling, into: &pooling)
        try read(.normPlacement, into: &normPlacement)
        try read(.mlp, into: &mlp)
        try read(.hasLayerScale, into: &hasLayerScale)
        try read(.normEpsilon, into: &normEpsilon)
        try read(.positionResampling, into: &positionResampling)
        probabilities = classes == 1 ? .sigmoid : .softmax
        try read(.probabilities, into: &probabilities)
        try read(.hasPositionEmbedding, into: &hasPositionEmbedding)
        rotary = try fields.decodeIfPresent(RotaryPositions.self, forKey: .rotary)
        try read(.hasRelativePositions, into: &hasRelativePositions)
        try read(.hasKeyBias, into: &hasKeyBias)
        try read(.hasQueryKeyNorm, into: &hasQueryKeyNorm)
        try read(.hasContextNorm, into: &hasContextNorm)
        try read(.hasHiddenNorm, into: &hasHiddenNorm)
        try read(.hasInputNorm, into: &hasInputNorm)
        try read(.projectionWidth, into: &projectionWidth)
        attentionPooling = try fields.decodeIfPresent(AttentionPooling.self, forKey: .attentionPooling)
        try read(.hasUnitFeatures, into: &hasUnitFeatures)
    }
}

/// What can be wrong with a request to a vision transformer.
public enum ViTError: Error, Equatable, CustomStringConvertible {
    case imageSize(height: Int, width: Int, patch: Int)
    case imageShape(expected: String, found: String)
    case noHead(request: String)
    case targetOutOfRange(target: Int, classes: Int)
    case targetCount(images: Int, targets: Int)
    case blockOutOfRange(block: Int, depth: Int)
    /// More of the last blocks than there are.
    case blockCount(asked: Int, depth: Int)
    case headOutOfRange(head: Int, heads: Int)
    case siteNotServed(site: String, pass: String)
    /// Relative positions belong to one grid.
    case relativePositions(stored: PatchGrid, found: PatchGrid)
    /// A method whose arithmetic an operation of the network does not fit.
    case unfitting(what: String, network: String)

    public var description: String {
        switch self {
        case .imageSize(let height, let width, let patch):
            "image of \(height)x\(width) pixels: both sides must be multiples of the patch size \(patch); resize or crop it"
        case .imageShape(let expected, let found):
            "images of shape \(found), expected \(expected)"
        case .noHead(let request):
            "\(request) needs a class, but this checkpoint is a backbone without a classifier head; fine-tune it, or ask for a class-agnostic method"
        case .targetOutOfRange(let target, let classes):
            "target class \(target), but the model has classes 0...\(classes - 1)"
        case .targetCount(let images, let targets):
            "\(targets) targets for \(images) images; give one per image"
        case .blockOutOfRange(let block, let depth):
            "block \(block), but the model has blocks 0...\(depth - 1)"
                + (block == depth ? "; after the last one nothing but the tokens that the head reads reaches the logits" : "")
        case .blockCount(let asked, let depth):
            "the last \(asked) blocks, but the model has \(depth)"
        case .headOutOfRange(let head, let heads):
            "attention head \(head), but the model has heads 0...\(heads - 1)"
        case .siteNotServed(let site, let pass):
            "\(pass) cannot give the values at \(site)"
        case .relativePositions(let stored, let found):
            "an image of \(found) patches, but the model's relative positions are those of \(stored) patches and are not resampled; "
                + "bring the image to that size"
        case .unfitting(let what, let network): "\(what) is not defined for a network with \(network)"
        }
    }
}
