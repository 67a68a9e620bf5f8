import VitrineTensor

/// The attention branch of a block: `s1 (Wo o + bo)`, `o = A V`, `A = softmax(Q K^T / sqrt(d) + B)`.
///
/// Networks may have a norm on queries and keys, positions that turn them, a bias B by relative position, and a norm on o.
/// Each image has N rows; from the context on, the last block keeps only the Q rows that the head can see.
struct AttentionState {
    /// u = LN1 z `[B, N, D]`.
    var norm: NormState
    /// What the map of u gives, bias included: `[B, N, 3 D]`.
    var mapped: Tensor
    /// `mapped` with queries and keys normed, and the state of those norms; `mapped` itself where there is none.
    var normed: Tensor
    var queryNorm: NormState?
    var keyNorm: NormState?
    /// As the products read it: `normed` with queries and keys turned; `normed` itself where positions do not turn them.
    var qkv: Tensor
    /// Q K^T `[B, H, N, N]`, without its scale, where it is known to more digits than the rounded `qkv` gives; else it is computed again.
    var products: Tensor?
    /// A `[B, H, N, N]`.
    var attention: Tensor
    /// o, heads side by side `[B, Q, D]`.
    var context: Tensor
    /// nil where the projection reads o itself.
    var contextNorm: NormState?
    /// What the projection reads.
    var read: Tensor { contextNorm?.output ?? context }
    /// Output of the projection, before LayerScale.
    var projected: Tensor
    /// After LayerScale; `projected` itself where there is none.
    var branch: Tensor
}

/// Gradients inside the attention branch; those above the place where the pass stops.
struct AttentionGradient {
    /// `[B, Q, D]`.
    var context: Tensor
    /// `[B, H, N, N]`.
    var attention: Tensor?
    var scores: Tensor?
    /// `[B, N, 3 D]`.
    var qkv: Tensor?
    /// `[B, N, D]`.
    var norm1: Tensor?
    /// By z, through this branch alone.
    var input: Tensor?
}

extension Pass {
    /// 1 / sqrt(d).
    private var scoreScale: Float { 1 / Float(configuration.headWidth).squareRoot() }

    /// - Parameter norm1: stands in the place of the first norm's output; no pass may then go below it.
    func attention(_ l: Int, _ z: Tensor, norm1: Tensor? = nil) -> AttentionState {
        let block = model.blocks[l]
        var norm = normed(block.norm1, z)
        if let norm1 { norm.output = norm1 }
        let mapped = linear(block.qkv, norm.output)
        let mixed = mixed(l, mapped)
        let contextNorm = block.contextNorm.map { self.normed($0, mixed.context) }
        let projected = linear(block.projection, contextNorm?.output ?? mixed.context)
        return AttentionState(
            norm: norm, mapped: mapped, normed: mixed.normed, queryNorm: mixed.queryNorm, keyNorm: mixed.keyNorm, qkv: mixed.qkv,
            attention: mixed.attention, context: mixed.context, contextNorm: contextNorm, projected: projected,
            branch: scaled(projected, by: block.scale1))
    }

    /// Where the tokens of an image meet: from the map of the norm `[B, N, 3 D]` to the context. What stands before and behind it takes each
    /// token for itself.
    func mixed(_ l: Int, _ mapped: Tensor) -> (
        normed: Tensor, queryNorm: NormState?, keyNorm: NormState?, qkv: Tensor, attention: Tensor, context: Tensor
    ) {
        let block = model.blocks[l]
        let (normed, queryNorm, keyNorm) = normedHeads(block, mapped)
        let qkv = rotated(normed, block: l)
        var attention = products(l, qkv, allRows: true)
        if let table = block.relativePositions {
            VitrineTensor.scale(&attention, by: scoreScale)
            addRelativeBias(table, to: &attention)
            softmaxRows(&attention, scale: 1, threads: threads)
        } else {
            softmaxRows(&attention, scale: scoreScale, threads: threads)
        }
        let (heads, n) = (headLayout(l), configuration.heads)
        let images = mapped.shape[0]
        var context = workspace.tensor([images, heads.outputRows, configuration.width])
        multiplyEach(images * n, into: &context, threads: threads) { [attention] i in
            let (b, h) = (i / n, i % n)
            return (attention.matrix(heads.attention(b, h)), qkv.matrix(heads.value(b, h)), heads.context(b, h))
        }
        return (normed, queryNorm, keyNorm, qkv, attention, context)
    }

    /// S, what the softmax reads, `[B, H, N, N]`, computed again.
    func scores(_ l: Int, _ s: AttentionState) -> Tensor {
        var scores = products(l, s.qkv, allRows: true)
        VitrineTensor.scale(&scores, by: scoreScale)
        if let table = model.blocks[l].relativePositions { addRelativeBias(table, to: &scores) }
        return scores
    }

