import VitrineTensor

/// Sums of weight gradients, one tensor per weight of a model.
public struct WeightGradients: Sendable {
    /// Gradients in the places of the weights; never nil.
    fileprivate(set) var model: VisionTransformer?

    /// Zeros.
    public init(like model: VisionTransformer) {
        var zeros = model
        zeros.forEachParameter { _, tensor in tensor = Tensor(tensor.shape) }
        self.model = zeros
    }

    public mutating func clear() { model!.forEachParameter { _, tensor in tensor.fill(0) } }

    /// Adds another sum, weight by weight.
    ///
    /// - Parameters:
    ///   - layer: weights of lower layers (`ParameterInfo.layer`) are left alone.
    ///   - threads: share the weights.
    public mutating func add(_ other: WeightGradients, fromLayer layer: Int = 0, threads: Int = 1) {
        var i = 0
        let terms = other.parameters
        model!.forEachParameter { info, tensor in
            if info.layer >= layer { VitrineTensor.add(terms[i].tensor, to: &tensor, threads: threads) }
            i += 1
        }
    }

    /// Gradients in the order of `VisionTransformer.forEachParameter`; no copies.
    public var parameters: [(info: ParameterInfo, tensor: Tensor)] { model!.parameters }
}

extension VisionTransformer {
    /// A forward pass and the gradient of a loss by every weight, added to `gradients`.
    ///
    /// - Parameters:
    ///   - images: `[B, channels, height, width]`, normalised, on the patch grid of the position embedding.
    ///   - frozenBlocks: the first n blocks, and with n > 0 the embeddings, receive no gradient; n = depth leaves norm and head.
    ///   - logitGradient: from logits `[B, classes]` to the loss's derivative by them.
    /// - Returns: the logits.
    /// - Throws: `ViTError` for a wrong shape, another grid than the stored one, or a model without a head.
    /// - Complexity: three times the forward pass. Memory: all inner values of the blocks that are not frozen.
    public func weightGradient(
        of images: Tensor, frozenBlocks: Int = 0, into gradients: inout WeightGradients, workspace: Workspace,
        logitGradient: (Tensor) throws -> Tensor
    ) throws -> Tensor {
        let c = configuration
        precondition((0...c.depth).contains(frozenBlocks), "\(frozenBlocks) frozen blocks of \(c.depth)")
        guard head != nil else { throw ViTError.noHead(request: "training") }
        guard images.shape.rank == 4, images.shape[0] > 0, images.shape[1] == c.channels else {
            throw ViTError.imageShape(expected: "[B, \(c.channels), height, width]", found: images.shape.description)
        }
        let grid = try c.grid(height: images.shape[2], width: images.shape[3])
        guard grid == c.positionGrid else {
            let expected = "[B, \(c.channels), \(c.positionGrid.rows * c.patchSize), \(c.positionGrid.columns * c.patchSize)]"
            throw ViTError.imageShape(expected: expected, found: images.shape.description)
        }
        var state = forward(images, grid: grid, request: .logits, firstKept: frozenBlocks, workspace: workspace)
        let logits = state.logits!
        let dLogits = try logitGradient(logits)
        var dz = gradientOfHead(state, dLogits: dLogits, into: &gradients.model, workspace: workspace)
        for l in stride(from: c.depth - 1, through: frozenBlocks, by: -1) {
            let isLast = l == frozenBlocks && frozenBlocks > 0
            let step = gradientOfBlock(
                l, state.blocks[l]!, layout: state.layout, dOutput: dz, stop: isLast ? .norm1 : .input, into: &gradients.model,
                workspace: workspace)
            if let dInput = step.dInput { dz = dInput }
            // Its memory serves the next block.
            state.blocks[l] = nil
        }
        if frozenBlocks == 0 {
            gradientOfEmbedding(dz, images: images, layout: state.layout, into: &gradients.model!, workspace: workspace)
        }
        return logits
    }

    /// From z_0 `[B, N, D]` to tokens, positions and the patch embedding; the transpose of `embed`.
    private func gradientOfEmbedding(
        _ dz: Tensor, images: Tensor, layout: TokenLayout, into gradients: inout VisionTransformer, workspace: Workspace
    ) {
        let c = configuration
        let (batch, tokens, d, r) = (dz.shape[0], layout.tokens, c.width, c.prefixTokens)
        let patchCount = tokens - r
        // Every image starts from the same table, so its gradient is the sum over the images.
        var table = workspace.zeros([tokens, d])
        var patches = workspace.tensor([patchCount, patchEmbedding.inputs])
        for b in 0..<batch {
            add(dz[b][0..<tokens], to: &table)
            im2patches(images[b], patch: c.patchSize, into: &patches)
            let window = MatrixWindow(start: (b * layout.tokens + r) * d, rows: patchCount, columns: d, stride: d)
            multiply(dz.matrix(window).transposed, patches.matrix, into: &gradients.patchEmbedding.weight, beta: 1)
        }
        if gradients.patchEmbedding.bias != nil { columnSums(table[r..<tokens], addingTo: &gradients.patchEmbedding.bias!) }
        let positioned = c.positionedPrefixTokens
        if positioned == r {
            add(table, to: &gradients.positionEmbedding)
        } else {
            var positions = workspace.tensor([positioned + patchCount, d])
            positions.replace(from: 0, with: table[0..<positioned])
            positions.replace(from: positioned * d, with: table[r..<tokens])
            add(positions, to: &gradients.positionEmbedding)
        }
        var row = 0
        if gradients.classToken != nil {
            add(table[row], to: &gradients.classToken!)
            row += 1
        }
        if gradients.distillationToken != nil {
            add(table[row], to: &gradients.distillationToken!)
            row += 1
        }
        if gradients.registerTokens != nil { add(table[row..<row + c.registers], to: &gradients.registerTokens!) }
    }
}

extension WeightGradients {
    /// Adds the gradient of the head alone, on features that were computed before.
    ///
    /// - Parameters:
    ///   - features: `[B, pooledWidth]`, what the head reads.
    ///   - logitGradient: as for `weightGradient`.
    public mutating func addHead(
        of model: VisionTransformer, features: Tensor, workspace: Workspace, logitGradient: (Tensor) throws -> Tensor
    ) rethrows {
        precondition(model.head != nil, "a head is trained where there is one")
        var logits = workspace.tensor([features.shape[0], model.configuration.classes])
        model.apply(model.head!, features, into: &logits, threads: 1)
        model.accumulate(&self.model!.head!, dy: try logitGradient(logits), x: features)
    }
}
