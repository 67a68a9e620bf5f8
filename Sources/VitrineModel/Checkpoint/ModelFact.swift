/// Something about a loaded model that its maps and logits depend on, and how it is known.
public struct ModelFact: Sendable, Equatable {
    public enum Origin: Sendable, Equatable {
        /// Names and shapes of the tensors show it.
        case tensors
        /// Vitrine stored it with the tensors.
        case stored
        /// A configuration in the file or beside it says so.
        case configuration(source: String)
        /// The user said so.
        case given
        /// Nothing in the file shows it; every published model of this layout is like that.
        case convention(reason: String)
        /// Nothing in the file shows it and published models differ; it matters only for images of another size.
        case open(reason: String)
    }

    /// In words, such as `attention heads`.
    public var name: String
    public var value: String
    public var origin: Origin
    /// The setting that gives it.
    public var setting: LoadSetting?

    public init(_ name: String, _ value: String, _ origin: Origin, setting: LoadSetting? = nil) {
        self.name = name
        self.value = value
        self.origin = origin
        self.setting = setting
    }

    /// Taken on trust: to be shown to the user with the setting that changes it.
    public var isAssumed: Bool { if case .convention = origin { true } else { false } }

    /// Where it comes from, in a few words.
    public var source: String {
        switch origin {
        case .tensors: "tensors"
        case .stored: "stored by Vitrine"
        case .configuration(let source): source
        case .given: "given"
        case .convention(let reason): "assumed: \(reason)"
        case .open(let reason): "not known: \(reason)"
        }
    }
}

extension LoadReport {
    /// What was taken on trust.
    public var assumptions: [ModelFact] { facts.filter(\.isAssumed) }
}
