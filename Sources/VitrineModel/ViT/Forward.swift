import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The inner values of one block for a batch; what the gradient and relevance passes read. What is cheap to compute again, the second
/// norm and the activation, is not kept.
///
/// Each image has N rows (`TokenLayout`); from the context on, the last block keeps only the Q rows that the head can see.
struct BlockState {
    /// z, the block's input `[B, N, D]`.
    var input: Tensor
    /// u = LN1 z.
    var norm1: Tensor
    var mean1: Tensor
    var inverseDeviation1: Tensor
    /// `[B, N, 3 D]`, bias included.
    var qkv: Tensor
    /// A `[B, H, N, N]`.
    var attention: Tensor
    /// o = A V, heads side by side `[B, Q, D]`.
    var context: Tensor
    /// Output of the projection, before LayerScale.
    var projected: Tensor
    /// Attention branch after LayerScale; `projected` itself where there is none.
    var branch1: Tensor
    /// The input's rows that the residual addition reads, `[B, Q, D]`.
    var skipped: Tensor
    /// z' `[B, Q, D]`.
    var middle: Tensor
    var mean2: Tensor
    var inverseDeviation2: Tensor
    /// Output of the MLP's first map, bias included `[B, Q, firstHidden]`.
    var preActivation: Tensor
    /// Output of the MLP's second map, before LayerScale.
    var mlpOutput: Tensor
    /// MLP branch after LayerScale.
    var branch2: Tensor
    /// z''.
    var output: Tensor
}

/// A forward pass with the values that later passes need.
struct ForwardState {
    let images: Tensor
    let grid: PatchGrid
    let layout: TokenLayout
    /// z_0 `[B, N, D]`: patches and prefix tokens with their positions.
    var embedded: Tensor
    /// By block; nil below the first block that a later pass enters.
    var blocks: [BlockState?]
    /// z_L `[B, Q, D]`.
    var tokens: Tensor
    /// LN_f of all tokens (norm before pooling), or pooled tokens before LN_f (norm after pooling).
    var normInput: Tensor
    var mean: Tensor
    var inverseDeviation: Tensor
    /// Output of the final norm: `[B, Q, D]` or `[B, pooledWidth]`.
    var normed: Tensor
    /// `[B, pooledWidth]`.
    var pooled: Tensor
    /// `[B, pooledWidth]` read by the distillation head.
    var distilled: Tensor?
    var logits: Tensor?
    var count: Int { tokens.shape[0] }
}

extension VisionTransformer {
    /// Logits of a batch.
    ///
    /// - Parameter images: `[B, channels, height, width]`, normalised; both sides multiples of the patch size.
    /// - Returns: `[B, classes]`, or `[B, pooledWidth]` features for a backbone.
    public func callAsFunction(_ images: Tensor, workspace: Workspace) throws -> Tensor {
        let trace = try trace(images, targets: [], request: .logits, workspace: workspace)
        return trace.logits ?? trace.pooled
    }

    /// One forward pass and, as far as the request needs them, one gradient pass and one relevance pass per rule.
    ///
    /// Images of a batch do not see each other: a batch gives what single images give, bit for bit.
    ///
    /// - Parameters:
    ///   - images: `[B, channels, height, width]`, normalised.
    ///   - targets: one per image; may be empty when the request needs none.
    /// - Throws: `ViTError` for a wrong shape, block or target, or a class asked of a backbone.
    /// - Complexity: forward 2 products per weight and token; gradient the same again; relevance three times that.
    public func trace(_ images: Tensor, targets: [TargetChoice], request: TraceRequest, workspace: Workspace) throws(ViTError) -> Trace {
        if request.needsTarget && head != nil {
            for case .fixed(let target) in targets { try target.check(classes: configuration.classes) }
        }
        return try trace(images, request: request, workspace: workspace) { _ in targets }
    }

