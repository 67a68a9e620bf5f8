import VitrineTensor

extension VisionTransformer {
    /// The same model with positions for all prefix tokens or for none, as timm has it.
    ///
    /// DINOv2 and Hugging Face give positions to the class token but not to the registers; these are added to the class token
    /// here, as timm does when it converts such a model. The outputs are the same.
    public func withTimmPositions() -> VisionTransformer {
        let c = configuration
        guard let positionEmbedding, c.positionedPrefixTokens > 0, c.positionedPrefixTokens < c.prefixTokens else { return self }
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
        let model = withTimmPositions()
        return model.configuration.timmNames(model.namedTensors())
    }

    /// Values in all weights of the model.
    public var parameterCount: Int { configuration.timmNames(namedTensors()).values.reduce(0) { $0 + $1.count } }

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
        if let inputNorm { add("norm_pre", inputNorm) }
        for (l, block) in blocks.enumerated() {
            let name = "blocks.\(l)."
            add(name + "norm1", block.norm1)
            add(name + "attn.qkv", block.qkv)
            if let norm = block.queryNorm { add(name + "attn.q_norm", norm) }
            if let norm = block.keyNorm { add(name + "attn.k_norm", norm) }
            tensors[name + "attn.relative_position_bias_table"] = block.relativePositions
            if let norm = block.contextNorm { add(name + "attn.norm", norm) }
            add(name + "attn.proj", block.projection)
            tensors[name + "ls1.gamma"] = block.scale1
            add(name + "norm2", block.norm2)
            add(name + "mlp.fc1", block.fc1)
            if let norm = block.hiddenNorm { add(name + "mlp.norm", norm) }
            add(name + "mlp.fc2", block.fc2)
            tensors[name + "ls2.gamma"] = block.scale2
        }
        let frequencies = blocks.compactMap(\.rotaryFrequencies)
        if let first = frequencies.first {
            var all = Tensor([2, blocks.count, first.shape[1], first.shape[2]])
            for axis in 0..<2 {
                for (l, block) in frequencies.enumerated() {
                    all.replace(from: (axis * blocks.count + l) * first[0].count, with: block[axis])
                }
            }
            tensors["rope.freqs"] = all
        }
        if let name = c.lastNormName { add(name, norm) }
        if let pool = attentionPool {
            tensors["attn_pool.latent"] = pool.probe
            add("attn_pool.q", pool.query)
            add("attn_pool.kv", pool.keysValues)
            add("attn_pool.proj", pool.projection)
            if let norm = pool.keyNorm { add("attn_pool.norm_k", norm) }
            if let mlp = pool.mlp {
                add("attn_pool.norm", mlp.norm2)
                add("attn_pool.mlp.fc1", mlp.fc1)
                add("attn_pool.mlp.fc2", mlp.fc2)
            }
            if let norm = pool.outputNorm { add("attn_pool.norm_out", norm) }
        }
        add("visual_projection", visualProjection)
        add("head", head)
        add("head_dist", distillationHead)
        for tensor in c.expectedTensors() {
            if let value = tensors[tensor.name] { tensors[tensor.name] = value.reshaped(Shape(tensor.shape)) }
        }
        return tensors
    }
}

extension ViTConfiguration {
    /// timm has these in its class `Eva`, or `Beit` with relative positions, whose names differ from those of its `VisionTransformer`.
    private var isEva: Bool { rotary != nil || !hasKeyBias || hasRelativePositions }

    /// Our names, which are those of timm's `VisionTransformer`, as timm's class for this network has them.
    fileprivate func timmNames(_ ours: [String: Tensor]) -> [String: Tensor] {
        guard isEva else { return ours }
        // timm packs queries, keys and values, or gate and value, except where it builds networks as these.
        let isSeparate = mlp == .swiGLU && hasHiddenNorm
        let hasSeparateGate = isSeparate || mlp == .swiGLU && rotary?.coordinates == .centred
        var tensors: [String: Tensor] = [:]
        for (name, tensor) in ours {
            let stem = name.split(separator: ".").dropLast().joined(separator: ".")
            let parameter = name.split(separator: ".").last.map(String.init) ?? ""
            let rows = tensor.shape[0] / 3
            if name.hasSuffix(".gamma") {
                tensors[stem.replacing(".ls", with: ".gamma_")] = tensor
            } else if stem.hasSuffix(".attn.qkv") {
                let attention = stem.dropLast("qkv".count)
                for (i, part) in ["q", "k", "v"].enumerated() where isSeparate || (parameter == "bias" && !hasKeyBias) {
                    if parameter == "bias" && !hasKeyBias && part == "k" { continue }
                    tensors[attention + part + (isSeparate ? "_proj.\(parameter)" : "_bias")] = tensor[i * rows..<(i + 1) * rows]
                }
                if !isSeparate && (parameter == "weight" || hasKeyBias) { tensors[name] = tensor }
            } else if stem.hasSuffix(".mlp.fc1") && hasSeparateGate {
                tensors["\(stem)_g.\(parameter)"] = tensor[0..<hidden]
                tensors["\(stem)_x.\(parameter)"] = tensor[hidden..<2 * hidden]
            } else {
                tensors[name] = tensor
            }
        }
        return tensors
    }
}
