extension ViTConfiguration {
    /// timm's name of the last LayerNorm; nil where there is none.
    var lastNormName: String? {
        switch normPlacement {
        case .beforePooling: "norm"
        case .afterPooling: "fc_norm"
        case .absent: nil
        }
    }

    /// A tensor of the model under timm's name, in timm's shape.
    struct ExpectedTensor {
        let name: String
        let shape: [Int]
        /// A bias that models of this family may lack.
        var isOptional = false
    }

    /// All tensors of a model of this configuration.
    func expectedTensors() -> [ExpectedTensor] {
        var list: [ExpectedTensor] = []
        func linear(_ name: String, _ outputs: Int, _ inputs: Int) {
            list.append(ExpectedTensor(name: name + ".weight", shape: [outputs, inputs]))
            list.append(ExpectedTensor(name: name + ".bias", shape: [outputs], isOptional: true))
        }
        func norm(_ name: String, _ width: Int) {
            list.append(ExpectedTensor(name: name + ".weight", shape: [width]))
            list.append(ExpectedTensor(name: name + ".bias", shape: [width]))
        }
        if hasClassToken { list.append(ExpectedTensor(name: "cls_token", shape: [1, 1, width])) }
        if hasDistillationToken { list.append(ExpectedTensor(name: "dist_token", shape: [1, 1, width])) }
        if registers > 0 { list.append(ExpectedTensor(name: "reg_token", shape: [1, registers, width])) }
        if hasPositionEmbedding {
            list.append(ExpectedTensor(name: "pos_embed", shape: [1, positionedPrefixTokens + positionGrid.count, width]))
        }
        list.append(ExpectedTensor(name: "patch_embed.proj.weight", shape: [width, channels, patchSize, patchSize]))
        list.append(ExpectedTensor(name: "patch_embed.proj.bias", shape: [width], isOptional: true))
        if rotary?.frequencies == .learned { list.append(ExpectedTensor(name: "rope.freqs", shape: [2, depth, heads, headWidth / 2])) }
        if hasInputNorm { norm("norm_pre", width) }
        for block in 0..<depth {
            let name = "blocks.\(block)."
            norm(name + "norm1", width)
            linear(name + "attn.qkv", 3 * width, width)
            if hasQueryKeyNorm {
                norm(name + "attn.q_norm", headWidth)
                norm(name + "attn.k_norm", headWidth)
            }
            if hasRelativePositions {
                list.append(ExpectedTensor(name: name + "attn.relative_position_bias_table", shape: [relativePositionCount, heads]))
            }
            if hasContextNorm { norm(name + "attn.norm", width) }
            linear(name + "attn.proj", width, width)
            if hasLayerScale { list.append(ExpectedTensor(name: name + "ls1.gamma", shape: [width])) }
            norm(name + "norm2", width)
            linear(name + "mlp.fc1", firstHidden, width)
            if hasHiddenNorm { norm(name + "mlp.norm", hidden) }
            linear(name + "mlp.fc2", width, hidden)
            if hasLayerScale { list.append(ExpectedTensor(name: name + "ls2.gamma", shape: [width])) }
        }
        if let name = lastNormName { norm(name, normPlacement == .afterPooling ? pooledWidth : width) }
        if pooling == .attention {
            list.append(ExpectedTensor(name: "attn_pool.latent", shape: [1, 1, pool.width]))
            linear("attn_pool.q", pool.width, pool.width)
            linear("attn_pool.kv", 2 * pool.width, width)
            linear("attn_pool.proj", pool.width, pool.width)
            if pool.hasKeyNorm { norm("attn_pool.norm_k", width) }
            if pool.hasMLP {
                norm("attn_pool.norm", pool.width)
                linear("attn_pool.mlp.fc1", hidden, pool.width)
                linear("attn_pool.mlp.fc2", pool.width, hidden)
            }
            if pool.hasOutputNorm { norm("attn_pool.norm_out", pool.width) }
        }
        if projectionWidth > 0 { list.append(ExpectedTensor(name: "visual_projection.weight", shape: [projectionWidth, pooledWidth])) }
        if classes > 0 {
            linear("head", classes, featureWidth)
            if pooling == .distilled { linear("head_dist", classes, pooledWidth) }
        }
        return list
    }
}