    // MARK: Norms on queries and keys

    /// Queries (0), keys (1) or values (2) of `[B, N, 3 D]`, one row per token and head: `[B N H, d]`.
    private func rows(_ part: Int, of qkv: Tensor) -> Tensor {
        let (count, d) = (qkv.shape[0] * qkv.shape[1], configuration.width)
        var rows = workspace.tensor([count, d])
        for i in 0..<count { rows.replace(from: i * d, with: qkv.reshaped([3 * count, d])[3 * i + part]) }
        return rows.reshaped([count * configuration.heads, configuration.headWidth])
    }

    /// Puts rows back where `rows` took them.
    private func put(_ rows: Tensor, asPart part: Int, of qkv: inout Tensor) {
        let (count, d) = (qkv.shape[0] * qkv.shape[1], configuration.width)
        let rows = rows.reshaped([count, d])
        for i in 0..<count { qkv.replace(from: (3 * i + part) * d, with: rows[i]) }
    }

    private func normedHeads(_ block: ViTBlock, _ mapped: Tensor) -> (qkv: Tensor, query: NormState?, key: NormState?) {
        guard let queryNorm = block.queryNorm, let keyNorm = block.keyNorm else { return (mapped, nil, nil) }
        let query = self.normed(queryNorm, rows(0, of: mapped))
        let key = self.normed(keyNorm, rows(1, of: mapped))
        var qkv = workspace.tensor(mapped.shape)
        qkv.replace(from: 0, with: mapped)
        put(query.output, asPart: 0, of: &qkv)
        put(key.output, asPart: 1, of: &qkv)
        return (qkv, query, key)
    }

    /// By the map's output, of a gradient by the normed one.
    private func gradientOfNormedHeads(
        _ block: ViTBlock, _ s: AttentionState, _ dNormed: Tensor, rule: GradientRule, into gradients: inout ViTBlock?
    ) -> Tensor {
        guard let queryNorm = block.queryNorm, let keyNorm = block.keyNorm, let query = s.queryNorm, let key = s.keyNorm else {
            return dNormed
        }
        var dMapped = workspace.tensor(dNormed.shape)
        dMapped.replace(from: 0, with: dNormed)
        let (dQuery, dKey) = (rows(0, of: dNormed), rows(1, of: dNormed))
        if gradients != nil {
            gradients!.queryNorm!.accumulate(dy: dQuery, query)
            gradients!.keyNorm!.accumulate(dy: dKey, key)
        }
        put(gradient(of: queryNorm, query, dQuery, rule: rule), asPart: 0, of: &dMapped)
        put(gradient(of: keyNorm, key, dKey, rule: rule), asPart: 1, of: &dMapped)
        return dMapped
    }

    // MARK: Products

    /// Q K^T `[B, H, N, N]`; of the rows that the head does not see, zeros, unless `allRows`.
    private func products(_ l: Int, _ qkv: Tensor, allRows: Bool) -> Tensor {
        let (heads, n, tokens) = (headLayout(l), configuration.heads, layout.tokens)
        let shape: Shape = [qkv.shape[0], n, tokens, tokens]
        var scores = allRows ? workspace.tensor(shape) : workspace.zeros(shape)
        multiplyEach(qkv.shape[0] * n, into: &scores, threads: threads) { i in
            let (b, h) = (i / n, i % n)
            return (
                qkv.matrix(allRows ? heads.allQueries(b, h) : heads.query(b, h)), qkv.matrix(heads.key(b, h)).transposed,
                allRows ? heads.allAttention(b, h) : heads.attention(b, h)
            )
        }
        if let visible = layout.visible { hideKeys(except: visible, in: &scores) }
        return scores
    }

    // MARK: Gradient