    /// The same with targets that are asked for once the forward pass is done, and only if the request needs them.
    ///
    /// - Parameter targets: from the logits `[B, classes]` to one target per image.
    public func trace(
        _ images: Tensor, request: TraceRequest, workspace: Workspace, targets: (Tensor) throws(ViTError) -> [TargetChoice]
    ) throws(ViTError) -> Trace {
        let c = configuration
        try request.check(depth: c.depth)
        guard images.shape.rank == 4, images.shape[0] > 0, images.shape[1] == c.channels else {
            throw .imageShape(expected: "[B, \(c.channels), height, width]", found: images.shape.description)
        }
        let grid = try c.grid(height: images.shape[2], width: images.shape[3])
        if request.needsTarget && head == nil { throw .noHead(request: "a gradient or a relevance") }
        var state = forward(
            images, grid: grid, request: request, firstKept: request.firstKeptBlock(depth: c.depth), workspace: workspace)
        var trace = Trace(grid: grid, prefixTokens: c.prefixTokens, pooled: state.pooled, logits: state.logits)
        for l in request.attention { trace.attention[l] = state.blocks[l]!.attention }
        for l in request.norm1 { trace.norm1[l] = state.blocks[l]!.norm1 }
        guard request.needsTarget else { return trace }
        let choices = try targets(state.logits!)
        guard choices.count == state.count else { throw .targetCount(images: state.count, targets: choices.count) }
        for case .fixed(let target) in choices { try target.check(classes: c.classes) }
        let resolved = choices.indices.map { b in choices[b].resolved(logits: trace.logits(of: b)) }
        trace.targets = resolved
        if let end = request.gradientEnd {
            let rows = resolved.indices.flatMap { b in resolved[b].gradient(logits: trace.logits(of: b)) }
            let dLogits = Tensor(state.logits!.shape, rows)
            gradientPass(
                &state, keepsBlocks: !request.relevance.isEmpty, dLogits: dLogits, downTo: end, request: request, trace: &trace,
                workspace: workspace)
        }
        for (i, (rule, wanted)) in request.relevance.enumerated() {
            trace.relevance[rule] = relevancePass(
                &state, keepsBlocks: i + 1 < request.relevance.count, targets: resolved, rule: rule, request: wanted, workspace: workspace)
        }
        return trace
    }

    /// The forward pass.
    ///
    /// - Parameters:
    ///   - request: what will be read; its blocks keep their inner values.
    ///   - firstKept: so do all blocks from here on.
    func forward(
        _ images: Tensor, grid: PatchGrid, request: TraceRequest, firstKept: Int, workspace: Workspace
    ) -> ForwardState {
        let c = configuration
        let layout = TokenLayout(configuration: c, grid: grid, request: request)
        var z = embed(images, layout: layout, grid: grid, workspace: workspace)
        let embedded = z
        var states: [BlockState?] = []
        for l in 0..<c.depth {
            let state = forwardBlock(l, z, layout: layout, workspace: workspace)
            z = state.output
            states.append(l >= firstKept || request.attention.contains(l) || request.norm1.contains(l) ? state : nil)
        }
        let batch = z.shape[0]
        var state: ForwardState
        switch c.normPlacement {
        case .beforePooling:
            let (normed, mean, inverse) = applyNorm(norm, z, workspace: workspace)
            let pooled = pool(normed, layout: layout, workspace: workspace)
            state = ForwardState(
                images: images, grid: grid, layout: layout, embedded: embedded, blocks: states, tokens: z, normInput: z, mean: mean,
                inverseDeviation: inverse, normed: normed, pooled: pooled)
        case .afterPooling:
            let raw = pool(z, layout: layout, workspace: workspace)
            let (normed, mean, inverse) = applyNorm(norm, raw, workspace: workspace)
            state = ForwardState(
                images: images, grid: grid, layout: layout, embedded: embedded, blocks: states, tokens: z, normInput: raw, mean: mean,
                inverseDeviation: inverse, normed: normed, pooled: normed)
        }
        guard let head else { return state }
        var logits = workspace.tensor([batch, c.classes])
        apply(head, state.pooled, into: &logits, threads: 1)
        if c.pooling == .distilled, let distillationHead {
            let second = gather(state.normed, token: 1, workspace: workspace)
            var more = workspace.tensor([batch, c.classes])
            apply(distillationHead, second, into: &more, threads: 1)
            add(more, to: &logits)
            scale(&logits, by: 0.5)
            state.distilled = second
        }
        state.logits = logits
        return state
    }

    /// Patch tokens, prefix tokens and positions: z_0 `[B, N, D]`.
    func embed(_ images: Tensor, layout: TokenLayout, grid: PatchGrid, workspace: Workspace) -> Tensor {
        let c = configuration
        let batch = images.shape[0]
        let (r, d, rows) = (c.prefixTokens, c.width, layout.tokens)
        let table = embeddingTable(grid: grid, workspace: workspace)
        var z = workspace.tensor([batch, rows, d])
        var patches = workspace.tensor([grid.count, patchEmbedding.inputs])
        for b in 0..<batch {
            z.replace(from: b * rows * d, with: table)
            im2patches(images[b], patch: c.patchSize, into: &patches)
            multiply(
                patches.matrix, patchEmbedding.weight.matrix.transposed, into: &z,
                window: MatrixWindow(start: (b * rows + r) * d, rows: grid.count, columns: d, stride: d), beta: 1,
                threads: workspace.threads)
        }
        return z
    }

