/// Why tensors do not make a vision transformer; each says what to do.
public enum LoadError: Error, Equatable, CustomStringConvertible {
    /// A tensor whose shape is not the one that the rest of the checkpoint calls for.
    public struct ShapeMismatch: Sendable, Equatable {
        public let key: String
        public let expected: [Int]
        public let found: [Int]
    }

    case unknownNames(path: String, keys: [String])
    case headsUnknown(path: String, width: Int)
    case headsDoNotDivide(path: String, width: Int, heads: Int)
    case positionGridUnknown(path: String, positions: Int, prefixTokens: Int)
    case positionGridMismatch(path: String, positions: Int, grid: PatchGrid)
    /// A fact that no tensor and no configuration shows, and in which published models differ.
    case undecided(path: String, setting: LoadSetting, reason: String)
    case badSetting(LoadSetting, text: String)
    /// An architecture that is known and not supported.
    case architecture(path: String, name: String)
    case contradiction(source: String, what: String, configured: Int, stored: Int)
    case unsupported(source: String, what: String, known: String)
    case malformedConfiguration(source: String, reason: String)
    /// A head in a file of its own that does not fit.
    case head(path: String, reason: String)
    /// An adapter that is not understood or adapts another model.
    case adapter(path: String, reason: String)
    /// All that is wrong with the keys, together.
    case keys(path: String, missing: [String], unused: [String], mismatched: [ShapeMismatch])

    public var description: String {
        switch self {
        case .unknownNames(let path, let keys):
            "\(path): the names of its \(keys.count) tensors (\(enumerated(keys, limit: 3))) are of no known vision transformer; "
                + "known are timm, DINO, DINOv2, DINOv3, MAE, DeiT, EVA, BEiT, CLIP, MONAI, Hugging Face ViT/ViTMAE/DeiT/Dinov2/DINOv3 and torchvision vit"
        case .headsUnknown(let path, let width):
            "\(path): tensors of width \(width) do not show the number of attention heads"
                + (KnownModels.candidates(width: width).map { " (\($0))" } ?? "") + "; give it"
        case .headsDoNotDivide(let path, let width, let heads):
            "\(path): \(heads) attention heads do not divide the width \(width); give another number"
        case .positionGridUnknown(let path, let positions, let prefixTokens):
            "\(path): a position embedding of \(positions) rows (up to \(prefixTokens) of them for prefix tokens) makes no square grid, or more than one; "
                + "give its rows and columns"
        case .positionGridMismatch(let path, let positions, let grid):
            "\(path): a position embedding of \(positions) rows has no room for the grid \(grid) of \(grid.count) patches; give another grid"
        case .undecided(let path, _, let reason): "\(path): \(reason)"
        case .badSetting(let setting, let text): "\(setting.rawValue) '\(shortened(text))' is none of \(setting.values)"
        case .architecture(let path, let name):
            "\(path): is \(name), which is not supported (supported: timm and torchvision ViT, DeiT, DINO, DINOv2, DINOv3, MAE, I-JEPA, "
                + "EVA, EVA-02, EVA-X, RoPE-ViT, BEiT, data2vec, CLIP, MONAI, Hugging Face ViT/ViTMAE/DeiT/Dinov2/DINOv3)"
        case .contradiction(let source, let what, let configured, let stored):
            "\(source): says \(what) \(configured), but the tensors have \(stored); remove the configuration if it belongs to another file"
        case .unsupported(let source, let what, let known):
            "\(source): \(what) is not supported (known: \(known)); convert the model to one of these"
        case .malformedConfiguration(let source, let reason):
            "\(source): \(reason); repair or remove the configuration"
        case .head(let path, let reason), .adapter(let path, let reason): "\(path): \(reason)"
        case .keys(let path, let missing, let unused, let mismatched):
            "\(path): "
                + [
                    missing.isEmpty ? nil : "missing \(enumerated(missing))",
                    unused.isEmpty ? nil : "not understood \(enumerated(unused))",
                    mismatched.isEmpty
                        ? nil
                        : enumerated(
                            mismatched.map { "\(shortened($0.key)) has shape \($0.found), expected \($0.expected)" }, shortens: false),
                ].compactMap { $0 }.joined(separator: "; ") + "; load a complete checkpoint of a supported architecture"
        }
    }
}

/// A name from a file, fit to be printed: at most 80 characters, without control characters.
func shortened(_ name: String) -> String {
    let printable = String(
        String.UnicodeScalarView(name.unicodeScalars.prefix(81).map { $0.properties.generalCategory == .control ? "?" : $0 }))
    return printable.unicodeScalars.count > 80 ? String(printable.unicodeScalars.prefix(77)) + "..." : printable
}

/// At most `limit` names, and how many more there are.
func enumerated(_ names: [String], limit: Int = 5, shortens: Bool = true) -> String {
    let shown = names.prefix(limit).map { shortens ? shortened($0) : $0 }.joined(separator: ", ")
    return names.count > limit ? shown + " and \(names.count - limit) more" : shown
}
