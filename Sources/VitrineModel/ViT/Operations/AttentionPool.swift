import VitrineTensor

/// Pooling by attention: one learnt query asks all patches (big_vision's MAP head; SigLIP, https://arxiv.org/abs/2303.15343).
///
/// `a_h = softmax(q_h K_h^T / sqrt(d))`, `u = Wo (a V) + bo`, `f = u + MLP(LN u)`, with as many heads as the blocks and their activation. No
/// residual path leads around it. `Site.attention(depth)` is a.
public struct AttentionPool: Sendable, MLPWeights {
    /// What asks, `[D]`; its query is `query` of it.
    public var probe: Tensor
    public var query: Linear
    /// Keys and values in one map: `[2 D, D]`, in the order (2, head, d).
    public var keysValues: Linear
    public var projection: Linear
    public var norm2: LayerNorm
    public var fc1: Linear
    public var fc2: Linear

    var hiddenNorm: LayerNorm? {
        get { nil }
        set {}
    }
    var scale2: Tensor? {
        get { nil }
        set {}
    }

    public init(
        probe: Tensor, query: Linear, keysValues: Linear, projection: Linear, norm2: LayerNorm, fc1: Linear, fc2: Linear
    ) {
        self.probe = probe
        self.query = query
        self.keysValues = keysValues
        self.projection = projection
        self.norm2 = norm2
        self.fc1 = fc1
        self.fc2 = fc2
    }
}

/// The inner values of attention pooling for a batch. P patches are asked; prefix tokens are not.
struct AttentionPoolState {
    /// q `[1, D]`, the same for all images.
    var query: Tensor
    /// K and V of every token, bias included `[B, N, 2 D]`.
    var mapped: Tensor
    /// q K^T `[B, H, 1, P]`, without its scale, where it is known to more digits than the rounded factors give; else it is computed again.
    var products: Tensor?
    /// a `[B, H, 1, P]`.
    var attention: Tensor
    /// a V, heads side by side `[B, 1, D]`.
    var context: Tensor
    /// u `[B, 1, D]`.
    var asked: Tensor
    var mlp: MLPState
    /// f `[B, 1, D]`.
    var output: Tensor
}

/// Gradients inside attention pooling.
struct AttentionPoolGradient {
    /// By a, `[B, H, 1, P]`.
    var attention: Tensor
    /// By the scaled scores.
    var scores: Tensor
    /// By what it read, `[B, N, D]`.
    var tokens: Tensor
}

extension Pass {
    private var scoreScale: Float { 1 / Float(configuration.headWidth).squareRoot() }

    /// - Parameter x: `[B, N, D]`.
    func attentionPool(_ pool: AttentionPool, _ x: Tensor) -> AttentionPoolState {
        let (n, windows) = (x.shape[0] * configuration.heads, PoolWindows(configuration, layout))
        let query = linear(pool.query, pool.probe.reshaped([1, configuration.width]))
        let mapped = linear(pool.keysValues, x)
        var attention = poolProducts(query, mapped)
        if let visible = layout.visible { hideFromPool(except: visible, in: &attention) }
        softmaxRows(&attention, scale: scoreScale, threads: threads)
        var context = workspace.tensor([x.shape[0], 1, configuration.width])
        multiplyEach(n, into: &context, threads: threads) { [attention] i in
            (attention.matrix(windows.row(i)), mapped.matrix(windows.value(i)), windows.context(i))
        }
        let asked = linear(pool.projection, context)
        let mlp = mlp(pool, asked)
        return AttentionPoolState(
            query: query, mapped: mapped, attention: attention, context: context, asked: asked, mlp: mlp, output: sum(asked, mlp.branch))
    }

    /// q K^T `[B, H, 1, P]`.
    private func poolProducts(_ query: Tensor, _ mapped: Tensor) -> Tensor {
        let (batch, windows) = (mapped.shape[0], PoolWindows(configuration, layout))
        var products = workspace.tensor([batch, configuration.heads, 1, layout.patches])
        multiplyEach(batch * configuration.heads, into: &products, threads: threads) { i in
            (query.matrix(windows.query(i)), mapped.matrix(windows.key(i)).transposed, windows.row(i))
        }
        return products
    }

