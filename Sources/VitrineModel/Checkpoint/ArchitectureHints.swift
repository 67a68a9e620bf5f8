import VitrineTensor

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What a configuration beside or inside a checkpoint says about the model, as far as tensors do not show it.
///
/// Understands `config.json` of `transformers` and of timm, and JSON of the same keys in a safetensors file's metadata.
struct ArchitectureHints: Sendable {
    /// Where the hints come from, for messages.
    var source: String
    /// It stands in the checkpoint itself and cannot belong to another.
    var isInFile: Bool
    /// Hugging Face's, such as `dinov2`.
    var modelType: String?
    /// timm's, such as `vit_base_patch16_224`, so that timm's rules hold.
    var architecture: String?
    var heads: Int?
    var activation: Activation?
    /// Name of an activation that we do not know; an error only if the MLP uses it.
    var unknownActivation: String?
    /// The MLP is gated by SiLU of the first half.
    var isSwiGLU = false
    var normEpsilon: Float?
    var pooling: ViTConfiguration.Pooling?
    /// Height and width.
    var imageSize: [Int]?
    /// Pretraining input, used only where a position embedding is not square.
    var weakImageSize: [Int]?
    var probabilities: ViTConfiguration.Probabilities?
    var classNames: [String] = []
    /// Sizes that the tensors show too, and must confirm.
    var claims: [(name: String, value: Int)] = []

    /// How positions turn queries and keys; nil where nothing is said.
    var rotary: RotaryKind?

    /// Of an attentional pool.
    var poolHeads: Int?

    /// The head reads tokens that no last norm has seen (Hugging Face `CLIPForImageClassification`).
    var readsUnnormed = false

    /// Hugging Face's classes that the weights were saved from.
    var classes: [String] = []

    /// Hugging Face saved a model without a classifier, and yet there is one.
    func isBackboneOf(head: Bool) -> Bool { head && !classes.isEmpty && !classes.contains { $0.contains("ForImageClassification") } }

    /// timm wrote it.
    var isTimm: Bool { architecture != nil }

    /// The configuration says of which width its model is; without that it could be anybody's.
    var namesWidth: Bool { isInFile || claims.contains { $0.name == "width" } }

    /// Types of Hugging Face models that share our names and do what we do.
    private static let modelTypes = [
        "vit", "vit_mae", "deit", "dinov2", "dinov2_with_registers", "ijepa", "vit_msn", "flava", "flava_image_model", "timm_wrapper",
        "dinov3_vit", "beit", "data2vec-vision", "clip", "clip_vision_model", "siglip",
        "siglip_vision_model",
    ]

    /// - Throws: `LoadError` for text that is no JSON object, or that asks for what this family of models does not do.
    init(json: [UInt8], source: String, isInFile: Bool = false) throws(LoadError) {
        self.source = source
        self.isInFile = isInFile
        let root: JSONValue
        do { root = try JSONDecoder().decode(JSONValue.self, from: Data(json)) } catch {
            throw .malformedConfiguration(source: source, reason: "is not JSON")
        }
        guard case .object = root else { throw .malformedConfiguration(source: source, reason: "is not a JSON object") }
        let arguments = root["model_args"] ?? root["vision_config"]
        func first(_ names: String...) -> JSONValue? {
            for name in names {
                if let value = arguments?[name] ?? root[name], value != .null { return value }
            }
            return nil
        }
        modelType = root["model_type"]?.text
        if let modelType, modelType.hasPrefix("siglip2") {
            throw .unsupported(
                source: source, what: "SigLIP 2 for images of any aspect (NaFlex)", known: "SigLIP and SigLIP 2 of fixed resolution")
        }
        if let modelType, !Self.modelTypes.contains(modelType) {
            throw .unsupported(source: source, what: "model type '\(shortened(modelType))'", known: Self.modelTypes.joined(separator: ", "))
        }
        architecture = root["architecture"]?.text
        if case .array(let names)? = root["architectures"] { classes = names.compactMap(\.text) }
        heads = first("num_attention_heads", "num_heads", "heads")?.integer
        normEpsilon = first("layer_norm_eps", "norm_eps")?.number.map { Float($0) }
        if let name = first("hidden_act", "act_layer")?.text {
            activation = LoadOptions.activations.first { $0.name == name }?.value
            if activation == nil { unknownActivation = name }
        }
        isSwiGLU = first("use_swiglu_ffn") == .bool(true)
        if let name = first("global_pool")?.text {
            switch name {
            case "token": pooling = .classToken
            case "avg": pooling = .mean
            case "map": pooling = .attention
            case "": break
            default: throw .unsupported(source: source, what: "global_pool '\(shortened(name))'", known: "token, avg, map")
            }
        }
        if case .bool(true)? = first("pool_include_prefix") {
            throw .unsupported(source: source, what: "pool_include_prefix", known: "pooling of patch tokens alone")
        }
        imageSize = ArchitectureHints.size(first("image_size", "img_size"))
        if case .array(let sides)? = root["pretrained_cfg"]?["input_size"], sides.count == 3 {
            weakImageSize = ArchitectureHints.size(.array(Array(sides[1...])))
        }
        for (names, meaning) in [
            (["hidden_size", "embed_dim"], "width"), (["num_hidden_layers", "depth"], "depth"), (["patch_size"], "patchSize"),
            (["num_channels", "in_chans"], "channels"), (["intermediate_size"], "hidden"),
        ] {
            for name in names {
                if let value = first(name)?.integer { claims.append((meaning, value)) }
            }
        }
        if let architecture { try readTimm(architecture, arguments) }
        try readVariants(root, arguments)
        try readTower(root)
        readOutputs(root)
    }

