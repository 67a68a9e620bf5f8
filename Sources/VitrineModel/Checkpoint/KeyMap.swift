/// Who named the tensors of a checkpoint, as far as the names tell.
public enum CheckpointFamily: String, Sendable, Codable, CaseIterable {
    /// timm's names; a bare DINO, MoCo or DeiT backbone has the same.
    case timm
    case dino = "DINO"
    case mae = "MAE"
    case deitDistilled = "DeiT distilled"
    case dinov2 = "DINOv2"
    case huggingFaceViT = "Hugging Face ViT"
    case huggingFaceMAE = "Hugging Face ViTMAE"
    case huggingFaceDeiT = "Hugging Face DeiT"
    case huggingFaceDinov2 = "Hugging Face Dinov2"
    case huggingFaceDinov2WithRegisters = "Hugging Face Dinov2WithRegisters"
    case torchvision
    /// OpenAI's and open_clip's own names.
    case clip = "CLIP"
    case huggingFaceCLIP = "Hugging Face CLIP"
    /// timm's names: its own files, and towers of open_clip that timm built.
    case timmCLIP = "timm CLIP"
    case huggingFaceSigLIP = "Hugging Face SigLIP"
    /// timm's names for a network with attention pooling: its own files, and towers of open_clip that timm built.
    case siglip = "SigLIP"
    /// open_clip's own names for a tower with CoCa's pool.
    case coca = "CoCa"
    /// timm's trunk under CONCH's own tower.
    case conch = "CONCH"
    /// Meta's own code, or timm's names for it.
    case dinov3 = "DINOv3"
    case huggingFaceDinov3 = "Hugging Face DINOv3"
    /// EVA, EVA-02 and EVA-X.
    case eva = "EVA"
    case ropeViT = "RoPE-ViT"
    /// BEiT, BEiT v2, data2vec and USFM.
    case beit = "BEiT"
    case huggingFaceBeit = "Hugging Face BEiT"
    case monai = "MONAI ViT"

    /// Epsilon of the family's LayerNorms where no configuration lies beside the file.
    var normEpsilon: Float {
        switch self {
        case .huggingFaceViT, .huggingFaceMAE, .huggingFaceDeiT, .huggingFaceBeit: 1e-12
        case .dinov3, .huggingFaceDinov3, .clip, .huggingFaceCLIP, .timmCLIP, .coca, .monai: 1e-5
        default: 1e-6
        }
    }
}

/// The one table from published tensor names to ours, which are timm's with four additions: `attn.q`, `attn.k`, `attn.v` and
/// `mlp.fc1_g`, `mlp.fc1_x`, which are concatenated while loading.
///
/// `#` stands for a block's number. A module's name covers its `weight` and `bias`; a trailing `*` covers everything.
struct KeyMap: Sendable {
    /// Whose manner of naming: several families share one.
    enum Style: String, Sendable {
        case timm
        case huggingFace
        case torchvision
        case openCLIP
        case monai
    }

    let style: Style
    /// The name by which the style and the prefix of all names are recognised.
    let anchor: String
    /// Published name, our name.
    let names: [(published: String, ours: String)]
    /// Names that a complete model may leave unused, and why.
    let unused: [(published: String, reason: String)]
    /// Beside such a model stands another: of names without the prefix only those of heads and projections belong to this one.
    var isTower = false

    static let all = [
        timm, huggingFace, torchvision, dinov3, huggingFaceCLIP, openCLIP, huggingFaceSigLIP, monai, monaiPerceptron,
    ]

