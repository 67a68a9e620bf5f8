import VitrineTensor

/// The weights of one transformer block: `z' = z + s1 * proj(attention(LN1 z))`, `z'' = z' + s2 * mlp(LN2 z')`.
public struct ViTBlock: Sendable, MLPWeights {
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
    /// On the queries of each head, `[d]`, where the network has it; likewise on the keys.
    public var queryNorm: LayerNorm?
    public var keyNorm: LayerNorm?
    /// On the heads' joint output, before the projection.
    public var contextNorm: LayerNorm?
    /// Between the MLP's maps, `[hidden]`.
    public var hiddenNorm: LayerNorm?
    /// Bias of the scores by relative position, `[rows, heads]`: see `RelativePositions`.
    public var relativePositions: Tensor?
    /// Learnt angles per step along either axis, `[2, heads, d/2]`.
    public var rotaryFrequencies: Tensor?

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

    /// No weights at all: holds the place of a block that is lent to somebody.
    static let hollow: ViTBlock = {
        let nothing = Tensor([1])
        let linear = Linear(weight: Tensor([1, 1]), bias: nil)
        let norm = LayerNorm(weight: nothing, bias: nothing)
        return ViTBlock(
            norm1: norm, qkv: linear, projection: linear, scale1: nil, norm2: norm, fc1: linear, fc2: linear, scale2: nil)
    }()
}

/// The inner values of one block for a batch; what the passes downwards read.
struct BlockState {
    /// z `[B, N, D]`.
    var input: Tensor
    var attention: AttentionState
    /// The input's rows that the residual addition reads, `[B, Q, D]`.
    var skipped: Tensor
    /// z' `[B, Q, D]`.
    var middle: Tensor
    var mlp: MLPState
    /// z'' `[B, Q, D]`.
    var output: Tensor
}

extension Pass {
    /// - Parameter norm1: stands in the place of the first norm's output.
    func block(_ l: Int, _ z: Tensor, norm1: Tensor? = nil) -> BlockState {
        let attention = attention(l, z, norm1: norm1)
        let skipped = firstRows(z, headLayout(l).outputRows)
        let middle = sum(skipped, attention.branch)
        let mlp = mlp(model.blocks[l], middle)
        return BlockState(
            input: z, attention: attention, skipped: skipped, middle: middle, mlp: mlp, output: sum(middle, mlp.branch))
    }

    /// Backward through one block down to `stop`: the gradients at `wanted`, and by the block's input if the pass goes on below.
    ///
    /// - Parameter gradients: receives those of the weights, added to what is there.
    func gradientOfBlock(
        _ l: Int, _ s: BlockState, dOutput: Tensor, rule: GradientRule, wanted: Set<Site>, stop: Site, into gradients: inout ViTBlock?
    ) -> (values: [Site: Tensor], input: Tensor?) {
        var dMiddle = gradientOfMLP(model.blocks[l], s.mlp, middle: s.middle, dOutput: dOutput, rule: rule, into: &gradients)
        add(dOutput, to: &dMiddle, threads: threads)
        var values: [Site: Tensor] = [:]
        if wanted.contains(.middle(l)) { values[.middle(l)] = dMiddle }
        if stop.position >= Site.middle(l).position { return (values, nil) }
        let step = gradientOfAttention(
            l, s.attention, dMiddle: dMiddle, rule: rule, stop: stop, keepsScores: wanted.contains(.scores(l)), into: &gradients)
        let all: [(Site, Tensor?)] = [
            (.context(l), step.context), (.attention(l), step.attention), (.scores(l), step.scores), (.qkv(l), step.qkv),
            (.norm1(l), step.norm1),
        ]
        for (site, value) in all where wanted.contains(site) { values[site] = value! }
        guard var input = step.input else { return (values, nil) }
        add(allRows(dMiddle), to: &input, threads: threads)
        if wanted.contains(.tokens(l)) { values[.tokens(l)] = input }
        return (values, input)
    }

    /// Relevance down to the block's attention and, if asked, to its input.
    func relevanceOfBlock(
        _ l: Int, _ s: BlockState, _ r: Tensor, rule: RelevanceRule, wantsInput: Bool
    ) -> (attention: Tensor, input: Tensor?) {
        let block = model.blocks[l]
        // z'' = z' + MLP branch.
        let isLost = rule.addition == .skipIntoBranch
        let (toMiddle, toMLP) = relevanceOfAdd(r, s.middle, s.mlp.branch, sum: s.output, rule: rule)
        let ofMLP = relevanceOfMLP(block, s.mlp, middle: s.middle, isLost ? toMiddle : toMLP)
        let rMiddle = isLost ? ofMLP : relevanceOfClone(toMiddle, ofMLP, x: s.middle)
        // z' = z + attention branch.
        let (toInput, toAttention) = relevanceOfAdd(rMiddle, s.skipped, s.attention.branch, sum: s.middle, rule: rule)
        let rContext = relevance(of: block.projection, x: s.attention.read, y: s.attention.projected, isLost ? toInput : toAttention)
        var (rAttention, rQKV) = relevanceOfContext(l, s.attention, rContext)
        guard wantsInput else { return (rAttention, nil) }
        relevanceOfScores(l, s.attention, rAttention, into: &rQKV)
        let rNorm1 = relevance(of: block.qkv, x: s.attention.norm.output, y: s.attention.mapped, rQKV)
        return (rAttention, isLost ? rNorm1 : relevanceOfClone(allRows(toInput), rNorm1, x: s.input))
    }
}