    /// What every image's tokens start from: prefix tokens, patch bias and positions, `[N, D]`.
    func embeddingTable(grid: PatchGrid, workspace: Workspace) -> Tensor {
        let d = configuration.width
        let r = configuration.prefixTokens
        var table = workspace.zeros([r + grid.count, d])
        if let bias = patchEmbedding.bias {
            var rows = workspace.zeros([grid.count, d])
            addBias(bias, to: &rows)
            table.replace(from: r * d, with: rows)
        }
        add(positionTable(grid: grid, workspace: workspace), to: &table)
        var prefix = workspace.zeros([r + grid.count, d])
        var row = 0
        for token in [classToken, distillationToken] {
            guard let token else { continue }
            prefix.replace(from: row * d, with: token)
            row += 1
        }
        if let registerTokens { prefix.replace(from: row * d, with: registerTokens) }
        add(prefix, to: &table)
        return table
    }

    /// The position embedding of every token at this grid, `[N, D]`; 0 for prefix tokens without one.
    func positionTable(grid: PatchGrid, workspace: Workspace) -> Tensor {
        let c = configuration
        let d = c.width
        var table = workspace.zeros([c.prefixTokens + grid.count, d])
        table.replace(from: 0, with: positionEmbedding[0..<c.positionedPrefixTokens])
        var patches = positionEmbedding[c.positionedPrefixTokens..<(c.positionedPrefixTokens + c.positionGrid.count)]
        if grid != c.positionGrid {
            patches = resamplePositionEmbedding(patches, from: c.positionGrid, to: grid, mode: c.positionResampling)
        }
        table.replace(from: c.prefixTokens * d, with: patches)
        return table
    }

    /// z'' = z' + s2 mlp(LN2 z'), z' = z + s1 proj(attention(LN1 z)), for block `l`.
    func forwardBlock(_ l: Int, _ z: Tensor, layout: TokenLayout, workspace: Workspace) -> BlockState {
        let c = configuration
        let block = blocks[l]
        let (batch, d, threads) = (z.shape[0], c.width, workspace.threads)
        let (u, mean1, inverse1) = applyNorm(block.norm1, z, workspace: workspace)
        var qkv = workspace.tensor([batch, layout.tokens, 3 * d])
        apply(block.qkv, u, into: &qkv, threads: threads)
        let heads = HeadLayout(configuration: c, layout: layout, block: l)
        var attention = workspace.tensor([batch, c.heads, layout.tokens, layout.tokens])
        multiplyEach(batch * c.heads, into: &attention, threads: threads) { [qkv] i in
            let (b, h) = (i / c.heads, i % c.heads)
            return (qkv.matrix(heads.allQueries(b, h)), qkv.matrix(heads.key(b, h)).transposed, heads.allAttention(b, h))
        }
        softmaxRows(&attention, scale: 1 / Float(c.headWidth).squareRoot(), threads: threads)
        let shape: Shape = [batch, heads.outputRows, d]
        var context = workspace.tensor(shape)
        multiplyEach(batch * c.heads, into: &context, threads: threads) { [qkv, attention] i in
            let (b, h) = (i / c.heads, i % c.heads)
            return (attention.matrix(heads.attention(b, h)), qkv.matrix(heads.value(b, h)), heads.context(b, h))
        }
        let skipped = firstRows(z, heads.outputRows, workspace: workspace)
        var projected = workspace.tensor(shape)
        apply(block.projection, context, into: &projected, threads: threads)
        let branch1 = scaled(projected, by: block.scale1, workspace: workspace)
        var middle = workspace.tensor(shape)
        add(skipped, branch1, into: &middle, threads: threads)

        let (v, mean2, inverse2) = applyNorm(block.norm2, middle, workspace: workspace)
        var pre = workspace.tensor([batch, heads.outputRows, c.firstHidden])
        apply(block.fc1, v, into: &pre, threads: threads)
        var mlp = workspace.tensor(shape)
        apply(block.fc2, activated(pre, workspace: workspace), into: &mlp, threads: threads)
        let branch2 = scaled(mlp, by: block.scale2, workspace: workspace)
        var output = workspace.tensor(shape)
        add(middle, branch2, into: &output, threads: threads)
        return BlockState(
            input: z, norm1: u, mean1: mean1, inverseDeviation1: inverse1, qkv: qkv, attention: attention, context: context,
            projected: projected, branch1: branch1, skipped: skipped, middle: middle, mean2: mean2, inverseDeviation2: inverse2,
            preActivation: pre, mlpOutput: mlp, branch2: branch2, output: output)
    }

    // MARK: Pieces

