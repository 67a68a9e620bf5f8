import VitrineTensor

/// Final norm, pooling and head over the tokens after some block.
struct ReadoutState {
    /// What was read, `[B, rows, D]`.
    var tokens: Tensor
    var pooling: Reading.Pooling
    /// Of all tokens (norm before pooling), or of the pooled vector.
    var norm: NormState
    /// `[B, pooledWidth]`.
    var pooled: Tensor
    /// nil where the head does not read what attention pools.
    var attentionPool: AttentionPoolState?
    var features: FeatureState
    /// `[B, D]` read by the distillation head.
    var distilled: Tensor?
    /// `[B, classes]`; nil for a backbone.
    var logits: Tensor?
}

extension Pass {
    func readout(_ tokens: Tensor, pooling: Reading.Pooling = .own) -> ReadoutState {
        let norm: NormState
        let pooled: Tensor
        let asked: AttentionPoolState?
        switch (pooling, configuration.normPlacement) {
        case (.own, .beforePooling), (.own, .absent), (.meanOfNormed, _):
            norm = lastNorm(tokens)
            (pooled, asked) = pool(norm.output, pooling)
        case (.own, .afterPooling), (.meanOfTokens, _):
            let raw = pool(tokens, pooling)
            norm = lastNorm(raw.pooled)
            (pooled, asked) = (norm.output, raw.asked)
        }
        let wide = widened(pooled)
        var state = ReadoutState(
            tokens: tokens, pooling: pooling, norm: norm, pooled: wide, attentionPool: asked, features: features(wide))
        guard let head = model.head else { return state }
        var logits = linear(head, state.features.output)
        if configuration.pooling == .distilled, let distillationHead = model.distillationHead {
            let second = pooling == .own ? token(1, of: norm.output) : pooled
            add(linear(distillationHead, second), to: &logits)
            VitrineTensor.scale(&logits, by: 0.5)
            state.distilled = second
        }
        state.logits = logits
        return state
    }

    /// By the tokens that were read, `[B, rows, D]`, and inside attention pooling; with `gradients`, adds those of norm, pool and heads.
    func gradientOfReadout(
        _ s: ReadoutState, dLogits: Tensor, rule: GradientRule, into gradients: inout VisionTransformer?
    ) -> (tokens: Tensor, pool: AttentionPoolGradient?) {
        var dLogits = dLogits
        if s.distilled != nil { VitrineTensor.scale(&dLogits, by: 0.5) }
        let read = s.features.output
        let dFeatures =
            rule.gamma == 0
            ? gradient(of: model.head!, dLogits)
            : gradient(of: model.head!, x: read, y: linear(model.head!, read), dLogits, gamma: rule.gamma)
        if gradients != nil { gradients!.head!.accumulate(dy: dLogits, x: read) }
        let dWide = gradientOfFeatures(s.features, pooled: s.pooled, dFeatures, rule: rule, into: &gradients)
        let dPooled = s.pooling == .own ? dWide : narrowed(dWide)
        switch (s.pooling, configuration.normPlacement) {
        case (.own, .afterPooling), (.meanOfTokens, _):
            var d = dPooled
            if let distillationHead = model.distillationHead, s.distilled != nil { add(gradient(of: distillationHead, dLogits), to: &d) }
            let dNorm = gradientOfLastNorm(s.norm, d, rule: rule, into: &gradients)
            return gradientOfPool(s, tokens: s.tokens, dNorm, rule: rule, into: &gradients)
        case (.own, .beforePooling), (.own, .absent), (.meanOfNormed, _):
            var (dNormed, pool) = gradientOfPool(s, tokens: s.norm.output, dPooled, rule: rule, into: &gradients)
            if let second = s.distilled, let distillationHead = model.distillationHead {
                let dSecond = gradient(of: distillationHead, dLogits)
                if s.pooling == .own {
                    let (rows, d) = (s.tokens.shape[1], configuration.width)
                    for b in 0..<s.tokens.shape[0] { dNormed.replace(from: (b * rows + 1) * d, with: dSecond[b]) }
                } else {
                    add(unpool(dSecond, like: s.tokens.shape, s.pooling), to: &dNormed)
                }
                if gradients != nil { gradients!.distillationHead!.accumulate(dy: dLogits, x: second) }
            }
            return (gradientOfLastNorm(s.norm, dNormed, rule: rule, into: &gradients), pool)
        }
    }

