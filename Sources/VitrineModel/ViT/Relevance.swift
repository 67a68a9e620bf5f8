import VitrineTensor

extension VisionTransformer {
    /// Layer-wise relevance propagation by the rules of Chefer et al. 2021 (https://arxiv.org/abs/2012.09838; methods.md §5), alpha = 1.
    ///
    /// Starts from 1 at the target class. Sums are taken per image, so a batch is exact. LayerScale and every non-linearity pass
    /// relevance unchanged; a SwiGLU product gives each factor half; a mean pool shares by contribution.
    ///
    /// - Parameter keepsBlocks: whether somebody reads the blocks' inner values afterwards; else their memory serves the next block.
    func relevancePass(
        _ state: inout ForwardState, keepsBlocks: Bool, targets: [Target], rule: RelevanceRule, request: RelevanceRequest,
        workspace: Workspace
    ) -> RelevanceTrace {
        let end = request.input ? 0 : request.attention.min() ?? configuration.depth
        var trace = RelevanceTrace(sums: Array(repeating: [], count: state.count))
        var r = relevanceOfHead(state, targets: targets, workspace: workspace)
        for l in stride(from: configuration.depth - 1, through: end, by: -1) {
            let wantsInput = l > end || request.input
            let step = relevanceOfBlock(
                l, state.blocks[l]!, layout: state.layout, r, rule: rule, wantsInput: wantsInput, workspace: workspace)
            if request.attention.contains(l) { trace.attention[l] = step.attention }
            if !keepsBlocks { state.blocks[l] = nil }
            guard let input = step.input else { break }
            r = input
            for b in 0..<state.count { trace.sums[b].append(sum(r[b])) }
        }
        if request.input {
            let pixels = relevanceOfPixels(state, r, rule: rule, workspace: workspace)
            for b in 0..<state.count { trace.sums[b].append(sum(pixels[b])) }
            trace.input = pixels
        }
        return trace
    }

    /// From a one-hot relevance at the logits to the tokens after the last block, `[B, Q, D]`.
    private func relevanceOfHead(_ state: ForwardState, targets: [Target], workspace: Workspace) -> Tensor {
        let c = configuration
        var start = workspace.zeros([state.count, c.classes])
        start.withMutableSpan { span in
            for b in 0..<state.count { span[b * c.classes + targets[b].classIndex] = 1 }
        }
        var tokens: Tensor
        if let second = state.distilled, let distillationHead {
            // The average of two heads gives each of them half.
            VitrineTensor.scale(&start, by: 0.5)
            let first = relevanceOfHead(head!, x: state.pooled, start, workspace: workspace)
            let other = relevanceOfHead(distillationHead, x: second, start, workspace: workspace)
            tokens = workspace.zeros(state.tokens.shape)
            for b in 0..<state.count {
                tokens.replace(from: b * tokens.shape[1] * c.width, with: first[b])
                tokens.replace(from: (b * tokens.shape[1] + 1) * c.width, with: other[b])
            }
            return tokens
        }
        let pooled = relevanceOfHead(head!, x: state.pooled, start, workspace: workspace)
        // The final norm passes relevance unchanged, so pooling is undone on whichever side of it the pool stands.
        let source = c.normPlacement == .beforePooling ? state.normed : state.tokens
        let value = c.normPlacement == .beforePooling ? state.pooled : state.normInput
        // IndexSelect: x0 safe_div(R, x0); mean pool: x_i / P safe_div(R, mean). Both are x * unpool(safe_div(R, pool(x))).
        var ratio = workspace.tensor(pooled.shape)
        safeDivide(pooled, value, into: &ratio)
        let spread = unpool(ratio, like: state.tokens.shape, layout: state.layout, workspace: workspace)
        tokens = workspace.tensor(state.tokens.shape)
        multiply(source, spread, into: &tokens)
        return tokens
    }

    private func relevanceOfHead(_ head: Linear, x: Tensor, _ r: Tensor, workspace: Workspace) -> Tensor {
        var y = workspace.tensor(r.shape)
        apply(head, x, into: &y, threads: 1)
        return relevanceOfLinear(head, x: x, y: y, r, workspace: workspace)
    }

    private struct BlockRelevance {
        var attention: Tensor
        var input: Tensor?
    }

