import VitrineTensor

extension VisionTransformer {
    /// Backward from the logits to the inner values asked for; stops at block `end` (-1: at the pixels).
    ///
    /// - Parameter keepsBlocks: whether somebody reads the blocks' inner values afterwards; else their memory serves the next block.
    func gradientPass(
        _ state: inout ForwardState, keepsBlocks: Bool, dLogits: Tensor, downTo end: Int, request: TraceRequest, trace: inout Trace,
        workspace: Workspace
    ) {
        var none: VisionTransformer? = nil
        var dz = gradientOfHead(state, dLogits: dLogits, into: &none, workspace: workspace)
        for l in stride(from: configuration.depth - 1, through: max(end, 0), by: -1) {
            let step = gradientOfBlock(
                l, state.blocks[l]!, layout: state.layout, dOutput: dz, stop: stop(at: l, end: end, request: request), into: &none,
                workspace: workspace)
            if request.attentionGradient.contains(l) { trace.attentionGradient[l] = step.dAttention }
            if request.norm1Gradient.contains(l) {
                trace.norm1Gradient[l] = step.dNorm1!
            }
            if let dInput = step.dInput { dz = dInput }
            if !keepsBlocks { state.blocks[l] = nil }
        }
        if end < 0 { trace.inputGradient = gradientOfPixels(dz, images: state.images, layout: state.layout, workspace: workspace) }
    }

    /// How far the gradient of a block must go.
    enum GradientStop { case attention, norm1, input }

    private func stop(at block: Int, end: Int, request: TraceRequest) -> GradientStop {
        guard block == end else { return .input }
        return request.norm1Gradient.contains(block) ? .norm1 : .attention
    }

    struct BlockGradient {
        /// `[B, H, N, N]`.
        var dAttention: Tensor
        /// `[B, N, D]`, by LN1's output.
        var dNorm1: Tensor?
        /// `[B, N, D]`, by the block's input.
        var dInput: Tensor?
    }

    /// From the logits to z_L: `[B, Q, D]`.
    func gradientOfHead(
        _ state: ForwardState, dLogits: Tensor, into gradients: inout VisionTransformer?, workspace: Workspace
    ) -> Tensor {
        let head = head!
        var dLogits = dLogits
        if state.distilled != nil { VitrineTensor.scale(&dLogits, by: 0.5) }
        var dPooled = workspace.tensor(state.pooled.shape)
        multiplyRows(dLogits, head.weight.matrix, into: &dPooled, threads: workspace.threads)
        if gradients != nil { accumulate(&gradients!.head!, dy: dLogits, x: state.pooled) }
        switch configuration.normPlacement {
        case .afterPooling:
            let dRaw = gradientOfNorm(
                norm, dPooled, x: state.normInput, mean: state.mean, inverse: state.inverseDeviation, workspace: workspace)
            if gradients != nil {
                accumulate(&gradients!.norm, dPooled, x: state.normInput, mean: state.mean, inverse: state.inverseDeviation)
            }
            return unpool(dRaw, like: state.tokens.shape, layout: state.layout, workspace: workspace)
        case .beforePooling:
            var dNormed = unpool(dPooled, like: state.tokens.shape, layout: state.layout, workspace: workspace)
            if let second = state.distilled, let distillationHead {
                var dSecond = workspace.tensor(second.shape)
                multiplyRows(dLogits, distillationHead.weight.matrix, into: &dSecond, threads: workspace.threads)
                for b in 0..<state.count {
                    dNormed.replace(from: (b * state.tokens.shape[1] + 1) * configuration.width, with: dSecond[b])
                }
                if gradients != nil { accumulate(&gradients!.distillationHead!, dy: dLogits, x: second) }
            }
            if gradients != nil {
                accumulate(&gradients!.norm, dNormed, x: state.normInput, mean: state.mean, inverse: state.inverseDeviation)
            }
            return gradientOfNorm(
                norm, dNormed, x: state.normInput, mean: state.mean, inverse: state.inverseDeviation, workspace: workspace)
        }
    }