    /// timm, and DINO, MAE, DeiT and DINOv2, which grew from it.
    static let timm = KeyMap(
        style: .timm,
        anchor: "patch_embed.proj.weight",
        names: [
            ("cls_token", "cls_token"),
            ("dist_token", "dist_token"),
            ("reg_token", "reg_token"),
            ("register_tokens", "reg_token"),
            ("pos_embed", "pos_embed"),
            ("patch_embed.proj", "patch_embed.proj"),
            ("blocks.#.norm1", "blocks.#.norm1"),
            ("blocks.#.attn.qkv", "blocks.#.attn.qkv"),
            ("blocks.#.attn.proj", "blocks.#.attn.proj"),
            ("blocks.#.ls1.gamma", "blocks.#.ls1.gamma"),
            // DeiT III as its authors published it.
            ("blocks.#.gamma_1", "blocks.#.ls1.gamma"),
            ("blocks.#.norm2", "blocks.#.norm2"),
            ("blocks.#.mlp.fc1", "blocks.#.mlp.fc1"),
            ("blocks.#.mlp.fc1_g", "blocks.#.mlp.fc1_g"),
            ("blocks.#.mlp.fc1_x", "blocks.#.mlp.fc1_x"),
            ("blocks.#.mlp.w12", "blocks.#.mlp.fc1"),
            ("blocks.#.mlp.fc2", "blocks.#.mlp.fc2"),
            ("blocks.#.mlp.w3", "blocks.#.mlp.fc2"),
            ("blocks.#.ls2.gamma", "blocks.#.ls2.gamma"),
            ("blocks.#.gamma_2", "blocks.#.ls2.gamma"),
            ("norm", "norm"),
            ("fc_norm", "fc_norm"),
            ("head", "head"),
            ("linear_head", "head"),
            ("head_dist", "head_dist"),
        ] + evaNames + timmTowerNames + timmPoolNames + conchNames,
        unused: [
            ("mask_token", "stands for hidden patches in masked pre-training"),
            ("decoder_*", "decoder of MAE's pre-training"),
            ("head.mlp.*", "projection head of DINO's pre-training"),
            ("head.last_layer.*", "projection head of DINO's pre-training"),
            ("dino_head.*", "projection head of DINOv2's pre-training"),
            ("ibot_head.*", "projection head of DINOv2's pre-training"),
        ] + evaUnused + openCLIPText + captionUnused)

    /// `transformers`: in files (`encoder.layer.#`) and, since version 5, in memory (`layers.#`, `q_proj`).
    static let huggingFace = KeyMap(
        style: .huggingFace,
        anchor: "embeddings.patch_embeddings.projection.weight",
        names: [
            ("embeddings.cls_token", "cls_token"),
            ("embeddings.distillation_token", "dist_token"),
            ("embeddings.register_tokens", "reg_token"),
            ("embeddings.position_embeddings", "pos_embed"),
            ("embeddings.patch_embeddings.projection", "patch_embed.proj"),
            ("layernorm", "norm"),
            ("classifier", "head"),
            ("cls_classifier", "head"),
            ("distillation_classifier", "head_dist"),
        ]
            + ["encoder.layer.#.", "layers.#."].flatMap { block in
                [
                    ("layernorm_before", "norm1"),
                    ("norm1", "norm1"),
                    ("attention.attention.query", "attn.q"),
                    ("attention.attention.key", "attn.k"),
                    ("attention.attention.value", "attn.v"),
                    ("attention.q_proj", "attn.q"),
                    ("attention.k_proj", "attn.k"),
                    ("attention.v_proj", "attn.v"),
                    ("attention.output.dense", "attn.proj"),
                    ("attention.o_proj", "attn.proj"),
                    ("layer_scale1.lambda1", "ls1.gamma"),
                    ("layernorm_after", "norm2"),
                    ("norm2", "norm2"),
                    ("intermediate.dense", "mlp.fc1"),
                    ("mlp.fc1", "mlp.fc1"),
                    ("mlp.weights_in", "mlp.fc1"),
                    ("mlp.gate_proj", "mlp.fc1_g"),
                    ("mlp.up_proj", "mlp.fc1_x"),
                    ("output.dense", "mlp.fc2"),
                    ("mlp.fc2", "mlp.fc2"),
                    ("mlp.weights_out", "mlp.fc2"),
                    ("mlp.down_proj", "mlp.fc2"),
                    ("layer_scale2.lambda1", "ls2.gamma"),
                ].map { (published: block + $0.0, ours: "blocks.#." + $0.1) }
            } + beitNames,
        unused: [
            ("pooler.dense", "pooler that no classifier reads"),
            ("embeddings.mask_token", "stands for hidden patches in masked pre-training"),
            ("decoder.*", "decoder of masked pre-training"),
        ])