    /// What the softmax reads, `[B, H, 1, P]`, computed again.
    func poolScores(_ s: AttentionPoolState) -> Tensor {
        var scores = poolProducts(s.query, s.mapped)
        if let visible = layout.visible { hideFromPool(except: visible, in: &scores) }
        VitrineTensor.scale(&scores, by: scoreScale)
        return scores
    }

    /// Patches that cannot be attended to are not asked either.
    private func hideFromPool(except visible: [[Int]], in scores: inout Tensor) {
        let (patches, heads) = (layout.patches, configuration.heads)
        scores.withMutableSpan { s in
            for (b, kept) in visible.enumerated() {
                var isHidden = [Bool](repeating: true, count: patches)
                for patch in kept { isHidden[patch] = false }
                for row in b * heads..<(b + 1) * heads {
                    for patch in 0..<patches where isHidden[patch] { s[row * patches + patch] = -.infinity }
                }
            }
        }
    }

    /// `[B, H, 1, P]` -> `[B, H, 1, N]`, with zeros for the prefix tokens.
    func overTokens(_ row: Tensor) -> Tensor {
        guard layout.prefix > 0 else { return row }
        let (patches, tokens) = (layout.patches, layout.tokens)
        var all = workspace.zeros([row.shape[0], row.shape[1], 1, tokens])
        row.withSpan { source in
            all.withMutableSpan { target in
                for i in 0..<source.count { target[i / patches * tokens + layout.prefix + i % patches] = source[i] }
            }
        }
        return all
    }

    // MARK: Gradient

    /// - Parameters:
    ///   - x: what the pool read.
    ///   - dOutput: by f, `[B, D]`.
    ///   - gradients: receives those of the weights, added to what is there.
    func gradientOfAttentionPool(
        _ pool: AttentionPool, _ s: AttentionPoolState, tokens x: Tensor, dOutput: Tensor, rule: GradientRule,
        into gradients: inout AttentionPool?
    ) -> AttentionPoolGradient {
        let (count, windows) = (x.shape[0] * configuration.heads, PoolWindows(configuration, layout))
        let dOutput = dOutput.reshaped(s.asked.shape)
        var dAsked = gradientOfMLP(pool, s.mlp, middle: s.asked, dOutput: dOutput, rule: rule, into: &gradients)
        add(dOutput, to: &dAsked, threads: threads)
        let dContext = gradient(of: pool.projection, dAsked)
        // The query is a weight, so that only a V is a product of two values: q K^T is linear in K.
        let share: Float = rule.attention == .halvedProducts ? 0.5 : 1
        var dAttention = workspace.tensor(s.attention.shape)
        multiplyEach(count, into: &dAttention, alpha: share, threads: threads) { i in
            (dContext.matrix(windows.context(i)), s.mapped.matrix(windows.value(i)).transposed, windows.row(i))
        }
        let isConstant = rule.attention == .valuesOnly
        func gradientOfSoftmax(scale: Float) -> Tensor {
            guard !isConstant else { return workspace.zeros(s.attention.shape) }
            var d = workspace.tensor(s.attention.shape)
            softmaxGradient(dAttention, a: s.attention, scale: scale, into: &d, threads: threads)
            return d
        }
        let dProducts = gradientOfSoftmax(scale: scoreScale)
        var dMapped = workspace.zeros(s.mapped.shape)
        multiplyEach(count, into: &dMapped, alpha: share, threads: threads) { i in
            (s.attention.matrix(windows.row(i)).transposed, dContext.matrix(windows.context(i)), windows.value(i))
        }
        multiplyEach(count, into: &dMapped, threads: threads) { i in
            (dProducts.matrix(windows.row(i)).transposed, s.query.matrix(windows.query(i)), windows.key(i))
        }
        if gradients != nil {
            var dQuery = workspace.zeros(s.query.shape)
            for i in 0..<count {
                multiply(
                    dProducts.matrix(windows.row(i)), s.mapped.matrix(windows.key(i)), into: &dQuery, window: windows.query(i), beta: 1)
            }
            let probe = pool.probe.reshaped(s.query.shape)
            gradients!.query.accumulate(dy: dQuery, x: probe)
            add(gradient(of: pool.query, dQuery).reshaped(pool.probe.shape), to: &gradients!.probe)
            gradients!.projection.accumulate(dy: dAsked, x: s.context)
            gradients!.keysValues.accumulate(dy: dMapped, x: x)
        }
        return AttentionPoolGradient(
            attention: dAttention, scores: gradientOfSoftmax(scale: 1), tokens: gradient(of: pool.keysValues, dMapped))
    }

