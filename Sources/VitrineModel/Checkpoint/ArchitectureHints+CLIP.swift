extension ArchitectureHints {
    /// Reads what a configuration of a model of images and texts says of its vision tower.
    ///
    /// - Throws: `LoadError.unsupported` for a tower that the network does not have.
    mutating func readTower(_ root: JSONValue) throws(LoadError) {
        if ["clip", "clip_vision_model"].contains(modelType) { readHuggingFaceCLIP(root) }
        if ["siglip", "siglip_vision_model"].contains(modelType) { readHuggingFaceSigLIP(root) }
        if let tower = root["model_cfg"]?["vision_cfg"] { try readOpenCLIP(root["model_cfg"] ?? .null, tower) }
    }

    /// Whatever the file leaves out has the class's own value there: that is how `transformers` reads it.
    private mutating func readHuggingFaceCLIP(_ root: JSONValue) {
        if activation == nil && unknownActivation == nil { activation = .quickGelu }
        normEpsilon = normEpsilon ?? 1e-5
        heads = heads ?? 12
        if !claims.contains(where: { $0.name == "width" }) { claims.append(("width", 768)) }
        if classes.contains(where: { $0.hasSuffix("ForImageClassification") }) {
            (pooling, readsUnnormed) = (.mean, true)
        } else if !classes.isEmpty {
            pooling = .classToken
        }
    }

    /// Likewise. Classifiers read the mean of the patches, whatever stands beside it.
    private mutating func readHuggingFaceSigLIP(_ root: JSONValue) {
        if activation == nil && unknownActivation == nil { activation = .geluTanh }
        normEpsilon = normEpsilon ?? 1e-6
        heads = heads ?? 12
        if !claims.contains(where: { $0.name == "width" }) { claims.append(("width", 768)) }
        let hasPool = (root["vision_config"]?["vision_use_head"] ?? root["vision_use_head"]) != .bool(false)
        if classes.contains(where: { $0.hasSuffix("ForImageClassification") }) {
            pooling = .mean
        } else if hasPool {
            pooling = .attention
        }
    }

    /// `open_clip_config.json`; what it leaves out is as in open_clip's `CLIPVisionCfg`.
    private mutating func readOpenCLIP(_ model: JSONValue, _ tower: JSONValue) throws(LoadError) {
        func refuse(_ what: String) -> LoadError {
            .unsupported(source: source, what: "a CLIP tower with \(what)", known: "OpenAI's and LAION's towers, timm's towers")
        }
        if let name = tower["timm_model_name"]?.text {
            if let projection = tower["timm_proj"]?.text, !["linear", "none", ""].contains(projection) {
                throw refuse("a projection of kind \(shortened(projection))")
            }
            architecture = name
            try readTimm(name, nil)
            return
        }
        guard let width = tower["width"]?.integer ?? 768 as Int?, width > 0 else { return }
        claims.append(("width", width))
        if let layers = tower["layers"]?.integer { claims.append(("depth", layers)) }
        if let patch = tower["patch_size"]?.integer { claims.append(("patchSize", patch)) }
        let headWidth = tower["head_width"]?.integer ?? 64
        if headWidth > 0 && width % headWidth == 0 { heads = width / headWidth }
        activation = model["quick_gelu"] == .bool(true) ? .quickGelu : .gelu
        normEpsilon = tower["norm_kwargs"]?["eps"]?.number.map { Float($0) } ?? 1e-5
        if let gelu = tower["act_kwargs"]?["approximate"]?.text, gelu == "tanh" { activation = .geluTanh }
        imageSize = Self.size(tower["image_size"])
        pooling = .classToken
        switch tower["attentional_pool"] {
        case nil, .null?, .bool(false)?: break
        case .bool(true)?:
            pooling = .attention
            poolHeads = tower["attn_pooler_heads"]?.integer ?? 8
        case .some(let kind): throw refuse("attentional pooling of kind '\(shortened(kind.text ?? "?"))'")
        }
        for (name, what) in [
            ("input_patchnorm", "a norm on patches"),
            ("final_ln_after_pool", "its norm behind the pool"),
        ] where tower[name] == .bool(true) {
            throw refuse(what)
        }
        if let kind = tower["pool_type"]?.text, kind != "tok" { throw refuse("pooling '\(shortened(kind))'") }
        if let kind = tower["pos_embed_type"]?.text, kind != "learnable" { throw refuse("positions of kind '\(shortened(kind))'") }
    }
}
