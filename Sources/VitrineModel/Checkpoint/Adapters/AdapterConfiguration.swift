import VitrineTensor

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What PEFT's `adapter_config.json` says, as far as it changes weights.
///
/// Every setting is understood, known to change no merged weight, or refused by its name: a new kind of adapter is not read as a plain one.
struct AdapterConfiguration: Sendable {
    let path: String
    var rank: Int
    var alpha: Double
    /// The scale is `alpha / sqrt(rank)` instead of `alpha / rank` (rsLoRA, https://arxiv.org/abs/2312.03732).
    var isRankStabilised: Bool
    /// Endings of module names; empty where one expression, or all linear maps, are meant.
    var targets: [String]
    /// Whether the adapter may be one of some blocks only.
    var isOfSomeBlocks: Bool
    /// Modules that are stored whole.
    var savedModules: [String]
    private var ranks: [(pattern: String, value: JSONValue)]
    private var alphas: [(pattern: String, value: JSONValue)]

    /// Settings that change no merged weight.
    private static let harmless: Set<String> = [
        "task_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision", "inference_mode", "lora_dropout",
        "runtime_config", "qalora_group_size", "ensure_weight_tying", "megatron_core", "eva_config",
        // PEFT sets it to false for linear maps, which all of a vision transformer's are.
        "fan_in_fan_out",
        // What they say is in the tensors.
        "bias", "lora_bias",
    ]
    private static let understood: Set<String> = [
        "peft_type", "r", "lora_alpha", "use_rslora", "target_modules", "rank_pattern", "alpha_pattern", "init_lora_weights",
        "layers_to_transform", "layers_pattern", "exclude_modules", "modules_to_save",
    ]
    /// Initialisations that leave the weights below the adapter as they are; others move part of them into the adapter.
    private static let initialisations = ["gaussian", "eva", "orthogonal", "true", "false"]

    init(json: [UInt8], path: String) throws(LoadError) {
        self.path = path
        func fault(_ reason: String) -> LoadError { .adapter(path: path, reason: reason) }
        guard let root = try? JSONDecoder().decode(JSONValue.self, from: Data(json)), case .object(let members) = root else {
            throw fault("is not a JSON object")
        }
        let kind = root["peft_type"]?.text ?? "missing"
        guard kind == "LORA" else { throw fault("peft_type is \(shortened(kind)), and LORA alone is merged") }
        if root["use_dora"] == .bool(true) { throw fault("use_dora is true (DoRA), and plain LoRA alone is merged") }
        for (name, value) in members.sorted(by: { $0.key < $1.key })
        where !Self.harmless.contains(name) && !Self.understood.contains(name) && !value.isEmpty {
            throw fault("'\(shortened(name))' is set (\(shortened(value.words))), which changes weights in a way that is not known here")
        }
        if let start = root["init_lora_weights"], !start.isEmpty {
            guard Self.initialisations.contains(start.words.lowercased()) else {
                throw fault(
                    "init_lora_weights is \(shortened(start.words)), which also changes the weights below the adapter; save it with "
                        + "path_initial_model_for_weight_conversion, or merged")
            }
        }
        guard let rank = root["r"]?.integer, rank > 0, rank <= 1 << 16 else {
            throw fault("r is \(root["r"]?.words ?? "missing"), not a rank")
        }
        guard let alpha = root["lora_alpha"]?.number, alpha.isFinite else {
            throw fault("lora_alpha is \(root["lora_alpha"]?.words ?? "missing"), not a number")
        }
        (self.rank, self.alpha) = (rank, alpha)
        isRankStabilised = root["use_rslora"] == .bool(true)
        targets = []
        if case .array(let names)? = root["target_modules"] { targets = names.compactMap(\.text) }
        savedModules = []
        if case .array(let names)? = root["modules_to_save"] { savedModules = names.compactMap(\.text) }
        // Block 0 alone is a list, or the number 0.
        isOfSomeBlocks =
            (root["layers_to_transform"] ?? .null) != .null || !(root["layers_pattern"] ?? .null).isEmpty
            || !(root["exclude_modules"] ?? .null).isEmpty
        func patterns(_ name: String) -> [(pattern: String, value: JSONValue)] {
            guard case .object(let members)? = root[name] else { return [] }
            return members.sorted { $0.key < $1.key }.map { (pattern: $0.key, value: $0.value) }
        }
        ranks = patterns("rank_pattern")
        alphas = patterns("alpha_pattern")
        for (pattern, value) in ranks {
            guard let own = value.integer, own > 0 else {
                throw fault("rank_pattern '\(shortened(pattern))' is \(value.words), not a rank")
            }
        }
        for (pattern, value) in alphas {
            guard value.number?.isFinite == true else {
                throw fault("alpha_pattern '\(shortened(pattern))' is \(value.words), not a number")
            }
        }
    }

    /// Rank of a module by its full name, and the factor of its product `B A`.
    func scale(of module: String) throws(LoadError) -> (rank: Int, factor: Float) {
        let rank = try first(ranks, "rank_pattern", module)?.integer ?? rank
        let alpha = try first(alphas, "alpha_pattern", module)?.number ?? alpha
        return (rank, Float(isRankStabilised ? alpha / Double(rank).squareRoot() : alpha / Double(rank)))
    }

    /// Patterns are expressions for the end of a name. Where several fit, PEFT takes the first in the file, and JSON's order is lost here.
    private func first(
        _ patterns: [(pattern: String, value: JSONValue)], _ setting: String, _ module: String
    ) throws(LoadError) -> JSONValue? {
        var found: [(pattern: String, value: JSONValue)] = []
        for entry in patterns {
            guard let expression = try? Regex("(?:.*\\.)?(?:\(entry.pattern))") else {
                throw .adapter(path: path, reason: "\(setting) '\(shortened(entry.pattern))' is no expression that is understood")
            }
            if (try? expression.wholeMatch(in: module)) != nil { found.append(entry) }
        }
        if let other = found.dropFirst().first(where: { $0.value != found[0].value }) {
            throw .adapter(
                path: path,
                reason: "\(setting) gives '\(shortened(module))' both \(found[0].value.words) ('\(shortened(found[0].pattern))') and "
                    + "\(other.value.words) ('\(shortened(other.pattern))'); leave one of them")
        }
        return found.first?.value
    }
}

extension JSONValue {
    /// Nothing is said by it: null, false, 0, or no members.
    fileprivate var isEmpty: Bool {
        switch self {
        case .null: true
        case .bool(let value): !value
        case .number(let value): value == 0
        case .text(let value): value.isEmpty
        case .array(let values): values.isEmpty
        case .object(let members): members.isEmpty
        }
    }

    fileprivate var words: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let value): Int(exactly: value).map(String.init) ?? "\(value)"
        case .text(let value): value
        case .array(let values): "a list of \(values.count)"
        case .object(let members): members.keys.sorted().joined(separator: ", ")
        }
    }
}