    /// Backward through one block; with `gradients`, adds those of its weights.
    func gradientOfBlock(
        _ l: Int, _ s: BlockState, layout: TokenLayout, dOutput: Tensor, stop: GradientStop, into gradients: inout VisionTransformer?,
        workspace: Workspace
    ) -> BlockGradient {
        let c = configuration
        let block = blocks[l]
        let threads = workspace.threads
        // MLP branch: z'' = z' + s2 (W2 g(W1 LN2 z' + b1) + b2).
        let dMLP = scaled(dOutput, by: block.scale2, workspace: workspace)
        let shape = s.preActivation.shape
        var dActivated = workspace.tensor([shape[0], shape[1], c.hidden])
        multiplyRows(dMLP, block.fc2.weight.matrix, into: &dActivated, threads: workspace.threads)
        var dPre = workspace.tensor(s.preActivation.shape)
        switch c.mlp {
        case .activation(let kind): activationGradient(kind, x: s.preActivation, dy: dActivated, into: &dPre, threads: threads)
        case .swiGLU: siluGateGradient(dActivated, x: s.preActivation, into: &dPre)
        }
        var dNorm2 = workspace.tensor(s.middle.shape)
        multiplyRows(dPre, block.fc1.weight.matrix, into: &dNorm2, threads: workspace.threads)
        var dMiddle = gradientOfNorm(
            block.norm2, dNorm2, x: s.middle, mean: s.mean2, inverse: s.inverseDeviation2, workspace: workspace)
        add(dOutput, to: &dMiddle, threads: threads)
        if gradients != nil {
            accumulateScale(&gradients!.blocks[l].scale2, dOutput, s.mlpOutput, workspace: workspace)
            accumulate(&gradients!.blocks[l].fc2, dy: dMLP, x: activated(s.preActivation, workspace: workspace))
            accumulate(&gradients!.blocks[l].fc1, dy: dPre, x: norm2(l, s, workspace: workspace))
            accumulate(&gradients!.blocks[l].norm2, dNorm2, x: s.middle, mean: s.mean2, inverse: s.inverseDeviation2)
        }
        // Attention branch: z' = z + s1 (Wo o + bo), o = A V.
        let dProjected = scaled(dMiddle, by: block.scale1, workspace: workspace)
        var dContext = workspace.tensor(s.context.shape)
        multiplyRows(dProjected, block.projection.weight.matrix, into: &dContext, threads: workspace.threads)
        if gradients != nil {
            accumulateScale(&gradients!.blocks[l].scale1, dMiddle, s.projected, workspace: workspace)
            accumulate(&gradients!.blocks[l].projection, dy: dProjected, x: s.context)
        }
        let batch = s.input.shape[0]
        let heads = HeadLayout(configuration: c, layout: layout, block: l)
        let count = batch * c.heads
        var dAttention = workspace.zeros(s.attention.shape)
        multiplyEach(count, into: &dAttention, threads: threads) { [dContext] i in
            let (b, h) = (i / c.heads, i % c.heads)
            return (dContext.matrix(heads.context(b, h)), s.qkv.matrix(heads.value(b, h)).transposed, heads.attention(b, h))
        }
        if stop == .attention { return BlockGradient(dAttention: dAttention) }

        // S = scale Q K^T, A = softmax(S).
        var dScores = workspace.tensor(s.attention.shape)
        softmaxGradient(dAttention, a: s.attention, scale: 1 / Float(c.headWidth).squareRoot(), into: &dScores, threads: threads)
        var dQKV = workspace.zeros(s.qkv.shape)
        multiplyEach(3 * count, into: &dQKV, threads: threads) { [dScores, dContext] i in
            let (b, h) = (i % count / c.heads, i % c.heads)
            let dS = dScores.matrix(heads.attention(b, h))
            switch i / count {
            case 0: return (dS, s.qkv.matrix(heads.key(b, h)), heads.query(b, h))
            case 1: return (dS.transposed, s.qkv.matrix(heads.query(b, h)), heads.key(b, h))
            default:
                return (
                    s.attention.matrix(heads.attention(b, h)).transposed, dContext.matrix(heads.context(b, h)), heads.value(b, h)
                )
            }
        }
        var dNorm1 = workspace.tensor(s.norm1.shape)
        multiplyRows(dQKV, block.qkv.weight.matrix, into: &dNorm1, threads: workspace.threads)
        if gradients != nil {
            accumulate(&gradients!.blocks[l].qkv, dy: dQKV, x: s.norm1)
            accumulate(&gradients!.blocks[l].norm1, dNorm1, x: s.input, mean: s.mean1, inverse: s.inverseDeviation1)
        }
        if stop == .norm1 { return BlockGradient(dAttention: dAttention, dNorm1: dNorm1) }
        var dInput = gradientOfNorm(
            block.norm1, dNorm1, x: s.input, mean: s.mean1, inverse: s.inverseDeviation1, workspace: workspace)
        add(behind(dMiddle, rows: layout.tokens, workspace: workspace), to: &dInput, threads: threads)
        return BlockGradient(dAttention: dAttention, dNorm1: dNorm1, dInput: dInput)
    }

