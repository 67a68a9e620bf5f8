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
        let top = blocks.count + 1
        try visit("cls_token", 0, &classToken)
        try visit("dist_token", 0, &distillationToken)
        try visit("reg_token", 0, &registerTokens)
        try visit("pos_embed", 0, &positionEmbedding)
        try visit("patch_embed.proj", 0, &patchEmbedding)
        for l in blocks.indices {
            let name = "blocks.\(l)."
            try visit(name + "norm1", l + 1, &blocks[l].norm1)
            try visit(name + "attn.qkv", l + 1, &blocks[l].qkv)
            try visit(name + "attn.proj", l + 1, &blocks[l].projection)
            try visit(name + "ls1.gamma", l + 1, &blocks[l].scale1)
            try visit(name + "norm2", l + 1, &blocks[l].norm2)
            try visit(name + "mlp.fc1", l + 1, &blocks[l].fc1)
            try visit(name + "mlp.fc2", l + 1, &blocks[l].fc2)
            try visit(name + "ls2.gamma", l + 1, &blocks[l].scale2)
        }
        try visit(configuration.normPlacement == .afterPooling ? "fc_norm" : "norm", top, &norm)
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
    public func withPositionGrid(_ grid: PatchGrid) -> VisionTransformer {
        let c = configuration
        guard grid != c.positionGrid else { return self }
        let prefix = c.positionedPrefixTokens
        let resampled = resamplePositionEmbedding(
            positionEmbedding[prefix..<positionEmbedding.shape[0]], from: c.positionGrid, to: grid, mode: c.positionResampling)
        var model = self
        model.configuration.positionGrid = grid
        model.positionEmbedding = Tensor([prefix + grid.count, c.width])
        model.positionEmbedding.replace(from: 0, with: positionEmbedding[0..<prefix])
        model.positionEmbedding.replace(from: prefix * c.width, with: resampled)
        return model
    }
}