    private func relevanceOfBlock(
        _ l: Int, _ s: BlockState, layout: TokenLayout, _ r: Tensor, rule: RelevanceRule, wantsInput: Bool, workspace: Workspace
    ) -> BlockRelevance {
        let block = blocks[l]
        let heads = HeadLayout(configuration: configuration, layout: layout, block: l)
        // z'' = z' + MLP branch.
        let (toMiddle, toMLP) = relevanceOfAdd(r, s.middle, s.branch2, rule: rule, workspace: workspace)
        var rActivated = relevanceOfLinear(
            block.fc2, x: activated(s.preActivation, workspace: workspace), y: s.mlpOutput, toMLP, workspace: workspace)
        if configuration.mlp == .swiGLU { rActivated = halvesOfGate(rActivated, workspace: workspace) }
        let rNorm2 = relevanceOfLinear(
            block.fc1, x: norm2(l, s, workspace: workspace), y: s.preActivation, rActivated, workspace: workspace)
        var rMiddle = workspace.tensor(r.shape)
        relevanceClone(toMiddle, rNorm2, x: s.middle, into: &rMiddle, threads: workspace.threads)
        // z' = z + attention branch.
        let (toInput, toAttention) = relevanceOfAdd(rMiddle, s.skipped, s.branch1, rule: rule, workspace: workspace)
        let rContext = relevanceOfLinear(block.projection, x: s.context, y: s.projected, toAttention, workspace: workspace)
        let (rAttention, rValue) = relevanceOfContext(s, heads: heads, rContext, workspace: workspace)
        guard wantsInput else { return BlockRelevance(attention: rAttention) }
        var rQKV = rValue
        relevanceOfScores(s, heads: heads, rAttention, into: &rQKV, workspace: workspace)
        let rNorm1 = relevanceOfLinear(block.qkv, x: s.norm1, y: s.qkv, rQKV, workspace: workspace)
        var rInput = workspace.tensor(s.input.shape)
        relevanceClone(
            behind(toInput, rows: layout.tokens, workspace: workspace), rNorm1, x: s.input, into: &rInput, threads: workspace.threads)
        return BlockRelevance(attention: rAttention, input: rInput)
    }

    /// The alpha-1 rule in three products: `Z+ = x+ W+^T + x- W-^T = (x W^T + |x| |W|^T) / 2`, `s = R / Z+`,
    /// `R_in = x+ (s W+) + x- (s W-)`; the bias takes no part.
    ///
    /// - Parameter y: the output with its bias, known from the forward pass.
    private func relevanceOfLinear(_ linear: Linear, x: Tensor, y: Tensor, _ r: Tensor, workspace: Workspace) -> Tensor {
        let weight = linear.weight.matrix
        let threads = workspace.threads
        var p = workspace.tensor(r.shape)
        multiplyRows(x.matrix.magnitudes, weight.magnitudes.transposed, into: &p, threads: threads)
        var s = workspace.tensor(r.shape)
        relevanceRatio(r, x: x, weight: linear.weight, product: y, bias: linear.bias, absoluteProduct: p, into: &s, threads: threads)
        var a = workspace.tensor(x.shape)
        multiplyRows(s, weight.positives, into: &a, threads: threads)
        var b = workspace.tensor(x.shape)
        multiplyRows(s, weight.negatives, into: &b, threads: threads)
        var result = workspace.tensor(x.shape)
        relevanceCombine(x, a, b, into: &result, threads: threads)
        return result
    }

    /// Residual addition of `z1` and `z2`, per image.
    private func relevanceOfAdd(
        _ r: Tensor, _ z1: Tensor, _ z2: Tensor, rule: RelevanceRule, workspace: Workspace
    ) -> (Tensor, Tensor) {
        var r1 = workspace.tensor(r.shape)
        var r2 = workspace.tensor(r.shape)
        let sample = Shape(r.shape.dimensions.dropFirst())
        var part1 = workspace.tensor(sample)
        var part2 = workspace.tensor(sample)
        for b in 0..<r.shape[0] {
            var stabiliser: Float = 0
            if case .stabilised(let epsilon) = rule {
                add(z1[b], z2[b], into: &part1)
                stabiliser = epsilon * Float(standardDeviation(part1))
            }
            relevanceAdd(r[b], z1[b], z2[b], stabiliser: stabiliser, into: &part1, &part2)
            r1.replace(from: b * sample.count, with: part1)
            r2.replace(from: b * sample.count, with: part2)
        }
        return (r1, r2)
    }