    static let torchvision = KeyMap(
        style: .torchvision,
        anchor: "conv_proj.weight",
        names: [
            ("class_token", "cls_token"),
            ("encoder.pos_embedding", "pos_embed"),
            ("conv_proj", "patch_embed.proj"),
            ("encoder.layers.encoder_layer_#.ln_1", "blocks.#.norm1"),
            ("encoder.layers.encoder_layer_#.self_attention.in_proj_weight", "blocks.#.attn.qkv.weight"),
            ("encoder.layers.encoder_layer_#.self_attention.in_proj_bias", "blocks.#.attn.qkv.bias"),
            ("encoder.layers.encoder_layer_#.self_attention.out_proj", "blocks.#.attn.proj"),
            ("encoder.layers.encoder_layer_#.ln_2", "blocks.#.norm2"),
            ("encoder.layers.encoder_layer_#.mlp.0", "blocks.#.mlp.fc1"),
            ("encoder.layers.encoder_layer_#.mlp.linear_1", "blocks.#.mlp.fc1"),
            ("encoder.layers.encoder_layer_#.mlp.3", "blocks.#.mlp.fc2"),
            ("encoder.layers.encoder_layer_#.mlp.linear_2", "blocks.#.mlp.fc2"),
            ("encoder.ln", "norm"),
            ("heads.head", "head"),
        ],
        unused: [])

    /// Under which of Hugging Face's names a backbone stands beside the library's own classifier.
    static let classifierPrefixes = [
        "vit.", "deit.", "dinov2.", "dinov2_with_registers.", "ijepa.", "beit.", "data2vec_vision.", "vision_model.",
    ]

    /// Whether a module is called as classifiers are, perhaps as a numbered part of a sequence.
    static func isClassifier(_ module: String) -> Bool {
        var parts = module.split(separator: ".")
        if let last = parts.last, Int(last) != nil { parts.removeLast() }
        let names: Set<Substring> = [
            "head", "heads", "fc", "classifier", "classification_head", "cls_head", "class_head", "linear", "linear_head", "logits", "out",
            "output", "probe",
        ]
        return parts.last.map(names.contains) ?? false
    }

    /// Whether a key belongs to a loss or a metric that a training module kept beside its model.
    static func isBookkeeping(_ key: String) -> Bool {
        guard let first = key.split(separator: ".").first?.lowercased(), key.contains(".") else { return false }
        let words = first.split { !$0.isLetter && !$0.isNumber }
        let known: Set<Substring> = [
            "criterion", "criteria", "loss", "losses", "metric", "metrics", "acc", "accuracy", "auroc", "auc", "f1", "precision", "recall",
            "confmat", "confusion", "kappa", "mcc",
        ]
        return words.contains { word in known.contains(word) || word.hasSuffix("loss") || word.hasSuffix("metrics") }
    }

    /// Our name for a published one without prefix, or nil.
    func ours(_ key: String) -> String? {
        let key = style == .timm ? KeyMap.withoutChunk(key) : key
        for (published, ours) in names {
            if let number = KeyMap.match(published, key) { return KeyMap.fill(ours, number) }
            for parameter in [".weight", ".bias"] {
                if key.hasSuffix(parameter), let number = KeyMap.match(published, String(key.dropLast(parameter.count))) {
                    return KeyMap.fill(ours, number) + parameter
                }
            }
        }
        return nil
    }

    /// Why a published name without prefix may stay unused, or nil.
    func reasonUnused(_ key: String) -> String? {
        let key = style == .timm ? KeyMap.withoutChunk(key) : key
        return unused.first { entry in
            if entry.published.contains("#") { return KeyMap.match(entry.published, key) != nil }
            if entry.published.hasSuffix("*") { return key.hasPrefix(entry.published.dropLast()) }
            return key == entry.published || key == entry.published + ".weight" || key == entry.published + ".bias"
        }?.reason
    }

    /// The text that stands for `#` in `pattern` if the key fits: "" for a pattern without one.
    private static func match(_ pattern: String, _ key: String) -> Substring? {
        guard let place = pattern.firstIndex(of: "#") else { return pattern == key ? "" : nil }
        let (head, tail) = (pattern[..<place], pattern[pattern.index(after: place)...])
        guard key.hasPrefix(head), key.hasSuffix(tail), key.utf8.count > head.utf8.count + tail.utf8.count else { return nil }
        let number = key.dropFirst(head.count).dropLast(tail.count)
        // Numbers as Python writes them: other spellings would let two names mean one block.
        let isNumber = number.utf8.allSatisfy { (48...57).contains($0) } && (number == "0" || !number.hasPrefix("0"))
        return isNumber ? number : nil
    }

