/// A data set of a study.
public struct DatasetRecord: Sendable, Equatable {
    /// Place in the plan, from 0.
    public var id: Int
    /// As the study names it.
    public var name: String
    /// The adapter: `cpchild`, `csv`, `masks`, ...
    public var kind: String
    public var title: String
    public var citation: String
    public var path: String
    /// False for a collection of masks, on which controls alone are scored.
    public var hasImages: Bool
    /// Names by label.
    public var classNames: [String]
    public var positiveLabel: Int?
    public var positiveClass: String?

    package init(
        id: Int, name: String, kind: String, title: String, citation: String, path: String, hasImages: Bool, classNames: [String],
        positiveLabel: Int? = nil, positiveClass: String? = nil
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.title = title
        self.citation = citation
        self.path = path
        self.hasImages = hasImages
        self.classNames = classNames
        self.positiveLabel = positiveLabel
        self.positiveClass = positiveClass
    }
}
