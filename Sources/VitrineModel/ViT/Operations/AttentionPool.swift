import VitrineTensor

/// Pooling by attention: one learnt query asks the tokens.
///
/// `a_h = softmax(q_h K_h^T / sqrt(d))`, `u = Wo (a V) + bo`, and behind it `f = u + MLP(LN u)` in big_vision's MAP head (SigLIP,
/// https://arxiv.org/abs/2303.15343); in CoCa's pool (https://arxiv.org/abs/2205.01917) a norm on what is asked, and no MLP. No residual path
/// leads around it. `Site.attention(depth)` is a; `ViTConfiguration.pool` says which parts there are.
public struct AttentionPool: Sendable {
    /// f's second part.
    public struct MLP: Sendable, MLPWeights {
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

        public init(norm2: LayerNorm, fc1: Linear, fc2: Linear) {
            self.norm2 = norm2
            self.fc1 = fc1
            self.fc2 = fc2
        }
    }

    /// What asks, `[E]`; its query is `query` of it.
    public var probe: Tensor
    public var query: Linear
    /// Keys and values in one map: `[2 E, D]`, in the order (2, head, d).
    public var keysValues: Linear
    public var projection: Linear
    /// On the tokens that are asked.
    public var keyNorm: LayerNorm?
    public var mlp: MLP?
    /// On f.
    public var outputNorm: LayerNorm?

    public init(
        probe: Tensor, query: Linear, keysValues: Linear, projection: Linear, keyNorm: LayerNorm? = nil, mlp: MLP? = nil,
        outputNorm: LayerNorm? = nil
    ) {
        self.probe = probe
        self.query = query
        self.keysValues = keysValues
        self.projection = projection
        self.keyNorm = keyNorm
        self.mlp = mlp
        self.outputNorm = outputNorm
    }
}

/// The inner values of attention pooling for a batch. P tokens are asked: the patches, and the prefix where `pool.readsPrefix`.
struct AttentionPoolState {
    /// nil where keys and values are those of the tokens themselves.
    var keyNorm: NormState?
    /// q `[1, E]`, the same for all images.
    var query: Tensor
    /// K and V of every token, bias included `[B, N, 2 E]`.
    var mapped: Tensor
    /// q K^T `[B, H, 1, P]`, without its scale, where it is known to more digits than the rounded factors give; else it is computed again.
    var products: Tensor?
    /// a `[B, H, 1, P]`.
    var attention: Tensor
    /// a V, heads side by side `[B, 1, E]`.
    var context: Tensor
    /// u `[B, 1, E]`.
    var asked: Tensor
    var mlp: MLPState?
    /// f `[B, 1, E]`; u itself where there is no MLP.
    var answer: Tensor
    var outputNorm: NormState?
    /// What is pooled `[B, 1, E]`.
    var output: Tensor { outputNorm?.output ?? answer }
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
    private var poolScale: Float { 1 / Float(configuration.pool.width / configuration.pool.heads).squareRoot() }

    /// - Parameter x: `[B, N, D]`.
    func attentionPool(_ pool: AttentionPool, _ x: Tensor) -> AttentionPoolState {
        let c = configuration.pool
        let (n, windows) = (x.shape[0] * c.heads, PoolWindows(c, layout))
        let query = linear(pool.query, pool.probe.reshaped([1, c.width]))
        let keyNorm = pool.keyNorm.map { normed($0, x, epsilon: c.normEpsilon) }
        let mapped = linear(pool.keysValues, keyNorm?.output ?? x)
        var attention = poolProducts(query, mapped)
        if let visible = layout.visible { hideFromPool(except: visible, in: &attention) }
        softmaxRows(&attention, scale: poolScale, threads: threads)
        var context = workspace.tensor([x.shape[0], 1, c.width])
        multiplyEach(n, into: &context, threads: threads) { [attention] i in
            (attention.matrix(windows.row(i)), mapped.matrix(windows.value(i)), windows.context(i))
        }
        let asked = linear(pool.projection, context)
        let mlp = pool.mlp.map { self.mlp($0, asked) }
        let answer = mlp.map { sum(asked, $0.branch) } ?? asked
        return AttentionPoolState(
            keyNorm: keyNorm, query: query, mapped: mapped, attention: attention, context: context, asked: asked, mlp: mlp, answer: answer,
            outputNorm: pool.outputNorm.map { normed($0, answer, epsilon: c.normEpsilon) })
    }

    /// q K^T `[B, H, 1, P]`.
    private func poolProducts(_ query: Tensor, _ mapped: Tensor) -> Tensor {
        let (batch, c) = (mapped.shape[0], configuration.pool)
        let windows = PoolWindows(c, layout)
        var products = workspace.tensor([batch, c.heads, 1, windows.count])
        multiplyEach(batch * c.heads, into: &products, threads: threads) { i in
            (query.matrix(windows.query(i)), mapped.matrix(windows.key(i)).transposed, windows.row(i))
        }
        return products
    }

    /// What the softmax reads, `[B, H, 1, P]`, computed again.
    func poolScores(_ s: AttentionPoolState) -> Tensor {
        var scores = poolProducts(s.query, s.mapped)
        if let visible = layout.visible { hideFromPool(except: visible, in: &scores) }
        VitrineTensor.scale(&scores, by: poolScale)
        return scores
    }

