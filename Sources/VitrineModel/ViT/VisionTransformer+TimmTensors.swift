import VitrineTensor

extension VisionTransformer {
    /// The same model with positions for all prefix tokens or for none, as timm has it.
    ///
    /// DINOv2 and Hugging Face give positions to the class token but not to the registers; these are added to the class token
    /// here, as timm does when it converts such a model. The outputs are the same.
    public func withTimmPositions() -> VisionTransformer {
        let c = configuration
        guard c.positionedPrefixTokens > 0, c.positionedPrefixTokens < c.prefixTokens else { return self }
        var model = self
        model.configuration.positionedPrefixTokens = 0
        model.positionEmbedding = positionEmbedding[c.positionedPrefixTokens..<positionEmbedding.shape[0]]
        var row = 0
        func moved(_ token: Tensor?) -> Tensor? {
            guard let token, row < c.positionedPrefixTokens else { return token }
            defer { row += 1 }
            return Tensor(token.shape, zip(token.values, positionEmbedding[row].values).map { $0 + $1 })
        }
        model.classToken = moved(classToken)
        model.distillationToken = moved(distillationToken)
        return model
    }

    /// The weights under timm's names and in timm's shapes, positions as in `withTimmPositions()`.
    ///
    /// Stored with the JSON of `withTimmPositions().configuration` under `configurationKey`, they load again as they are.
    public func timmTensors() -> [String: Tensor] {
        withTimmPositions().namedTensors()
    }

    /// Values in all weights of the model.
    public var parameterCount: Int { namedTensors().values.reduce(0) { $0 + $1.count } }

    private func namedTensors() -> [String: Tensor] {
        let c = configuration
        var tensors: [String: Tensor] = [:]
        func add(_ name: String, _ linear: Linear?) {
            tensors[name + ".weight"] = linear?.weight
            tensors[name + ".bias"] = linear?.bias
        }
        func add(_ name: String, _ norm: LayerNorm) {
            tensors[name + ".weight"] = norm.weight
            tensors[name + ".bias"] = norm.bias
        }
        tensors["cls_token"] = classToken
        tensors["dist_token"] = distillationToken
        tensors["reg_token"] = registerTokens
        tensors["pos_embed"] = positionEmbedding
        add("patch_embed.proj", patchEmbedding)
        for (l, block) in blocks.enumerated() {
            let name = "blocks.\(l)."
            add(name + "norm1", block.norm1)
            add(name + "attn.qkv", block.qkv)
            add(name + "attn.proj", block.projection)
            tensors[name + "ls1.gamma"] = block.scale1
            add(name + "norm2", block.norm2)
            add(name + "mlp.fc1", block.fc1)
            add(name + "mlp.fc2", block.fc2)
            tensors[name + "ls2.gamma"] = block.scale2
        }
        add(c.normPlacement == .afterPooling ? "fc_norm" : "norm", norm)
        add("head", head)
        add("head_dist", distillationHead)
        for tensor in c.expectedTensors() {
            if let value = tensors[tensor.name] { tensors[tensor.name] = value.reshaped(Shape(tensor.shape)) }
        }
        return tensors
    }
}