    /// Gradients down to `stop`; with `gradients`, adds those of the weights passed.
    ///
    /// - Parameters:
    ///   - dMiddle: by z' `[B, Q, D]`.
    ///   - keepsScores: whether the gradient by the scaled scores is wanted, which nothing further down reads.
    func gradientOfAttention(
        _ l: Int, _ s: AttentionState, dMiddle: Tensor, rule: GradientRule, stop: Site, keepsScores: Bool, into gradients: inout ViTBlock?
    ) -> AttentionGradient {
        let block = model.blocks[l]
        let heads = headLayout(l)
        let n = configuration.heads
        let count = dMiddle.shape[0] * n
        let dProjected = scaled(dMiddle, by: block.scale1)
        let dRead = gradient(of: block.projection, dProjected)
        let dContext = block.contextNorm.map { gradient(of: $0, s.contextNorm!, dRead, rule: rule) } ?? dRead
        var result = AttentionGradient(context: dContext)
        if gradients != nil {
            accumulateScale(&gradients!.scale1, dMiddle, s.projected)
            gradients!.projection.accumulate(dy: dProjected, x: s.read)
            if let state = s.contextNorm { gradients!.contextNorm!.accumulate(dy: dRead, state) }
        }
        if stop.position >= Site.context(l).position { return result }
        // o = A V; a product of which each factor gets half halves what it passes on.
        let share: Float = rule.attention == .halvedProducts ? 0.5 : 1
        var dAttention = workspace.zeros(s.attention.shape)
        multiplyEach(count, into: &dAttention, alpha: share, threads: threads) { i in
            let (b, h) = (i / n, i % n)
            return (dContext.matrix(heads.context(b, h)), s.qkv.matrix(heads.value(b, h)).transposed, heads.attention(b, h))
        }
        result.attention = dAttention
        if stop.position >= Site.attention(l).position { return result }

        // A = softmax(S), S = scale Q K^T + B.
        let isConstant = rule.attention == .valuesOnly
        func gradientOfSoftmax(scale: Float) -> Tensor {
            guard !isConstant else { return workspace.zeros(s.attention.shape) }
            var d = workspace.tensor(s.attention.shape)
            softmaxGradient(dAttention, a: s.attention, scale: scale, into: &d, threads: threads)
            return d
        }
        if keepsScores { result.scores = gradientOfSoftmax(scale: 1) }
        if stop.position >= Site.scores(l).position { return result }
        let dProducts = gradientOfSoftmax(scale: scoreScale * share)
        if gradients != nil { accumulateRelativeBias(&gradients!.relativePositions, dProducts: dProducts, scale: scoreScale * share) }
        var dQKV = workspace.zeros(s.qkv.shape)
        let first = isConstant ? 2 * count : 0
        multiplyEach(3 * count - first, into: &dQKV, threads: threads) { i in
            let (part, b, h) = ((i + first) / count, (i + first) % count / n, i % n)
            let dS = dProducts.matrix(heads.attention(b, h))
            switch part {
            case 0: return (dS, s.qkv.matrix(heads.key(b, h)), heads.query(b, h))
            case 1: return (dS.transposed, s.qkv.matrix(heads.query(b, h)), heads.key(b, h))
            default:
                return (
                    s.attention.matrix(heads.attention(b, h)).transposed, dContext.matrix(heads.context(b, h)), heads.value(b, h)
                )
            }
        }
        if share != 1 { scaleValues(&dQKV, by: share) }
        result.qkv = dQKV
        if stop.position >= Site.qkv(l).position { return result }
        if gradients != nil { accumulateFrequencies(&gradients!.rotaryFrequencies, s.qkv, dQKV) }
        let dMapped = gradientOfNormedHeads(block, s, rotated(dQKV, block: l, backwards: true), rule: rule, into: &gradients)
        let dNorm1 = gradient(of: block.qkv, dMapped)
        if gradients != nil {
            gradients!.qkv.accumulate(dy: dMapped, x: s.norm.output)
            if !configuration.hasKeyBias { gradients!.qkv.bias?.clearKeys() }
            gradients!.norm1.accumulate(dy: dNorm1, s.norm)
        }
        result.norm1 = dNorm1
        if stop.position >= Site.norm1(l).position { return result }
        result.input = gradient(of: block.norm1, s.norm, dNorm1, rule: rule)
        return result
    }

    /// Multiplies the values' third of `[B, N, 3 D]`.
    private func scaleValues(_ qkv: inout Tensor, by factor: Float) {
        let d = configuration.width
        var factors = [Float](repeating: 1, count: 3 * d)
        for i in 2 * d..<3 * d { factors[i] = factor }
        var result = workspace.tensor(qkv.shape)
        scaleColumns(qkv, by: Tensor([3 * d], factors), into: &result)
        qkv = result
    }

    // MARK: Relevance

