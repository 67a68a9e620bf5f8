extension ArchitectureHints {
    /// Reads what a configuration says of rotary positions and of the other variants of attention and MLP.
    ///
    /// - Throws: `LoadError.unsupported` for a variant that only the configuration shows and that the network does not have.
    mutating func readVariants(_ root: JSONValue, _ arguments: JSONValue?) throws(LoadError) {
        try readTimmVariants(arguments)
        switch modelType {
        case "dinov3_vit":
            rotary = .dinov3(base: (root["rope_theta"] ?? root["rope_parameters"]?["rope_theta"])?.number ?? 100)
            if root["use_gated_mlp"] == .bool(true) {
                isSwiGLU = ["silu", "swish"].contains(root["hidden_act"]?.text)
                if !isSwiGLU { throw .unsupported(source: source, what: "a gate of \(root["hidden_act"]?.text ?? "?")", known: "silu") }
                (activation, unknownActivation) = (nil, nil)
            }
        case "beit", "data2vec-vision":
            pooling = root["use_mean_pooling"] == .bool(false) ? .classToken : .mean
            if let sides = imageSize, sides[0] != sides[1] {
                throw .unsupported(
                    source: source,
                    what: "an image of \(sides[0])x\(sides[1]) with transformers' relative positions, whose table it misreads there,",
                    known: "square images")
            }
        default: break
        }
    }

    /// timm's classes `Eva` and `Beit`.
    private mutating func readTimmVariants(_ arguments: JSONValue?) throws(LoadError) {
        guard let architecture, let eva = KnownModels.eva(architecture) else { return }
        func refuse(_ what: String) -> LoadError {
            .unsupported(source: source, what: "\(shortened(architecture)) with \(what)", known: "timm's own settings of such models")
        }
        for (name, what) in [
            ("use_post_norm", "its norms behind the branches"), ("gated_attn", "gated attention"),
            ("attn_only_layer_scale", "LayerScale on attention alone"), ("use_naflex", "NaFlexViT"),
        ] where arguments?[name] == .bool(true) {
            throw refuse(what)
        }
        if let kv = arguments?["num_kv_heads"], kv != .null { throw refuse("grouped queries") }
        if let offset = arguments?["rope_grid_offset"]?.number, offset != 0 { throw refuse("a shifted rotary grid") }
        isSwiGLU = arguments?["swiglu_mlp"].map { $0 == .bool(true) } ?? eva.isSwiGLU
        var kind = eva.rotary
        if arguments?["use_rot_pos_emb"] == .bool(false) { kind = .none }
        if kind == .none && arguments?["use_rot_pos_emb"] == .bool(true) { kind = RotaryKind.axial }
        if !kind.isNone {
            if let type = arguments?["rope_type"]?.text {
                guard ["cat", "mixed", "dinov3"].contains(type) else { throw refuse("rotary positions of kind \(shortened(type))") }
                if type == "mixed" { kind = .mixed }
                if type == "dinov3" && kind.coordinates != .centred { kind = .dinov3 }
            }
            if let base = arguments?["rope_temperature"]?.number, kind.base != nil { kind.base = base }
            if let order = arguments?["rope_grid_indexing"]?.text { kind.columnsFirst = order == "xy" }
            if let half = arguments?["rope_rotate_half"] { kind.pairing = half == .bool(true) ? .halves : .neighbours }
            if let grid = Self.size(arguments?["ref_feat_shape"]), kind.coordinates != .centred, kind.base != nil {
                kind.coordinates = .scaled(to: PatchGrid(rows: grid[0], columns: grid[1]))
            }
        }
        rotary = kind
        if isSwiGLU { (activation, unknownActivation) = (nil, nil) }
    }
}
