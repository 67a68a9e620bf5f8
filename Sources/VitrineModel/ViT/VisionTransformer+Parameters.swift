import VitrineTensor

/// A trainable tensor of a model: its name and where it stands.
public struct ParameterInfo: Sendable, Equatable {
    /// timm's name, such as `blocks.0.attn.qkv.weight`.
    public let name: String
    /// 0 for tokens, positions and patch embedding, l + 1 for block l, depth + 1 for the last norm and the heads.
    public let layer: Int
}

extension VisionTransformer {
    /// Calls `body` for every weight, always in the same order, and lets it write the weight in place.
    public mutating func forEachParameter<E: Error>(_ body: (ParameterInfo, inout Tensor) throws(E) -> Void) throws(E) {
        func visit(_ name: String, _ layer: Int, _ tensor: inout Tensor) throws(E) {
            try body(ParameterInfo(name: name, layer: layer), &tensor)
        }
        func visit(_ name: String, _ layer: Int, _ tensor: inout Tensor?) throws(E) {
            if tensor != nil { try visit(name, layer, &tensor!) }
        }
        func visit(_ name: String, _ layer: Int, _ linear: inout Linear) throws(E) {
            try visit(name + ".weight", layer, &linear.weight)
            try visit(name + ".bias", layer, &linear.bias)
        }
        func visit(_ name: String, _ layer: Int, _ norm: inout LayerNorm) throws(E) {
            try visit(name + ".weight", layer, &norm.weight)
            try visit(name + ".bias", layer, &norm.bias)
        }
        func visit(_ name: String, _ layer: Int, _ norm: inout LayerNorm?) throws(E) {
            if norm != nil { try visit(name, layer, &norm!) }
        }
        let top = blocks.count + 1
        try visit("cls_token", 0, &classToken)
        try visit("dist_token", 0, &distillationToken)
        try visit("reg_token", 0, &registerTokens)
        try visit("pos_embed", 0, &positionEmbedding)
        try visit("patch_embed.proj", 0, &patchEmbedding)
        try visit("norm_pre", 0, &inputNorm)
        for l in blocks.indices {
            let name = "blocks.\(l)."
            try visit(name + "norm1", l + 1, &blocks[l].norm1)
            try visit(name + "attn.qkv", l + 1, &blocks[l].qkv)
            try visit(name + "attn.q_norm", l + 1, &blocks[l].queryNorm)
            try visit(name + "attn.k_norm", l + 1, &blocks[l].keyNorm)
            try visit(name + "attn.rope.freqs", l + 1, &blocks[l].rotaryFrequencies)
            try visit(name + "attn.relative_position_bias_table", l + 1, &blocks[l].relativePositions)
            try visit(name + "attn.norm", l + 1, &blocks[l].contextNorm)
            try visit(name + "attn.proj", l + 1, &blocks[l].projection)
            try visit(name + "ls1.gamma", l + 1, &blocks[l].scale1)
            try visit(name + "norm2", l + 1, &blocks[l].norm2)
            try visit(name + "mlp.fc1", l + 1, &blocks[l].fc1)
            try visit(name + "mlp.norm", l + 1, &blocks[l].hiddenNorm)
            try visit(name + "mlp.fc2", l + 1, &blocks[l].fc2)
            try visit(name + "ls2.gamma", l + 1, &blocks[l].scale2)
        }
        if let name = configuration.lastNormName { try visit(name, top, &norm) }
        if attentionPool != nil {
            try visit("attn_pool.latent", top, &attentionPool!.probe)
            try visit("attn_pool.q", top, &attentionPool!.query)
            try visit("attn_pool.kv", top, &attentionPool!.keysValues)
            try visit("attn_pool.proj", top, &attentionPool!.projection)
            try visit("attn_pool.norm_k", top, &attentionPool!.keyNorm)
            if attentionPool!.mlp != nil {
                try visit("attn_pool.norm", top, &attentionPool!.mlp!.norm2)
                try visit("attn_pool.mlp.fc1", top, &attentionPool!.mlp!.fc1)
                try visit("attn_pool.mlp.fc2", top, &attentionPool!.mlp!.fc2)
            }
            try visit("attn_pool.norm_out", top, &attentionPool!.outputNorm)
        }
        if visualProjection != nil { try visit("visual_projection", top, &visualProjection!) }
        if head != nil { try visit("head", top, &head!) }
        if distillationHead != nil { try visit("head_dist", top, &distillationHead!) }
    }

    /// The weights in the order of `forEachParameter`; no copies.
    public var parameters: [(info: ParameterInfo, tensor: Tensor)] {
        var list: [(info: ParameterInfo, tensor: Tensor)] = []
        var copy = self
        copy.forEachParameter { list.append(($0, $1)) }
        return list
    }

    /// The same model for images of this patch grid: the position embedding is resampled once and for all.
    ///
    /// Relative positions are not resampled: such a model stays as it is, and refuses images of another grid.
    public func withPositionGrid(_ grid: PatchGrid) -> VisionTransformer {
        let c = configuration
        guard grid != c.positionGrid, !c.hasRelativePositions else { return self }
        guard let positionEmbedding else {
            var model = self
            model.configuration.positionGrid = grid
            return model
        }
        let prefix = c.positionedPrefixTokens
        let resampled = resamplePositionEmbedding(
            positionEmbedding[prefix..<positionEmbedding.shape[0]], from: c.positionGrid, to: grid, mode: c.positionResampling)
        var model = self
        model.configuration.positionGrid = grid
        var positions = Tensor([prefix + grid.count, c.width])
        positions.replace(from: 0, with: positionEmbedding[0..<prefix])
        positions.replace(from: prefix * c.width, with: resampled)
        model.positionEmbedding = positions
        return model
    }
}