    /// From z_0 to the pixels, `[B, channels, height, width]`.
    func gradientOfPixels(_ dz: Tensor, images: Tensor, layout: TokenLayout, workspace: Workspace) -> Tensor {
        let c = configuration
        let batch = dz.shape[0]
        let patches = layout.tokens - c.prefixTokens
        var dPatches = workspace.tensor([patches, patchEmbedding.inputs])
        var dImages = workspace.tensor(images.shape)
        var dImage = workspace.tensor([images.shape[1], images.shape[2], images.shape[3]])
        for b in 0..<batch {
            let window = MatrixWindow(
                start: (b * layout.tokens + c.prefixTokens) * c.width, rows: patches, columns: c.width, stride: c.width)
            multiply(dz.matrix(window), patchEmbedding.weight.matrix, into: &dPatches)
            patches2im(dPatches, patch: c.patchSize, into: &dImage)
            dImages.replace(from: b * dImage.count, with: dImage)
        }
        return dImages
    }

    func gradientOfNorm(
        _ norm: LayerNorm, _ dy: Tensor, x: Tensor, mean: Tensor, inverse: Tensor, workspace: Workspace
    ) -> Tensor {
        var dx = workspace.tensor(x.shape)
        layerNormGradient(dy, x: x, weight: norm.weight, mean: mean, inverseDeviation: inverse, into: &dx, threads: workspace.threads)
        return dx
    }

    // MARK: Gradients of weights; each adds to what is there.

    /// `dW += dy^T x`, `db += sum of dy's rows`.
    func accumulate(_ linear: inout Linear, dy: Tensor, x: Tensor) {
        multiply(dy.matrix.transposed, x.matrix, into: &linear.weight, beta: 1)
        if linear.bias != nil { columnSums(dy, addingTo: &linear.bias!) }
    }

    func accumulate(_ norm: inout LayerNorm, _ dy: Tensor, x: Tensor, mean: Tensor, inverse: Tensor) {
        layerNormWeightGradient(dy, x: x, mean: mean, inverseDeviation: inverse, addingTo: &norm.weight, bias: &norm.bias)
    }

    /// LayerScale: `dgamma += sum over rows of dy * x`.
    func accumulateScale(_ gamma: inout Tensor?, _ dy: Tensor, _ x: Tensor, workspace: Workspace) {
        guard gamma != nil else { return }
        var product = workspace.tensor(x.shape)
        multiply(dy, x, into: &product)
        columnSums(product, addingTo: &gamma!)
    }
}