    private static func fill(_ pattern: String, _ number: Substring) -> String {
        guard let place = pattern.firstIndex(of: "#") else { return pattern }
        return String(pattern[..<place]) + number + pattern[pattern.index(after: place)...]
    }

    /// DINOv2's training stores `blocks.CHUNK.BLOCK.`, with the block's number counted over all chunks.
    private static func withoutChunk(_ key: String) -> String {
        let parts = key.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "blocks", Int(parts[1]) != nil, Int(parts[2]) != nil else { return key }
        return "blocks.\(parts[2]).\(parts[3])"
    }
}

/// The tensors of a checkpoint under our names.
struct MappedKeys: Sendable {
    var map: KeyMap
    /// What stood before all names of the model, such as `module.backbone.`.
    var prefix: String
    /// Our name, and the published keys whose tensors, one above the other, make it.
    var sources: [String: [String]] = [:]
    /// Keys that may stay unused, and why.
    var tolerated: [(key: String, reason: String)] = []
    /// Keys that mean nothing to us.
    var unknown: [String] = []
    /// The head's weight where it stands beside the backbone, not in it: what it reads is the wrapper's secret.
    var headOutside: String?

    /// Maps all keys of one state dict.
    ///
    /// - Parameters:
    ///   - ignored: names that may stay unused, besides the documented ones; a trailing `*` covers everything.
    ///   - outside: names that stood outside the wrapper whose prefix was taken off.
    ///   - shapes: by key; a linear map of the tokens' width under another name than the head's is found by its shape.
    /// - Returns: nil if no known style's patch embedding is among the keys.
    init?(
        _ keys: some Collection<String>, ignored: [String] = [], outside: Set<String> = [], shapes: [String: [Int]] = [:]
    ) {
        var candidates: [(map: KeyMap, prefix: String)] = []
        for map in KeyMap.all {
            for key in keys where key.hasSuffix(map.anchor) {
                let prefix = String(key.dropLast(map.anchor.count))
                if prefix.isEmpty || prefix.hasSuffix(".") { candidates.append((map, prefix)) }
            }
        }
        guard let chosen = candidates.min(by: { ($0.prefix.count, $0.prefix) < ($1.prefix.count, $1.prefix) }) else { return nil }
        map = chosen.map
        prefix = chosen.prefix
        // A head may stand outside the backbone: `module.vit.` also tries `module.` and no prefix.
        var stems = [chosen.prefix]
        while let last = stems.last, !last.isEmpty {
            let parts = last.dropLast().split(separator: ".").dropLast()
            stems.append(parts.isEmpty ? "" : parts.joined(separator: ".") + ".")
        }
        let isOwnWrapper = KeyMap.classifierPrefixes.contains { chosen.prefix == $0 || chosen.prefix.hasSuffix("." + $0) }
        func isInside(_ key: String) -> Bool { key.hasPrefix(chosen.prefix) && !outside.contains(key) }
        for key in keys.sorted() {
            let names = stems.filter { key.hasPrefix($0) }.map { String(key.dropFirst($0.count)) }
            if ignored.contains(where: { $0.hasSuffix("*") ? key.hasPrefix($0.dropLast()) : key == $0 }) {
                tolerated.append((key, "ignored on request"))
            } else if let ours = names.lazy.compactMap(chosen.map.ours).first, sources[ours] == nil,
                isInside(key) || !chosen.map.isTower || MappedKeys.mayStandOutside(ours)
            {
                sources[ours] = [key]
                if ours == "head.weight", !isInside(key), !isOwnWrapper, !key.hasSuffix("linear_head.weight") { headOutside = key }
            } else if let reason = names.lazy.compactMap(chosen.map.reasonUnused).first {
                tolerated.append((key, reason))
            } else if !isInside(key) || chosen.prefix.isEmpty, KeyMap.isBookkeeping(key) {
                tolerated.append((key, "state of a loss or of a metric, no part of the model"))
            } else {
                unknown.append(key)
            }
        }
        findHead(width: shapes[chosen.prefix + chosen.map.anchor]?.first, shapes: shapes, isInside: isInside)
        join(["attn.q", "attn.k", "attn.v"], into: "attn.qkv", mayLack: "attn.k")
        join(["mlp.fc1_g", "mlp.fc1_x"], into: "mlp.fc1")
        renameAttentionalPooler()
        renameLoneUpProjections()
        shareRelativePositions()
    }

