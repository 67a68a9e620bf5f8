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

    /// - Parameter image: the mask as stored; grey levels of a coloured one are those of its luma.
    public init(name: String, image: Image, rule: MaskRule = .positive) {
        let grey = image.converted(toChannels: 1)
        let mask = Mask(image, rule: rule)
        var isPresent = [Bool](repeating: false, count: 256)
        for value in grey.pixels { isPresent[Int(value)] = true }
        self.name = name
        width = image.width
        height = image.height
        area = mask.area
        components = mask.components(.four).count
        isRectangle = mask.isFilledRectangle
        greyLevels = isPresent.count { $0 }
        isEmpty = mask.isEmpty
        isFull = mask.count == image.width * image.height
    }
}