    // MARK: Relevance

    /// By the rules of a block. Of `q K^T` the keys take all: the query is a weight, and a weight keeps no relevance.
    ///
    /// - Parameter r: at f, `[B, D]`.
    /// - Returns: at a, `[B, H, 1, P]`, and at what the pool read, `[B, N, D]`.
    func relevanceOfAttentionPool(
        _ pool: AttentionPool, _ s: AttentionPoolState, tokens x: Tensor, _ r: Tensor, rule: RelevanceRule
    ) -> (attention: Tensor, tokens: Tensor) {
        let (count, windows) = (x.shape[0] * configuration.heads, PoolWindows(configuration, layout))
        let (toAsked, toMLP) = relevanceOfAdd(r.reshaped(s.asked.shape), s.asked, s.mlp.branch, sum: s.output, rule: rule)
        let rAsked = relevanceOfClone(toAsked, relevanceOfMLP(pool, s.mlp, middle: s.asked, toMLP), x: s.asked)
        let rContext = relevance(of: pool.projection, x: s.context, y: s.asked, rAsked)
        var ratio = workspace.tensor(s.context.shape)
        safeDivide(rContext, s.context, into: &ratio, threads: threads)
        var factor = workspace.tensor(s.attention.shape)
        multiplyEach(count, into: &factor, alpha: 0.5, threads: threads) { [ratio] i in
            (ratio.matrix(windows.context(i)), s.mapped.matrix(windows.value(i)).transposed, windows.row(i))
        }
        var rAttention = workspace.tensor(s.attention.shape)
        multiply(factor, s.attention, into: &rAttention, threads: threads)
        var factors = workspace.zeros(s.mapped.shape)
        multiplyEach(count, into: &factors, alpha: 0.5, threads: threads) { [ratio] i in
            (s.attention.matrix(windows.row(i)).transposed, ratio.matrix(windows.context(i)), windows.value(i))
        }
        var ofProducts = workspace.tensor(s.attention.shape)
        safeDivide(rAttention, s.products ?? poolProducts(s.query, s.mapped), into: &ofProducts, threads: threads)
        multiplyEach(count, into: &factors, threads: threads) { [ofProducts] i in
            (ofProducts.matrix(windows.row(i)).transposed, s.query.matrix(windows.query(i)), windows.key(i))
        }
        var rMapped = workspace.tensor(s.mapped.shape)
        multiply(factors, s.mapped, into: &rMapped, threads: threads)
        return (rAttention, relevance(of: pool.keysValues, x: x, y: s.mapped, rMapped))
    }
}

/// Where the query, keys, values, attention and context of the i-th head of a batch lie, i = image x heads + head.
private struct PoolWindows {
    let width: Int
    let heads: Int
    let d: Int
    let tokens: Int
    let prefix: Int

    init(_ configuration: ViTConfiguration, _ layout: TokenLayout) {
        (width, heads, d) = (configuration.width, configuration.heads, configuration.headWidth)
        (tokens, prefix) = (layout.tokens, layout.prefix)
    }

    private var patches: Int { tokens - prefix }

    func query(_ i: Int) -> MatrixWindow { MatrixWindow(start: i % heads * d, rows: 1, columns: d, stride: width) }
    func key(_ i: Int) -> MatrixWindow { part(i, 0) }
    func value(_ i: Int) -> MatrixWindow { part(i, width) }
    func row(_ i: Int) -> MatrixWindow { MatrixWindow(start: i * patches, rows: 1, columns: patches, stride: patches) }
    func context(_ i: Int) -> MatrixWindow { MatrixWindow(start: i / heads * width + i % heads * d, rows: 1, columns: d, stride: width) }

    private func part(_ i: Int, _ offset: Int) -> MatrixWindow {
        MatrixWindow(
            start: (i / heads * tokens + prefix) * 2 * width + offset + i % heads * d, rows: patches, columns: d, stride: 2 * width)
    }
}