    /// PathoDuet's tokens stand in the order pretext, class, patches. To attention the order of tokens is nothing: read as class, register,
    /// patches, with the first two positions exchanged, the outputs are the same.
    var hasTokenBeforeClass: Bool { sources["reg_token"]?.first?.hasSuffix("pretext_token") == true }

    /// Stands among the sources of a tensor for a part that the file lacks because it is 0.
    static let zeros = "\u{0}zeros"

    /// Heads, and what stands between a tower and its head.
    private static func mayStandOutside(_ ours: String) -> Bool {
        ["head", "visual_projection", "logit_scale", "logit_bias"].contains { ours == $0 || ours.hasPrefix($0 + ".") }
    }

    /// Without a gate, Hugging Face's up-projection is the first map itself.
    private mutating func renameLoneUpProjections() {
        guard map.anchor == KeyMap.dinov3.anchor else { return }
        for name in Array(sources.keys) where name.contains(".mlp.fc1_x.") {
            let ours = name.replacing(".mlp.fc1_x.", with: ".mlp.fc1.")
            let gate = name.replacing(".mlp.fc1_x.", with: ".mlp.fc1_g.")
            if sources[ours] == nil && sources[gate] == nil { sources[ours] = sources.removeValue(forKey: name) }
        }
    }

    /// One table of relative positions for all blocks becomes each block's own.
    private mutating func shareRelativePositions() {
        let shared = "relative_position_bias_table"
        guard sources[shared] != nil, !sources.keys.contains(where: { $0.hasSuffix(".attn.\(shared)") }) else { return }
        let keys = sources.removeValue(forKey: shared)
        for name in Array(sources.keys) where name.hasSuffix(".norm1.weight") {
            sources[name.dropLast("norm1.weight".count) + "attn.\(shared)"] = keys
        }
    }

    /// Takes the one linear map of one or two tokens' width that is called like a classifier for the head, where there is no other.
    private mutating func findHead(width: Int?, shapes: [String: [Int]], isInside: (String) -> Bool) {
        guard let width, sources["head.weight"] == nil else { return }
        let weights = unknown.filter { key in
            guard key.hasSuffix(".weight"), let shape = shapes[key], shape.count == 2, shape[1] == width || shape[1] == 2 * width else {
                return false
            }
            return KeyMap.isClassifier(String(key.dropLast(".weight".count)))
        }
        guard weights.count == 1, let weight = weights.first else { return }
        let bias = String(weight.dropLast("weight".count)) + "bias"
        sources["head.weight"] = [weight]
        if unknown.contains(bias) { sources["head.bias"] = [bias] }
        unknown.removeAll { $0 == weight || $0 == bias }
        if !isInside(weight) { headOutside = weight }
    }

    /// Makes one tensor of several, `blocks.3.attn.qkv.weight` of q, k and v, wherever all of them are there.
    ///
    /// - Parameter mayLack: a part whose bias is 0 where a block has the others' but not its own.
    private mutating func join(_ parts: [String], into whole: String, mayLack: String? = nil) {
        for parameter in [".weight", ".bias"] {
            for name in Array(sources.keys) where name.hasSuffix("." + parts[0] + parameter) {
                let block = String(name.dropLast(parts[0].count + parameter.count))
                let keys = parts.compactMap { part in
                    sources[block + part + parameter]?.first ?? (parameter == ".bias" && part == mayLack ? Self.zeros : nil)
                }
                let joined = block + whole + parameter
                guard keys.count == parts.count && sources[joined] == nil else { continue }
                for part in parts { sources[block + part + parameter] = nil }
                sources[joined] = keys
            }
        }
    }
}
