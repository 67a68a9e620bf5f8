import VitrineTensor

/// A forward pass with the values that later passes need.
struct ForwardState {
    /// nil where tokens entered.
    let images: Tensor?
    let grid: PatchGrid
    let firstBlock: Int
    /// What entered the first block `[B, N, D]`: z_0 for images.
    var entered: Tensor
    /// The norm whose output that is; nil where the embedded tokens enter as they are.
    var inputNorm: NormState?
    /// By block; nil below the first block that a later pass enters.
    var blocks: [BlockState?]
    var readout: ReadoutState
    var count: Int { entered.shape[0] }
}

extension VisionTransformer {
    /// Logits of a batch.
    ///
    /// - Parameter images: `[B, channels, height, width]`, normalised; both sides multiples of the patch size.
    /// - Returns: `[B, classes]`, or `[B, featureWidth]` features for a backbone.
    public func callAsFunction(_ images: Tensor, workspace: Workspace) throws -> Tensor {
        let trace = try trace(images, targets: [], request: .logits, workspace: workspace)
        return trace.logits ?? trace.pooled
    }

    /// `trace` of images `[B, channels, height, width]`.
    public func trace(_ images: Tensor, targets: [TargetChoice], request: TraceRequest, workspace: Workspace) throws(ViTError) -> Trace {
        try trace(.images(images), targets: targets, request: request, workspace: workspace)
    }

    /// One forward pass and, as far as the request needs them, passes downwards.
    ///
    /// Images of a batch do not see each other: a batch gives what single images give, bit for bit.
    ///
    /// - Parameter targets: one per image; may be empty when the request needs none.
    /// - Throws: `ViTError` for a wrong shape, place or target, or a class asked of a backbone.
    /// - Complexity: forward 2 products per weight and token; gradient the same again; relevance three times that. A relevance of double
    ///   precision reads a second forward pass, in Float64, which all such relevances share.
    public func trace(
        _ input: NetworkInput, targets: [TargetChoice], request: TraceRequest, workspace: Workspace
    ) throws(ViTError) -> Trace {
        let c = configuration
        try request.check(c)
        if request.needsTarget && head == nil { throw .noHead(request: "a gradient or a relevance") }
        if head != nil { for case .fixed(let target) in targets { try target.check(classes: c.classes) } }
        let (layout, grid) = try layout(of: input, request: request)
        let pass = Pass(model: self, layout: layout, workspace: workspace)
        var state = pass.forward(input, grid: grid, request: request, firstKept: request.firstKeptBlock(depth: c.depth))
        var trace = Trace(grid: grid, prefixTokens: c.prefixTokens, pooled: state.readout.features.output, logits: state.readout.logits)
        for site in request.forward { trace.forward[site] = pass.value(at: site, state) }
        guard request.needsTarget else { return trace }
        guard targets.count == state.count else { throw .targetCount(images: state.count, targets: targets.count) }
        trace.targets = targets.indices.map { b in targets[b].resolved(logits: trace.logits(of: b), c.probabilities) }
        pass.backward(request.backward(.single), &state, into: &trace)
        let precise = request.backward(.double)
        guard !precise.isEmpty else { return trace }
        state = pass.preciseForward(input, grid: grid, firstKept: request.firstKeptBlock(depth: c.depth, .double))
        pass.backward(precise, &state, into: &trace)
        return trace
    }