    /// `o = A V`: `RA = A (s V^T) / 2`, `RV = V (A^T s) / 2` with `s = R / o`. RV stands in its place of a `[B, N, 3 D]` tensor.
    private func relevanceOfContext(
        _ s: BlockState, heads: HeadLayout, _ r: Tensor, workspace: Workspace
    ) -> (attention: Tensor, qkv: Tensor) {
        let (threads, n) = (workspace.threads, configuration.heads)
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
    /// multiplied by its value, V's part included.
    private func relevanceOfScores(
        _ s: BlockState, heads: HeadLayout, _ r: Tensor, into rQKV: inout Tensor, workspace: Workspace
    ) {
        let (threads, n, count) = (workspace.threads, configuration.heads, r.shape[0] * configuration.heads)
        var scores = workspace.zeros(s.attention.shape)
        multiplyEach(count, into: &scores, threads: threads) { i in
            let (b, h) = (i / n, i % n)
            return (s.qkv.matrix(heads.query(b, h)), s.qkv.matrix(heads.key(b, h)).transposed, heads.attention(b, h))
        }
        var ratio = workspace.tensor(r.shape)
        safeDivide(r, scores, into: &ratio, threads: threads)
        multiplyEach(2 * count, into: &rQKV, alpha: 0.5, threads: threads) { [ratio] i in
            let (b, h) = (i % count / n, i % n)
            let piece = ratio.matrix(heads.attention(b, h))
            return i < count
                ? (piece, s.qkv.matrix(heads.key(b, h)), heads.query(b, h))
                : (piece.transposed, s.qkv.matrix(heads.query(b, h)), heads.key(b, h))
        }
        var product = workspace.tensor(rQKV.shape)
        multiply(rQKV, s.qkv, into: &product, threads: threads)
        rQKV = product
    }

    /// `silu(gate) * value`: half of the relevance to each factor, `[.., H]` -> `[.., 2 H]`.
    private func halvesOfGate(_ r: Tensor, workspace: Workspace) -> Tensor {
        let hidden = configuration.hidden
        let rows = r.count / hidden
        var both = workspace.tensor([rows, 2 * hidden])
        let half = workspace.identity(hidden, scale: 0.5)
        for part in 0..<2 {
            multiply(
                r.reshaped([rows, hidden]).matrix, half.matrix, into: &both,
                window: MatrixWindow(start: part * hidden, rows: rows, columns: hidden, stride: 2 * hidden))
        }
        var dimensions = r.shape.dimensions
        dimensions[dimensions.count - 1] = 2 * hidden
        return both.reshaped(Shape(dimensions))
    }

    /// Position embedding (an addition) and patch convolution (the z^B rule with each image's own bounds): `[B, height, width]`.
    private func relevanceOfPixels(_ state: ForwardState, _ r: Tensor, rule: RelevanceRule, workspace: Workspace) -> Tensor {
        let c = configuration
        let (batch, layout, d) = (state.count, state.layout, c.width)
        let patches = state.grid.count
        let positions = positionTable(grid: state.grid, workspace: workspace)
        let weight = patchEmbedding.weight
        var magnitude = workspace.tensor(weight.shape)
        absolute(weight, into: &magnitude)
        var positive = workspace.tensor(weight.shape)
        add(weight, magnitude, into: &positive)
        VitrineTensor.scale(&positive, by: 0.5)
        var negative = weight
        addScaled(positive, -1, to: &negative)

        let (height, width) = (state.images.shape[2], state.images.shape[3])
        var result = workspace.zeros([batch, height, width])
        var plane = workspace.tensor([c.channels, height, width])
        var columns = workspace.tensor([patches, patchEmbedding.inputs])
        var low = workspace.tensor(columns.shape)
        var high = workspace.tensor(columns.shape)
        var z = workspace.tensor([patches, d])
        var s = workspace.tensor([patches, d])
        var part = workspace.tensor(columns.shape)
        for b in 0..<batch {
            var withoutPosition = state.embedded[b]
            addScaled(positions, -1, to: &withoutPosition)
            let shape: Shape = [1, layout.tokens, d]
            let (rTokens, _) = relevanceOfAdd(
                r[b].reshaped(shape), withoutPosition.reshaped(shape), positions.reshaped(shape), rule: rule, workspace: workspace)
            let rPatches = rTokens[0][c.prefixTokens..<layout.tokens]
            im2patches(state.images[b], patch: c.patchSize, into: &columns)
            let bounds = minMax(state.images[b])
            low.fill(bounds.minimum)
            high.fill(bounds.maximum)
            multiply(columns.matrix, weight.matrix.transposed, into: &z)
            multiply(low.matrix, positive.matrix.transposed, into: &z, alpha: -1, beta: 1)
            multiply(high.matrix, negative.matrix.transposed, into: &z, alpha: -1, beta: 1)
            safeDivide(rPatches, z, into: &s)
            // C = x (s W) - L (s W+) - H (s W-)
            var total = workspace.tensor(columns.shape)
            multiply(s.matrix, weight.matrix, into: &part)
            multiply(part, columns, into: &total)
            multiply(s.matrix, positive.matrix, into: &part)
            addScaled(part, -bounds.minimum, to: &total)
            multiply(s.matrix, negative.matrix, into: &part)
            addScaled(part, -bounds.maximum, to: &total)
            patches2im(total, patch: c.patchSize, into: &plane)
            var summed = plane[0]
            for channel in 1..<c.channels { add(plane[channel], to: &summed) }
            result.replace(from: b * height * width, with: summed)
        }
        return result
    }
}

extension Workspace {
    /// `scale` times the identity matrix.
    func identity(_ n: Int, scale: Float) -> Tensor {
        var result = zeros([n, n])
        result.withMutableSpan { span in for i in 0..<n { span[i * n + i] = scale } }
        return result
    }
}