    /// From a one-hot relevance at the logits to the tokens that were read, `[B, Q, D]`, and to the attention that pools, `[B, H, 1, P]`.
    func relevanceOfReadout(_ s: ReadoutState, classes: [Int], rule: RelevanceRule) -> (tokens: Tensor, pool: Tensor?) {
        let c = configuration
        var start = workspace.zeros([s.tokens.shape[0], c.classes])
        start.withMutableSpan { span in
            for (b, i) in classes.enumerated() { span[b * c.classes + i] = 1 }
        }
        if let second = s.distilled, let distillationHead = model.distillationHead {
            // The average of two heads gives each of them half.
            VitrineTensor.scale(&start, by: 0.5)
            let first = relevance(of: model.head!, x: s.pooled, y: linear(model.head!, s.pooled), start)
            let other = relevance(of: distillationHead, x: second, y: linear(distillationHead, second), start)
            var tokens = workspace.zeros(s.tokens.shape)
            for b in classes.indices {
                tokens.replace(from: b * tokens.shape[1] * c.width, with: first[b])
                tokens.replace(from: (b * tokens.shape[1] + 1) * c.width, with: other[b])
            }
            return (tokens, nil)
        }
        let pooled = relevanceOfFeatures(
            s.features, pooled: s.pooled, relevance(of: model.head!, x: s.features.output, y: linear(model.head!, s.features.output), start)
        )
        // The final norm passes relevance unchanged, so pooling is undone on whichever side of it the pool stands.
        let isBefore = c.normPlacement != .afterPooling
        if let pool = model.attentionPool, let asked = s.attentionPool {
            let step = relevanceOfAttentionPool(pool, asked, tokens: isBefore ? s.norm.output : s.tokens, pooled, rule: rule)
            return (step.tokens, step.attention)
        }
        // IndexSelect: x0 safe_div(R, x0); mean pool: x_i / P safe_div(R, mean). Both are x * unpool(safe_div(R, pool(x))).
        var ratio = workspace.tensor(pooled.shape)
        safeDivide(pooled, isBefore ? s.pooled : s.norm.input, into: &ratio)
        var tokens = workspace.tensor(s.tokens.shape)
        multiply(isBefore ? s.norm.output : s.tokens, unpool(ratio, like: s.tokens.shape, .own), into: &tokens)
        return (tokens, nil)
    }

    // MARK: The last norm

    /// Of all tokens, or of the pooled vector; the values themselves where the network has no last norm.
    private func lastNorm(_ x: Tensor) -> NormState {
        guard configuration.normPlacement == .absent else { return normed(model.norm, x) }
        return NormState(input: x, output: x, mean: Tensor([1]), inverseDeviation: Tensor([1]))
    }

    private func gradientOfLastNorm(
        _ s: NormState, _ dy: Tensor, rule: GradientRule, into gradients: inout VisionTransformer?
    ) -> Tensor {
        guard configuration.normPlacement != .absent else { return dy }
        if gradients != nil { gradients!.norm.accumulate(dy: dy, s) }
        return gradient(of: model.norm, s, dy, rule: rule)
    }

    // MARK: Pooling

    /// What the head reads of tokens `[B, rows, D]`: `[B, pooledWidth]`, or `[B, D]` for a mean over all tokens.
    private func pool(_ tokens: Tensor, _ pooling: Reading.Pooling) -> (pooled: Tensor, asked: AttentionPoolState?) {
        guard pooling == .own, let pool = model.attentionPool else { return (select(tokens, pooling), nil) }
        let asked = attentionPool(pool, tokens)
        return (asked.output.reshaped([tokens.shape[0], configuration.pool.width]), asked)
    }

    /// The gradient by tokens that were pooled; with `gradients`, adds that of the pool.
    private func gradientOfPool(
        _ s: ReadoutState, tokens: Tensor, _ dPooled: Tensor, rule: GradientRule, into gradients: inout VisionTransformer?
    ) -> (Tensor, AttentionPoolGradient?) {
        guard let pool = model.attentionPool, let asked = s.attentionPool else {
            return (unpool(dPooled, like: s.tokens.shape, s.pooling), nil)
        }
        // Lent, so that sums are written in place.
        var own = gradients?.attentionPool
        gradients?.attentionPool = nil
        let step = gradientOfAttentionPool(pool, asked, tokens: tokens, dOutput: dPooled, rule: rule, into: &own)
        gradients?.attentionPool = own
        return (step.tokens, step)
    }

