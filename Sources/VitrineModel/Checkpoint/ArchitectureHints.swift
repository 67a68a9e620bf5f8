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
    var modelType: String?
    /// A timm architecture is named, so timm's rules hold.
    var isTimm = false
    var heads: Int?
    var activation: Activation?
    /// Name of an activation that we do not know; an error only if the MLP uses it.
    var unknownActivation: String?
    var normEpsilon: Float?
    var pooling: ViTConfiguration.Pooling?
    /// Height and width.
    var imageSize: [Int]?
    /// Pretraining input, used only where a position embedding is not square.
    var weakImageSize: [Int]?
    /// Sizes that the tensors show too, and must confirm.
    var claims: [(name: String, value: Int)] = []

    /// - Throws: `LoadError` for text that is no JSON object, or that asks for what this family of models does not do.
    init(json: [UInt8], source: String) throws(LoadError) {
        self.source = source
        let root: JSONValue
        do { root = try JSONDecoder().decode(JSONValue.self, from: Data(json)) } catch {
            throw .malformedConfiguration(source: source, reason: "is not JSON")
        }
        guard case .object = root else { throw .malformedConfiguration(source: source, reason: "is not a JSON object") }
        let arguments = root["model_args"]
        func first(_ names: String...) -> JSONValue? {
            for name in names {
                if let value = arguments?[name] ?? root[name], value != .null { return value }
            }
            return nil
        }
        modelType = root["model_type"]?.text
        isTimm = root["architecture"]?.text != nil
        heads = first("num_attention_heads", "num_heads", "heads")?.integer
        normEpsilon = first("layer_norm_eps", "norm_eps")?.number.map { Float($0) }
        if let name = first("hidden_act", "act_layer")?.text {
            switch name {
            case "gelu", "gelu_python": activation = .gelu
            case "gelu_tanh", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_accurate": activation = .geluTanh
            case "quick_gelu", "quickgelu": activation = .quickGelu
            default: unknownActivation = name
            }
        }
        if let name = first("global_pool")?.text {
            switch name {
            case "token": pooling = .classToken
            case "avg": pooling = .mean
            case "": break
            default: throw .unsupported(source: source, what: "global_pool '\(name)'", known: "token, avg")
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
            (["num_channels", "in_chans"], "channels"),
        ] {
            for name in names {
                if let value = first(name)?.integer { claims.append((meaning, value)) }
            }
        }
    }

    /// Height and width from one number or two.
    private static func size(_ value: JSONValue?) -> [Int]? {
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
