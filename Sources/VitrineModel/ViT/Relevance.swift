import VitrineTensor

extension Pass {
    /// Layer-wise relevance propagation by the rules of Chefer et al. 2021 (https://arxiv.org/abs/2012.09838), alpha = 1.
    ///
    /// Starts from 1 at the target class. Sums are taken per image, so a batch is exact. LayerScale and every non-linearity pass
    /// relevance unchanged; a SwiGLU product gives each factor half; a mean pool shares by contribution.
    ///
    /// - Parameter keepsBlocks: whether somebody reads the blocks' inner values afterwards; else their memory serves the next block.
    func relevance(
        _ state: inout ForwardState, targets: [Target], rule: RelevanceRule, wanted: Set<Site>, keepsBlocks: Bool
    ) -> PassValues {
        let depth = configuration.depth
        var result = PassValues(sums: Array(repeating: [], count: state.count))
        var (r, pool) = relevanceOfReadout(state.readout, classes: targets.map(\.classIndex), rule: rule)
        if let pool, wanted.contains(.attention(depth)) { result.values[.attention(depth)] = overTokens(pool) }
        if wanted.contains(.tokens(depth)) { result.values[.tokens(depth)] = r }
        guard let stop = wanted.lowest else { return result }
        for l in stride(from: depth - 1, through: max(stop.block, state.firstBlock), by: -1) {
            let wantsInput = stop.position <= Site.tokens(l).position
            let step = relevanceOfBlock(l, state.blocks[l]!, r, rule: rule, wantsInput: wantsInput)
            if wanted.contains(.attention(l)) { result.values[.attention(l)] = step.attention }
            if !keepsBlocks { state.blocks[l] = nil }
            guard let input = step.input else { break }
            r = input
            if wanted.contains(.tokens(l)) { result.values[.tokens(l)] = r }
            for b in 0..<state.count { result.sums[b].append(VitrineTensor.sum(r[b])) }
        }
        if stop == .pixels {
            let pixels = relevanceOfPixels(
                r, images: state.images!, embedded: state.inputNorm?.input ?? state.entered, grid: state.grid, rule: rule)
            for b in 0..<state.count { result.sums[b].append(VitrineTensor.sum(pixels[b])) }
            result.values[.pixels] = pixels
        }
        return result
    }
}