    /// Tokens, or means of them.
    private func select(_ tokens: Tensor, _ pooling: Reading.Pooling) -> Tensor {
        let (batch, rows, d) = (tokens.shape[0], tokens.shape[1], configuration.width)
        guard pooling == .own else {
            var pooled = workspace.tensor([batch, d])
            addMean(of: tokens, from: 0, rows: rows, into: &pooled, column: 0)
            return pooled
        }
        switch configuration.pooling {
        case .classToken, .distilled: return token(0, of: tokens)
        case .attention: preconditionFailure("attention pools by its weights")
        case .mean, .classAndMean:
            let w = configuration.pooledWidth
            var pooled = workspace.tensor([batch, w])
            if configuration.pooling == .classAndMean {
                for b in 0..<batch { pooled.replace(from: b * w, with: tokens[b][0]) }
            }
            addMean(of: tokens, from: layout.prefix, rows: layout.patches, into: &pooled, column: w - d)
            return pooled
        }
    }

    /// Writes the mean of `rows` tokens of every image into columns of `pooled`.
    private func addMean(of tokens: Tensor, from first: Int, rows: Int, into pooled: inout Tensor, column: Int) {
        let (d, w, all) = (configuration.width, pooled.shape[1], tokens.shape[1])
        var ones = workspace.tensor([1, rows])
        ones.fill(1)
        for b in 0..<tokens.shape[0] {
            multiply(
                ones.matrix, tokens.matrix(MatrixWindow(start: (b * all + first) * d, rows: rows, columns: d, stride: d)), into: &pooled,
                window: MatrixWindow(start: b * w + column, rows: 1, columns: d, stride: d), alpha: 1 / Float(rows))
        }
    }

    /// The transpose of `select`: a gradient by the pooled vector becomes one by the tokens, of shape `like`.
    private func unpool(_ pooled: Tensor, like shape: Shape, _ pooling: Reading.Pooling) -> Tensor {
        let (batch, rows) = (shape[0], shape[1])
        let (d, w) = (configuration.width, pooled.shape[1])
        var tokens = workspace.zeros(shape)
        let isMean = pooling != .own || configuration.pooling == .mean || configuration.pooling == .classAndMean
        let (first, count) = pooling == .own ? (layout.prefix, layout.patches) : (0, rows)
        for b in 0..<batch {
            if pooling == .own && configuration.pooling != .mean {
                tokens.replace(from: b * rows * d, with: pooled[b].reshaped([w])[0..<d])
            }
            guard isMean else { continue }
            var ones = workspace.tensor([count, 1])
            ones.fill(1)
            multiply(
                ones.matrix, pooled.matrix(MatrixWindow(start: b * w + w - d, rows: 1, columns: d, stride: d)), into: &tokens,
                window: MatrixWindow(start: (b * rows + first) * d, rows: count, columns: d, stride: d), alpha: 1 / Float(count))
        }
        return tokens
    }

    /// One token of every image: `[B, D]`.
    private func token(_ i: Int, of tokens: Tensor) -> Tensor {
        let d = configuration.width
        var rows = workspace.tensor([tokens.shape[0], d])
        for b in 0..<tokens.shape[0] { rows.replace(from: b * d, with: tokens[b][i]) }
        return rows
    }

    /// A head that reads class token and mean is given one vector in both places where a single one was pooled.
    private func widened(_ pooled: Tensor) -> Tensor {
        let (d, w) = (configuration.width, configuration.pooledWidth)
        guard pooled.shape[1] != w else { return pooled }
        var wide = workspace.tensor([pooled.shape[0], w])
        for b in 0..<pooled.shape[0] {
            for part in 0..<w / d { wide.replace(from: b * w + part * d, with: pooled[b]) }
        }
        return wide
    }

    /// The transpose of `widened`.
    private func narrowed(_ dWide: Tensor) -> Tensor {
        let (d, w) = (configuration.width, configuration.pooledWidth)
        guard d != w else { return dWide }
        var d1 = workspace.zeros([dWide.shape[0], d])
        for b in 0..<dWide.shape[0] {
            var row = dWide[b].reshaped([w])[0..<d]
            for part in 1..<w / d { add(dWide[b].reshaped([w])[part * d..<(part + 1) * d], to: &row) }
            d1.replace(from: b * d, with: row)
        }
        return d1
    }
}