    /// Checks what enters, and says how many tokens it has.
    func layout(of input: NetworkInput, request: TraceRequest) throws(ViTError) -> (TokenLayout, PatchGrid) {
        switch input {
        case .images(let images):
            let grid = try checkedGrid(of: images)
            return (TokenLayout(configuration: configuration, grid: grid, request: request), grid)
        case .normed(let tokens, let norm1, let grid, let block):
            guard norm1.shape == tokens.shape else { throw .imageShape(expected: tokens.shape.description, found: norm1.shape.description) }
            guard (0..<configuration.depth).contains(block) else { throw .blockOutOfRange(block: block, depth: configuration.depth) }
            let (layout, grid) = try layout(of: .tokens(tokens, grid: grid, block: block), request: request)
            // What lies below the values put in belongs to other values.
            let lowest = request.backward.values.compactMap(\.lowest).filter { $0.position < Site.norm1(block).position }
            if let site = lowest.first { throw .siteNotServed(site: "\(site)", pass: "values put in the place of a norm") }
            return (layout, grid)
        case .masked(let tokens, let grid, let visible):
            let (_, grid) = try layout(of: .tokens(tokens, grid: grid), request: request)
            precondition(visible.count == tokens.shape[0], "a list of visible patches per image")
            guard prefixedOrVisible(visible) else {
                throw .imageShape(expected: "a visible patch, since there is no prefix token", found: "none")
            }
            // Relevance divides by products of queries and keys, which hidden keys do not have.
            let isRelevance = request.backward.keys.contains { if case .relevance = $0 { true } else { false } }
            if isRelevance { throw .siteNotServed(site: "relevance", pass: "a pass with hidden patches") }
            return (TokenLayout(configuration: configuration, grid: grid, visible: visible, request: request), grid)
        case .tokens(let tokens, let grid, let kept, let block):
            let layout = TokenLayout(configuration: configuration, grid: grid, kept: kept, request: request)
            guard tokens.shape.rank == 3, tokens.shape[0] > 0, tokens.shape[1] == layout.tokens, tokens.shape[2] == configuration.width,
                kept.map({ $0.count == tokens.shape[0] && $0.allSatisfy { $0.count == layout.patches } }) ?? true
            else {
                throw .imageShape(expected: "[B, \(layout.tokens), \(configuration.width)]", found: tokens.shape.description)
            }
            guard (0...configuration.depth).contains(block) else { throw .blockOutOfRange(block: block, depth: configuration.depth) }
            let lowest = request.backward.values.compactMap(\.lowest).min { $0.position < $1.position }
            let below = request.forward.union(lowest.map { [$0] } ?? []).filter { $0.position < 10 * block }
            if let site = below.lowest { throw .siteNotServed(site: "\(site)", pass: "tokens that enter block \(block)") }
            return (layout, grid)
        }
    }
}

extension VisionTransformer {
    /// A softmax over no key at all has no value.
    private func prefixedOrVisible(_ visible: [[Int]]) -> Bool {
        configuration.prefixTokens > 0 || visible.allSatisfy { !$0.isEmpty }
    }
}

extension Pass {
    /// The forward pass.
    ///
    /// - Parameters:
    ///   - request: what will be read; its blocks keep their inner values.
    ///   - firstKept: so do all blocks from here on.
    func forward(_ input: NetworkInput, grid: PatchGrid, request: TraceRequest, firstKept: Int) -> ForwardState {
        let c = configuration
        var z: Tensor
        var images: Tensor?
        var firstBlock = 0
        var norm1: Tensor?
        var inputNorm: NormState?
        switch input {
        case .images(let all):
            images = all
            z = embed(all, grid: grid)
            inputNorm = model.inputNorm.map { normed($0, z) }
            if let inputNorm { z = inputNorm.output }
        case .tokens(let tokens, _, _, let block):
            firstBlock = block
            z = block == c.depth ? firstRows(tokens, layout.lastRows) : tokens
        case .normed(let tokens, let values, _, let block):
            firstBlock = block
            z = tokens
            norm1 = values
        case .masked(let tokens, _, _): z = tokens
        }
        let entered = z
        let read = Set(request.forward.map(\.stateBlock))
        var blocks = [BlockState?](repeating: nil, count: c.depth)
        for l in firstBlock..<c.depth {
            let state = block(l, z, norm1: l == firstBlock ? norm1 : nil)
            z = state.output
            if l >= firstKept || read.contains(l) { blocks[l] = state }
        }
        return ForwardState(
            images: images, grid: grid, firstBlock: firstBlock, entered: entered, inputNorm: inputNorm, blocks: blocks, readout: readout(z))
    }

    /// The passes downwards; the last of them uses up the state.
    fileprivate func backward(_ passes: [Backward: Set<Site>], _ state: inout ForwardState, into trace: inout Trace) {
        for (i, (backward, sites)) in passes.enumerated() {
            let keepsBlocks = i + 1 < passes.count
            trace.backward[backward] =
                switch backward {
                case .gradient(let rule, let reading):
                    gradient(&state, targets: trace.targets, rule: rule, reading: reading, wanted: sites, keepsBlocks: keepsBlocks)
                case .relevance(let rule):
                    relevance(&state, targets: trace.targets, rule: rule, wanted: sites, keepsBlocks: keepsBlocks)
                }
        }
    }

    /// A value that the forward pass kept.
    func value(at site: Site, _ state: ForwardState) -> Tensor {
        switch site {
        case .pixels: state.images!
        case .tokens(let l): l == state.firstBlock ? state.entered : state.blocks[l - 1]!.output
        case .norm1(let l): state.blocks[l]!.attention.norm.output
        case .qkv(let l): state.blocks[l]!.attention.qkv
        case .scores(configuration.depth): overTokens(poolScores(state.readout.attentionPool!))
        case .scores(let l): scores(l, state.blocks[l]!.attention)
        case .attention(configuration.depth): overTokens(state.readout.attentionPool!.attention)
        case .attention(let l): state.blocks[l]!.attention.attention
        case .context(let l): state.blocks[l]!.attention.context
        case .middle(let l): state.blocks[l]!.middle
        }
    }
}
