import VitrineTensor

/// A fact about a model that its file may not show, by the name under which a user gives it: in a command line or a study file.
public enum LoadSetting: String, Sendable, CaseIterable, Codable {
    case heads
    case activation
    case epsilon
    case pooling
    case head
    case adapter
    case probabilities
    case classes
    case positionGrid = "position-grid"
    case positionResampling = "position-resampling"
    case rotary
    case group
    case prefix
    case ignore

    /// What a value looks like.
    public var values: String {
        switch self {
        case .heads: "NUMBER"
        case .activation: "gelu|gelu_tanh|quick_gelu|swiglu"
        case .epsilon: "NUMBER"
        case .pooling: "class|mean|class+mean|distilled|attention|projected|unit"
        case .head: "FILE"
        case .adapter: "FOLDER"
        case .probabilities: "softmax|sigmoid|tanh"
        case .classes: "NAMES"
        case .positionGrid: "ROWSxCOLUMNS"
        case .positionResampling: ViTConfiguration.PositionResampling.allCases.map(\.rawValue).joined(separator: "|")
        case .rotary: RotaryKind.texts
        case .group: "NAME"
        case .prefix: "PREFIX"
        case .ignore: "KEYS"
        }
    }

    /// What it says, for help texts.
    public var summary: String {
        switch self {
        case .heads: "Number of attention heads."
        case .activation: "What the MLP does between its two maps; swiglu for a gated one whose gate comes first."
        case .epsilon: "Epsilon of the LayerNorms."
        case .pooling: "What the head reads; projected or unit: a CLIP tower's projection, as it is or scaled to length 1."
        case .head: "A head in a file of its own: a linear probe (weight, bias) or the vectors of texts (.npy, safetensors)."
        case .adapter: "A LoRA adapter as PEFT writes it (adapter_config.json, adapter_model.*), merged into the weights."
        case .probabilities:
            "Whether the logits exclude each other (softmax), each stands for itself (sigmoid), or a Tanh stands before either (tanh)."
        case .classes: "Names of the classes in the order of the logits, separated by commas."
        case .positionGrid: "Rows x columns of the stored position embedding."
        case .positionResampling: "How positions are brought to an image of another size."
        case .rotary: "How positions turn queries and keys: as in DINOv3, in EVA-02 (with its reference grid), in RoPE-ViT, or not at all."
        case .group: "Dictionary of a training checkpoint to load, such as student."
        case .prefix: "Prefix of the model's tensor names, such as module.backbone."
        case .ignore: "Tensors to leave out, separated by commas; a trailing * covers everything."
        }
    }
}

extension LoadOptions {
    private static let poolings: [(name: String, value: ViTConfiguration.Pooling)] = [
        ("class", .classToken), ("token", .classToken), ("mean", .mean), ("avg", .mean), ("class+mean", .classAndMean),
        ("distilled", .distilled), ("attention", .attention), ("map", .attention),
    ]
    static let activations: [(name: String, value: Activation)] = [
        ("gelu", .gelu), ("gelu_python", .gelu), ("gelu_tanh", .geluTanh), ("gelu_new", .geluTanh), ("gelu_fast", .geluTanh),
        ("gelu_pytorch_tanh", .geluTanh), ("gelu_accurate", .geluTanh), ("quick_gelu", .quickGelu), ("quickgelu", .quickGelu),
    ]

    /// Gives a fact as text.
    ///
    /// - Throws: `LoadError.badSetting` for a text that is none of `setting.values`.
    public mutating func set(_ setting: LoadSetting, to text: String) throws(LoadError) {
        func needed<T>(_ value: T?) throws(LoadError) -> T {
            guard let value else { throw .badSetting(setting, text: text) }
            return value
        }
        switch setting {
        case .heads: heads = try needed(Int(text).flatMap { $0 > 0 ? $0 : nil })
        case .activation:
            isSwiGLU = text == "swiglu"
            if !isSwiGLU { activation = try needed(Self.activations.first { $0.name == text }?.value) }
        case .epsilon: normEpsilon = try needed(Float(text).flatMap { $0 > 0 && $0 < 1 ? $0 : nil })
        case .head: headPath = try needed(text.isEmpty ? nil : text)
        case .adapter: adapterPath = try needed(text.isEmpty ? nil : text)
        case .pooling:
            features = Features(rawValue: text)
            if features != nil { return }
            pooling = try needed(Self.poolings.first { $0.name == text }?.value ?? ViTConfiguration.Pooling(rawValue: text))
        case .probabilities: probabilities = try needed(ViTConfiguration.Probabilities(rawValue: text))
        case .classes:
            let names = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingPrefix(while: \.isWhitespace) }
            classNames = names.map(String.init)
            guard Set(names).count == names.count, !names.contains("") else { throw .badSetting(setting, text: text) }
        case .positionGrid: positionGrid = try needed(PatchGrid(text))
        case .positionResampling: positionResampling = try needed(ViTConfiguration.PositionResampling(rawValue: text))
        case .rotary: rotary = try needed(RotaryKind(text))
        case .group: group = text
        case .prefix: prefix = text
        case .ignore: ignoredKeys += text.split(separator: ",").map(String.init)
        }
    }
}

extension PatchGrid {
    /// Reads `ROWSxCOLUMNS`.
    public init?(_ text: String) {
        let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard sides.count == 2, let rows = sides[0], let columns = sides[1], (1...1 << 16).contains(rows), (1...1 << 16).contains(columns)
        else { return nil }
        self.init(rows: rows, columns: columns)
    }
}

extension LoadError {
    /// The setting that answers what this error asks; nil where no setting would help.
    public var setting: LoadSetting? {
        switch self {
        case .headsUnknown, .headsDoNotDivide: .heads
        case .positionGridUnknown, .positionGridMismatch: .positionGrid
        case .undecided(_, let setting, _): setting
        case .badSetting(let setting, _): setting
        case .keys(_, let missing, let unused, let mismatched) where missing.isEmpty && !unused.isEmpty && mismatched.isEmpty: .ignore
        default: nil
        }
    }
}

extension CheckpointError {
    /// The setting that answers what this error asks; nil where no setting would help.
    public var setting: LoadSetting? {
        switch self {
        case .noStateDict, .noSuchKey: .group
        case .noSuchPrefix, .severalModels: .prefix
        default: nil
        }
    }
}