    /// Patches that cannot be attended to are not asked either.
    private func hideFromPool(except visible: [[Int]], in scores: inout Tensor) {
        let (heads, windows) = (configuration.pool.heads, PoolWindows(configuration.pool, layout))
        let firstPatch = layout.prefix - windows.first
        scores.withMutableSpan { s in
            for (b, kept) in visible.enumerated() {
                var isHidden = [Bool](repeating: true, count: windows.count)
                for token in 0..<firstPatch { isHidden[token] = false }
                for patch in kept { isHidden[firstPatch + patch] = false }
                for row in b * heads..<(b + 1) * heads {
                    for token in 0..<windows.count where isHidden[token] { s[row * windows.count + token] = -.infinity }
                }
            }
        }
    }

    /// `[B, H, 1, P]` -> `[B, H, 1, N]`, with zeros for tokens that are not asked.
    func overTokens(_ row: Tensor) -> Tensor {
        let windows = PoolWindows(configuration.pool, layout)
        guard windows.first > 0 else { return row }
        let (asked, tokens) = (windows.count, layout.tokens)
        var all = workspace.zeros([row.shape[0], row.shape[1], 1, tokens])
        row.withSpan { source in
            all.withMutableSpan { target in
                for i in 0..<source.count { target[i / asked * tokens + windows.first + i % asked] = source[i] }
            }
        }
        return all
    }

    // MARK: Gradient

    /// - Parameters:
    ///   - x: what the pool read.
    ///   - dOutput: by what is pooled, `[B, E]`.
    ///   - gradients: receives those of the weights, added to what is there.
    func gradientOfAttentionPool(
        _ pool: AttentionPool, _ s: AttentionPoolState, tokens x: Tensor, dOutput: Tensor, rule: GradientRule,
        into gradients: inout AttentionPool?
    ) -> AttentionPoolGradient {
        let (count, windows) = (x.shape[0] * configuration.pool.heads, PoolWindows(configuration.pool, layout))
        var dAsked = dOutput.reshaped(s.asked.shape)
        if let norm = pool.outputNorm, let state = s.outputNorm {
            if gradients != nil { gradients!.outputNorm!.accumulate(dy: dAsked, state) }
            dAsked = gradient(of: norm, state, dAsked, rule: rule)
        }
        if let mlp = pool.mlp, let state = s.mlp {
            // Lent, so that sums are written in place.
            var own = gradients?.mlp
            gradients?.mlp = nil
            let branch = gradientOfMLP(mlp, state, middle: s.asked, dOutput: dAsked, rule: rule, into: &own)
            gradients?.mlp = own
            dAsked = sum(dAsked, branch)
        }
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
        let dProducts = gradientOfSoftmax(scale: poolScale)
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
            gradients!.keysValues.accumulate(dy: dMapped, x: s.keyNorm?.output ?? x)
        }
        var dTokens = gradient(of: pool.keysValues, dMapped)
        if let norm = pool.keyNorm, let state = s.keyNorm {
            if gradients != nil { gradients!.keyNorm!.accumulate(dy: dTokens, state) }
            dTokens = gradient(of: norm, state, dTokens, rule: rule)
        }
        return AttentionPoolGradient(attention: dAttention, scores: gradientOfSoftmax(scale: 1), tokens: dTokens)
    }

    // MARK: Relevance

    /// By the rules of a block; norms pass it unchanged. Of `q K^T` the keys take all: the query is a weight, and a weight keeps no relevance.
    ///
    /// - Parameter r: at what is pooled, `[B, E]`.
    /// - Returns: at a, `[B, H, 1, P]`, and at what the pool read, `[B, N, D]`.
    func relevanceOfAttentionPool(
        _ pool: AttentionPool, _ s: AttentionPoolState, tokens x: Tensor, _ r: Tensor, rule: RelevanceRule
    ) -> (attention: Tensor, tokens: Tensor) {
        let (count, windows) = (x.shape[0] * configuration.pool.heads, PoolWindows(configuration.pool, layout))
        var rAsked = r.reshaped(s.asked.shape)
        if let mlp = pool.mlp, let state = s.mlp {
            let (toAsked, toMLP) = relevanceOfAdd(rAsked, s.asked, state.branch, sum: s.answer, rule: rule)
            rAsked = relevanceOfClone(toAsked, relevanceOfMLP(mlp, state, middle: s.asked, toMLP), x: s.asked)
        }
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
        return (rAttention, relevance(of: pool.keysValues, x: s.keyNorm?.output ?? x, y: s.mapped, rMapped))
    }
}

/// Where the query, keys, values, attention and context of the i-th head of a batch lie, i = image x heads + head.
struct PoolWindows {
    let width: Int
    let heads: Int
    let tokens: Int
    /// The first token that is asked, and how many are.
    let first: Int
    let count: Int
    private var d: Int { width / heads }

    init(_ pool: ViTConfiguration.AttentionPooling, _ layout: TokenLayout) {
        (width, heads, tokens) = (pool.width, pool.heads, layout.tokens)
        first = pool.readsPrefix ? 0 : layout.prefix
        count = tokens - first
    }

    func query(_ i: Int) -> MatrixWindow { MatrixWindow(start: i % heads * d, rows: 1, columns: d, stride: width) }
    func key(_ i: Int) -> MatrixWindow { part(i, 0) }
    func value(_ i: Int) -> MatrixWindow { part(i, width) }
    func row(_ i: Int) -> MatrixWindow { MatrixWindow(start: i * count, rows: 1, columns: count, stride: count) }
    func context(_ i: Int) -> MatrixWindow { MatrixWindow(start: i / heads * width + i % heads * d, rows: 1, columns: d, stride: width) }

    private func part(_ i: Int, _ offset: Int) -> MatrixWindow {
        MatrixWindow(start: (i / heads * tokens + first) * 2 * width + offset + i % heads * d, rows: count, columns: d, stride: 2 * width)
    }
}
