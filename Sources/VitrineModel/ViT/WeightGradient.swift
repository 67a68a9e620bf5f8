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

    /// Lends the gradients of one block to `body`, which adds to them in place.
    fileprivate mutating func withBlock<R>(_ l: Int, _ body: (inout ViTBlock?) -> R) -> R {
        var block: ViTBlock? = model!.blocks[l]
        // The only reference must be the one that is written, or every sum is copied first.
        model!.blocks[l] = ViTBlock.hollow
        defer { model!.blocks[l] = block! }
        return body(&block)
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
        let grid = try checkedGrid(of: images)
        guard grid == c.positionGrid else {
            let expected = "[B, \(c.channels), \(c.positionGrid.rows * c.patchSize), \(c.positionGrid.columns * c.patchSize)]"
            throw ViTError.imageShape(expected: expected, found: images.shape.description)
        }
        let layout = TokenLayout(configuration: c, grid: grid, request: .logits)
        let pass = Pass(model: self, layout: layout, workspace: workspace)
        var state = pass.forward(.images(images), grid: grid, request: .logits, firstKept: frozenBlocks)
        let logits = state.readout.logits!
        let dLogits = try logitGradient(logits)
        var dz = pass.gradientOfReadout(state.readout, dLogits: dLogits, rule: .exact, into: &gradients.model).tokens
        for l in stride(from: c.depth - 1, through: frozenBlocks, by: -1) {
            let isLast = l == frozenBlocks && frozenBlocks > 0
            let step = gradients.withBlock(l) { block in
                pass.gradientOfBlock(
                    l, state.blocks[l]!, dOutput: dz, rule: .exact, wanted: [], stop: isLast ? .norm1(l) : .tokens(l), into: &block)
            }
            if let dInput = step.input { dz = dInput }
            // Its memory serves the next block.
            state.blocks[l] = nil
        }
        if frozenBlocks == 0 { pass.gradientOfEmbedding(dz, state, into: &gradients.model!) }
        return logits
    }
}

extension WeightGradients {
    /// Adds the gradient of the head alone, on features that were computed before.
    ///
    /// - Parameters:
    ///   - features: `[B, featureWidth]`, what the head reads.
    ///   - logitGradient: as for `weightGradient`.
    public mutating func addHead(
        of model: VisionTransformer, features: Tensor, workspace: Workspace, logitGradient: (Tensor) throws -> Tensor
    ) rethrows {
        precondition(model.head != nil, "a head is trained where there is one")
        var logits = workspace.tensor([features.shape[0], model.configuration.classes])
        multiplyRows(features, model.head!.weight.matrix.transposed, bias: model.head!.bias, into: &logits)
        self.model!.head!.accumulate(dy: try logitGradient(logits), x: features)
    }
}
