import VitrineImage

/// What a mask looks like before anything is scored against it.
public struct MaskAudit: Sendable, Equatable, Codable {
    /// The mask's file or sample name.
    public let name: String
    public let width: Int
    public let height: Int
    /// Share of the image that the rule takes for lesion, 0...1.
    public let area: Double
    /// Number of 4-connected regions.
    public let components: Int
    /// The lesion is one filled axis-aligned rectangle: a box, not an outline.
    public let isRectangle: Bool
    /// Number of distinct grey values; more than two are halos of resampling or compression.
    public let greyLevels: Int
    public let isEmpty: Bool
    public let isFull: Bool

    /// - Parameters:
    ///   - mask: the lesion, as every command reads it.
    ///   - greyLevels: how many values its file stores; nil for a mask that is no file, whose levels are its own.
    public init(name: String, mask: Mask, greyLevels: Int? = nil) {
        self.name = name
        width = mask.width
        height = mask.height
        area = mask.area
        components = mask.componentCount
        isRectangle = mask.isFilledRectangle
        isEmpty = mask.isEmpty
        isFull = mask.count == mask.width * mask.height
        self.greyLevels = greyLevels ?? (isEmpty || isFull ? 1 : 2)
    }
}
