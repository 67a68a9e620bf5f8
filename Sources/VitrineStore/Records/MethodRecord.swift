/// A method with its options.
public struct MethodRecord: Sendable, Equatable {
    public var id: Int
    /// With its options: `chefer-stable:epsilon=0.1`.
    public var name: String
    public var identifier: String
    public var summary: String
    public var citation: String
    public var isControl: Bool
    public var isClassSpecific: Bool

    package init(
        id: Int, name: String, identifier: String, summary: String, citation: String, isControl: Bool, isClassSpecific: Bool
    ) {
        self.id = id
        self.name = name
        self.identifier = identifier
        self.summary = summary
        self.citation = citation
        self.isControl = isControl
        self.isClassSpecific = isClassSpecific
    }
}