    /// `o = A V`: `RA = A (s V^T) / 2`, `RV = V (A^T s) / 2` with `s = R / o`. RV stands in its place of a `[B, N, 3 D]` tensor,
    /// not yet multiplied by V.
    func relevanceOfContext(_ l: Int, _ s: AttentionState, _ r: Tensor) -> (attention: Tensor, qkv: Tensor) {
        let (heads, n) = (headLayout(l), configuration.heads)
        var ratio = workspace.tensor(r.shape)
        safeDivide(r, s.context, into: &ratio, threads: threads)
        var rAttention = workspace.zeros(s.attention.shape)
        multiplyEach(r.shape[0] * n, into: &rAttention, alpha: 0.5, threads: threads) { [ratio] i in
            let (b, h) = (i / n, i % n)
            return (ratio.matrix(heads.context(b, h)), s.qkv.matrix(heads.value(b, h)).transposed, heads.attention(b, h))
        }
        var rQKV = workspace.zeros(s.qkv.shape)
        multiplyEach(r.shape[0] * n, into: &rQKV, alpha: 0.5, threads: threads) { [ratio] i in
            let (b, h) = (i / n, i % n)
            return (s.attention.matrix(heads.attention(b, h)).transposed, ratio.matrix(heads.context(b, h)), heads.value(b, h))
        }
        var product = workspace.tensor(rAttention.shape)
        multiply(rAttention, s.attention, into: &product, threads: threads)
        return (product, rQKV)
    }

    /// `Q K^T` without its scale: `RQ = Q (s K) / 2`, `RK = K (s^T Q) / 2` with `s = R / (Q K^T)`; then all of qkv is
    /// multiplied by its value, V's part included. A bias by relative position takes no part, as no bias does.
    ///
    /// Queries and keys that were turned are turned back first: what multiplies a value is a gradient, and the sum over a pair of value
    /// times gradient is the same before and behind a rotation. Norms on queries and keys pass relevance unchanged.
    func relevanceOfScores(_ l: Int, _ s: AttentionState, _ r: Tensor, into rQKV: inout Tensor) {
        let (heads, n, count) = (headLayout(l), configuration.heads, r.shape[0] * configuration.heads)
        let scores = s.products ?? products(l, s.qkv, allRows: false)
        var ratio = workspace.tensor(r.shape)
        safeDivide(r, scores, into: &ratio, threads: threads)
        multiplyEach(2 * count, into: &rQKV, alpha: 0.5, threads: threads) { [ratio] i in
            let (b, h) = (i % count / n, i % n)
            let piece = ratio.matrix(heads.attention(b, h))
            return i < count
                ? (piece, s.qkv.matrix(heads.key(b, h)), heads.query(b, h))
                : (piece.transposed, s.qkv.matrix(heads.query(b, h)), heads.key(b, h))
        }
        let factors = rotated(rQKV, block: l, backwards: true)
        var product = workspace.tensor(rQKV.shape)
        multiply(factors, s.normed, into: &product, threads: threads)
        rQKV = product
    }

    func headLayout(_ l: Int) -> HeadLayout { HeadLayout(configuration: configuration, layout: layout, block: l) }
}

extension Tensor {
    /// Sets the keys' third of a bias of queries, keys and values to 0.
    mutating func clearKeys() { replace(from: count / 3, with: Tensor([count / 3])) }
}

/// Where the queries, keys, values, attention matrix and context of a head lie in the batch tensors of a block.
struct HeadLayout {
    /// Rows per image of the context and all that follows.
    let outputRows: Int
    private let tokens: Int
    private let heads: Int
    private let d: Int

    init(configuration: ViTConfiguration, layout: TokenLayout, block: Int) {
        tokens = layout.tokens
        heads = configuration.heads
        d = configuration.headWidth
        outputRows = block == configuration.depth - 1 ? layout.lastRows : layout.tokens
    }

    private var width: Int { heads * d }

    private func part(_ b: Int, _ h: Int, _ i: Int, rows: Int) -> MatrixWindow {
        MatrixWindow(start: b * tokens * 3 * width + i * width + h * d, rows: rows, columns: d, stride: 3 * width)
    }

    func allQueries(_ b: Int, _ h: Int) -> MatrixWindow { part(b, h, 0, rows: tokens) }
    func query(_ b: Int, _ h: Int) -> MatrixWindow { part(b, h, 0, rows: outputRows) }
    func key(_ b: Int, _ h: Int) -> MatrixWindow { part(b, h, 1, rows: tokens) }
    func value(_ b: Int, _ h: Int) -> MatrixWindow { part(b, h, 2, rows: tokens) }

    private func scores(_ b: Int, _ h: Int, rows: Int) -> MatrixWindow {
        MatrixWindow(start: (b * heads + h) * tokens * tokens, rows: rows, columns: tokens, stride: tokens)
    }

    /// In `[B, H, N, N]`.
    func allAttention(_ b: Int, _ h: Int) -> MatrixWindow { scores(b, h, rows: tokens) }
    /// The rows of `allAttention` that belong to `query`.
    func attention(_ b: Int, _ h: Int) -> MatrixWindow { scores(b, h, rows: outputRows) }

    /// In `[B, Q, D]`.
    func context(_ b: Int, _ h: Int) -> MatrixWindow {
        MatrixWindow(start: b * outputRows * width + h * d, rows: outputRows, columns: d, stride: width)
    }
}