    /// What a timm architecture's name says where `model_args` do not.
    mutating func readTimm(_ name: String, _ arguments: JSONValue?) throws(LoadError) {
        if let what = KnownModels.unsupportedTimm(name) {
            throw .unsupported(source: source, what: "\(shortened(name)) with \(what)", known: "learned positions and pre-norm blocks")
        }
        if activation == nil && unknownActivation == nil {
            activation =
                switch KnownModels.activationOfTimm(name) {
                case .exact: .gelu
                case .tanh: .geluTanh
                case .quick: .quickGelu
                }
        }
        if normEpsilon == nil { normEpsilon = KnownModels.eva(name)?.normEpsilon ?? (name.contains("_clip_") ? 1e-5 : 1e-6) }
        if name.hasPrefix("vit_giant_"), name.contains("dinov2") || name.contains("tips") { isSwiGLU = true }
        guard let size = KnownModels.timm(name) else { return }
        if heads == nil { heads = size.heads }
        for (meaning, argument, value) in [("width", "embed_dim", size.width), ("depth", "depth", size.depth)]
        where arguments?[argument] == nil {
            claims.append((meaning, value))
        }
    }

    /// What the logits are: how many, of what names, and whether they exclude each other.
    private mutating func readOutputs(_ root: JSONValue) {
        switch root["problem_type"]?.text {
        case "multi_label_classification": probabilities = .sigmoid
        case "single_label_classification": probabilities = .softmax
        default: break
        }
        if case .object(let names)? = root["id2label"] {
            let numbered = names.compactMap { key, value in Int(key).flatMap { i in value.text.map { (i, $0) } } }.sorted { $0.0 < $1.0 }
            if numbered.map(\.0) == Array(0..<numbered.count) { classNames = numbered.map(\.1) }
        }
        for holder in [root, root["pretrained_cfg"] ?? .null] {
            if classNames.isEmpty, case .array(let names)? = holder["label_names"] { classNames = names.compactMap(\.text) }
        }
        let count = classNames.isEmpty ? (root["num_labels"] ?? root["num_classes"])?.integer : classNames.count
        if let count, count > 0 { claims.append(("classes", count)) }
    }

    /// Height and width from one number or two.
    static func size(_ value: JSONValue?) -> [Int]? {
        if let side = value?.integer { return [side, side] }
        if case .array(let sides)? = value, sides.count == 2, let height = sides[0].integer, let width = sides[1].integer {
            return [height, width]
        }
        return nil
    }
}

/// Any JSON, for configurations whose keys are not ours.
enum JSONValue: Decodable, Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    subscript(_ key: String) -> JSONValue? {
        if case .object(let members) = self { return members[key] }
        return nil
    }

    var text: String? {
        if case .text(let value) = self { return value }
        return nil
    }

    var number: Double? {
        if case .number(let value) = self { return value }
        return nil
    }

    var integer: Int? { number.flatMap { Int(exactly: $0) } }
}
