import VitrineTensor

extension Pass {
    /// Backward from a reading to the places asked for; stops at the lowest.
    ///
    /// - Parameter keepsBlocks: whether somebody reads the blocks' inner values afterwards; else their memory serves the next block.
    func gradient(
        _ state: inout ForwardState, targets: [Target], rule: GradientRule, reading: Reading, wanted: Set<Site>, keepsBlocks: Bool
    ) -> PassValues {
        let depth = configuration.depth
        let top = reading.block(depth: depth)
        var read = state.readout
        if case .block(let block, let pooling) = reading { read = readout(state.blocks[block]!.output, pooling: pooling) }
        let logits = read.logits!
        let rows = targets.indices.flatMap { b in targets[b].gradient(logits: logits[b].values) }
        var none: VisionTransformer?
        var noBlock: ViTBlock?
        var (dz, pool) = gradientOfReadout(read, dLogits: Tensor(logits.shape, rows), rule: rule, into: &none)
        var result = PassValues(logits: logits)
        if let pool {
            if wanted.contains(.attention(depth)) { result.values[.attention(depth)] = overTokens(pool.attention) }
            if wanted.contains(.scores(depth)) { result.values[.scores(depth)] = overTokens(pool.scores) }
        }
        if wanted.contains(.tokens(top + 1)) { result.values[.tokens(top + 1)] = dz }
        guard let stop = wanted.lowest else { return result }
        for l in stride(from: top, through: max(stop.block, state.firstBlock), by: -1) {
            let step = gradientOfBlock(l, state.blocks[l]!, dOutput: dz, rule: rule, wanted: wanted, stop: stop, into: &noBlock)
            result.values.merge(step.values) { $1 }
            if !keepsBlocks { state.blocks[l] = nil }
            guard let input = step.input else { break }
            dz = input
        }
        if stop == .pixels { result.values[.pixels] = gradientOfPixels(dz, state, rule: rule) }
        return result
    }
}
