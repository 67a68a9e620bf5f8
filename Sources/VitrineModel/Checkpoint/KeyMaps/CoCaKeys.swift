import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension KeyMap {
    /// The pool of open_clip's `AttentionalPooler` under a prefix: in CoCa's towers, and twice in CONCH's, of which one reads the image.
    static func attentionalPooler(_ prefix: String) -> [(published: String, ours: String)] {
        [
            ("query", "attn_pool.queries"), ("ln_q", "attn_pool.norm_q"), ("ln_k", "attn_pool.norm_k"),
            ("attn.in_proj_weight", "attn_pool.in_proj.weight"), ("attn.in_proj_bias", "attn_pool.in_proj.bias"),
            ("attn.q_proj_weight", "attn_pool.q.weight"), ("attn.k_proj_weight", "attn_pool.k.weight"),
            ("attn.v_proj_weight", "attn_pool.v.weight"), ("attn.out_proj", "attn_pool.proj"),
        ].map { (published: prefix + $0.0, ours: $0.1) }
    }

    /// CONCH's own tower around timm's trunk, `visual`.
    static let conchNames =
        attentionalPooler("attn_pool_contrast.") + [
            ("ln_contrast", "attn_pool.norm_out"), ("proj_contrast", "visual_projection.transposed"),
            // Our own.
            ("attn_pool.norm_k", "attn_pool.norm_k"), ("attn_pool.norm_out", "attn_pool.norm_out"),
        ]

    /// What reads captions, not classes.
    static let captionUnused: [(published: String, reason: String)] = [
        ("attn_pool_caption.*", "the pool of the caption writer"), ("ln_caption.*", "the pool of the caption writer"),
        ("text_decoder.*", "the caption writer"),
    ]
}

extension MappedKeys {
    /// Names of CoCa's and CONCH's pool as other pools have them.
    mutating func renameAttentionalPooler() {
        guard sources["attn_pool.queries"] != nil else { return }
        if let keys = sources["attn_pool.k.weight"], let values = sources["attn_pool.v.weight"] {
            sources["attn_pool.kv.weight"] = keys + values
            sources["attn_pool.k.weight"] = nil
            sources["attn_pool.v.weight"] = nil
        }
        // open_clip's own tower has its last norm behind the pool.
        guard map.style == .openCLIP else { return }
        for parameter in ["weight", "bias"] {
            sources["fc_norm.\(parameter)"] = sources.removeValue(forKey: "norm.\(parameter)")
        }
    }
}

extension VisionTransformer {
    /// CoCa's queries do not see each other, and the first alone is what a class is read from; a norm stands before its map. Both are weights, so that
    /// the normed query is what asks.
    static func normFirstQuery(_ keys: inout MappedKeys, _ tensors: inout NamedTensors) {
        guard let queries = keys.sources["attn_pool.queries"]?.first, let shape = tensors.shapes[queries], shape.count == 2, shape[0] > 0,
            let weight = keys.sources["attn_pool.norm_q.weight"]?.first, let bias = keys.sources["attn_pool.norm_q.bias"]?.first,
            tensors.shapes[weight] == [shape[1]], tensors.shapes[bias] == [shape[1]]
        else { return }
        let piece = "\(queries) (normed)"
        for name in ["attn_pool.queries", "attn_pool.norm_q.weight", "attn_pool.norm_q.bias"] { keys.sources[name] = nil }
        keys.sources["attn_pool.latent"] = [piece]
        for key in [weight, bias] { keys.tolerated.append((key, "a norm on the query, which is a constant")) }
        tensors.shapes[piece] = [1, shape[1]]
        tensors.types[piece] = tensors.types[queries]
        let original = tensors.tensor
        tensors.tensor = { name in
            guard name == piece else { return try original(name) }
            let query = try original(queries)[0].values.map(Double.init)
            let mean = query.reduce(0, +) / Double(query.count)
            let variance = query.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(query.count)
            let (scale, shift) = (try original(weight).values, try original(bias).values)
            // PyTorch's own epsilon, which open_clip keeps here.
            let inverse = 1 / (variance + 1e-5).squareRoot()
            return Tensor(
                [1, query.count], query.indices.map { Float((query[$0] - mean) * inverse * Double(scale[$0]) + Double(shift[$0])) })
        }
    }
}

extension ArchitectureInference {
    /// CoCa's pool, or CONCH's; nil for SigLIP's.
    func attentionPooling() throws(LoadError) -> ViTConfiguration.AttentionPooling? {
        guard has("attn_pool.norm_k.weight"), let width = shape("attn_pool.latent")?.last else { return nil }
        let heads = hints?.poolHeads ?? 8
        guard width > 0, width % heads == 0 else {
            throw .unsupported(source: path, what: "an attentional pool of width \(width) with \(heads) heads", known: "a multiple of them")
        }
        var pool = ViTConfiguration.AttentionPooling(width: width, heads: heads)
        pool.readsPrefix = true
        pool.hasKeyNorm = true
        pool.hasMLP = has("attn_pool.mlp.fc1.weight")
        pool.hasOutputNorm = has("attn_pool.norm_out.weight")
        return pool
    }
}
