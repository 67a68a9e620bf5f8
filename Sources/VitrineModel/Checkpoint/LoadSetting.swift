import VitrineTensor

/// A fact about a model that its file may not show, by the name under which a user gives it: in a command line, a study file, a recipe.
public enum LoadSetting: String, Sendable, CaseIterable, Codable {
    case heads
    case positionGrid = "position-grid"
    case group
    case prefix

    /// What a value looks like.
    public var values: String {
        switch self {
        case .heads: "NUMBER"
        case .positionGrid: "ROWSxCOLUMNS"
        case .group: "NAME"
        case .prefix: "PREFIX"
        }
    }
}

extension LoadError {
    /// The setting that answers what this error asks; nil where no setting would help.
    public var setting: LoadSetting? {
        switch self {
        case .headsUnknown, .headsDoNotDivide: .heads
        case .positionGridUnknown, .positionGridMismatch: .positionGrid
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