    /// `y = x W^T + b` over all rows.
    func apply(_ linear: Linear, _ x: Tensor, into y: inout Tensor, threads: Int) {
        multiplyRows(x, linear.weight.matrix.transposed, bias: linear.bias, into: &y, threads: threads)
    }

    func applyNorm(_ norm: LayerNorm, _ x: Tensor, workspace: Workspace) -> (y: Tensor, mean: Tensor, inverseDeviation: Tensor) {
        let rows = x.count / norm.weight.count
        var y = workspace.tensor(x.shape)
        var mean = workspace.tensor([rows])
        var inverse = workspace.tensor([rows])
        layerNorm(
            x, weight: norm.weight, bias: norm.bias, epsilon: configuration.normEpsilon, into: &y, mean: &mean,
            inverseDeviation: &inverse, threads: workspace.threads)
        return (y, mean, inverse)
    }

    /// Output of the MLP's non-linearity, `[B, Q, hidden]`.
    func activated(_ preActivation: Tensor, workspace: Workspace) -> Tensor {
        var y = workspace.tensor([preActivation.shape[0], preActivation.shape[1], configuration.hidden])
        switch configuration.mlp {
        case .activation(let kind): activate(kind, preActivation, into: &y, threads: workspace.threads)
        case .swiGLU: siluGate(preActivation, into: &y)
        }
        return y
    }

    /// v = LN2 z' of block `l`, `[B, Q, D]`.
    func norm2(_ l: Int, _ s: BlockState, workspace: Workspace) -> Tensor {
        applyNorm(blocks[l].norm2, s.middle, workspace: workspace).y
    }

    /// LayerScale, or `x` itself where the model has none.
    func scaled(_ x: Tensor, by gamma: Tensor?, workspace: Workspace) -> Tensor {
        guard let gamma else { return x }
        var y = workspace.tensor(x.shape)
        scaleColumns(x, by: gamma, into: &y)
        return y
    }

    /// What the head reads of tokens `[B, Q, D]`: `[B, pooledWidth]`.
    func pool(_ tokens: Tensor, layout: TokenLayout, workspace: Workspace) -> Tensor {
        let (batch, rows) = (tokens.shape[0], tokens.shape[1])
        let (d, w, r) = (configuration.width, configuration.pooledWidth, configuration.prefixTokens)
        switch configuration.pooling {
        case .classToken, .distilled: return gather(tokens, token: 0, workspace: workspace)
        case .mean, .classAndMean:
            var pooled = workspace.tensor([batch, w])
            let patches = layout.tokens - r
            var ones = workspace.tensor([1, patches])
            ones.fill(1)
            for b in 0..<batch {
                if configuration.pooling == .classAndMean { pooled.replace(from: b * w, with: tokens[b][0]) }
                multiply(
                    ones.matrix, tokens.matrix(MatrixWindow(start: (b * rows + r) * d, rows: patches, columns: d, stride: d)),
                    into: &pooled, window: MatrixWindow(start: b * w + w - d, rows: 1, columns: d, stride: d),
                    alpha: 1 / Float(patches))
            }
            return pooled
        }
    }

    /// The transpose of `pool`: a gradient by the pooled vector `[B, pooledWidth]` becomes one by the tokens, of shape `like`.
    func unpool(_ pooled: Tensor, like shape: Shape, layout: TokenLayout, workspace: Workspace) -> Tensor {
        let (batch, rows) = (shape[0], shape[1])
        let (d, w, r) = (configuration.width, configuration.pooledWidth, configuration.prefixTokens)
        var tokens = workspace.zeros(shape)
        let patches = layout.tokens - r
        for b in 0..<batch {
            if configuration.pooling != .mean { tokens.replace(from: b * rows * d, with: pooled[b].firstPart(d)) }
            guard configuration.pooling == .mean || configuration.pooling == .classAndMean else { continue }
            var ones = workspace.tensor([patches, 1])
            ones.fill(1)
            multiply(
                ones.matrix, pooled.matrix(MatrixWindow(start: b * w + w - d, rows: 1, columns: d, stride: d)), into: &tokens,
                window: MatrixWindow(start: (b * rows + r) * d, rows: patches, columns: d, stride: d), alpha: 1 / Float(patches))
        }
        return tokens
    }

    /// One token of every image: `[B, D]`.
    func gather(_ tokens: Tensor, token: Int, workspace: Workspace) -> Tensor {
        let d = configuration.width
        var rows = workspace.tensor([tokens.shape[0], d])
        for b in 0..<tokens.shape[0] { rows.replace(from: b * d, with: tokens[b][token]) }
        return rows
    }
}

extension Tensor {
    /// The first `n` elements as a vector.
    func firstPart(_ n: Int) -> Tensor { reshaped([count])[0..<n] }
}
