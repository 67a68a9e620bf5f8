/// What vision towers of models of images and texts have beside the plain ViT's.
extension ArchitectureInference {
    /// nil for other models.
    var towerFamily: CheckpointFamily? {
        switch keys.map.anchor {
        case KeyMap.huggingFaceCLIP.anchor: .huggingFaceCLIP
        case KeyMap.openCLIP.anchor: has("attn_pool.latent") ? .coca : .clip
        case KeyMap.huggingFaceSigLIP.anchor: .huggingFaceSigLIP
        case KeyMap.timm.anchor:
            has("norm_pre.weight")
                ? .timmCLIP : has("attn_pool.norm_k.weight") ? .conch : has("attn_pool.latent") ? .siglip : nil
        default: nil
        }
    }

    /// Why nobody can say what a CLIP tower's classifier reads; nil where it is known, or where the model is none.
    var openTowerHead: String? {
        guard towerFamily == .huggingFaceCLIP, hints?.pooling == nil else { return nil }
        return "has a classifier on a CLIP tower: Hugging Face's own reads the mean of patches that no last norm has seen "
            + "(CLIPForImageClassification; load it with its config.json), others the class token behind that norm; if it is the latter, say so"
    }

    /// Fills in what a tower's configuration has.
    func addTower(to c: inout ViTConfiguration, family: CheckpointFamily, facts: inout [ModelFact]) throws(LoadError) {
        c.hasInputNorm = has("norm_pre.weight")
        if c.pooling == .attention, let pool = try attentionPooling() {
            c.attentionPooling = pool
            facts.append(
                ModelFact(
                    "heads of the pool", "\(pool.heads)",
                    hints?.poolHeads == nil
                        ? .convention(reason: "as CoCa and CONCH") : .configuration(source: hints?.source ?? path)))
        }
        if c.pooling == .attention && c.mlp == .swiGLU {
            throw .unsupported(source: path, what: "attention pooling behind a gated MLP", known: "attention pooling behind plain MLPs")
        }
        if keys.prefix.hasSuffix("trunk."), let key = keys.tolerated.first(where: { $0.key.contains("head.mlp.") })?.key {
            throw .unsupported(
                source: path, what: "a CLIP tower whose projection is an MLP (\(shortened(key)))", known: "linear projections")
        }
        if let shape = shape("visual_projection.weight"), shape.count == 2 {
            c.projectionWidth = shape[0]
            facts.append(ModelFact("projection", "to \(shape[0]) values", .tensors))
        }
        if family == .clip, hints == nil, head?.isTexts == true, c.pooling != .classToken {
            throw .unsupported(
                source: path, what: "text vectors on the \(c.pooling.words) of a CLIP tower's tokens without its open_clip_config.json",
                known: "the same with it, since the last norm may stand before or behind that mean")
        }
        guard family == .huggingFaceCLIP, options.head == .asStored, has("head.weight") else { return }
        if let given = options.pooling, given != .classToken, hints?.readsUnnormed != true {
            throw .unsupported(
                source: path, what: "a classifier on the \(given.words) of a CLIP tower's tokens without its config.json",
                known: "the same with its config.json, which says whether the last norm stands before it")
        }
        if hints?.readsUnnormed == true && c.pooling == .mean {
            c.normPlacement = .absent
            facts.append(ModelFact("last norm", "not read", .configuration(source: hints?.source ?? path)))
        }
    }
}
