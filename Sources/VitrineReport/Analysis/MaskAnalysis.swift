import VitrineStore

/// The state of the expert masks of one data set.
public struct MaskAnalysis: Sendable, Equatable {
    public var count: Int
    /// Names of the images whose mask marks nothing, or everything.
    public var empty: [String] = []
    public var full: [String] = []
    /// Masks that are one filled axis-aligned rectangle.
    public var rectangles = 0
    /// Masks with more than two grey levels.
    public var haloed = 0
    public var severalLesions = 0
    /// Shares of the stored image.
    public var minimumArea = 0.0
    public var medianArea = 0.0
    public var meanArea = 0.0
    public var maximumArea = 0.0

    init(_ masks: [MaskRecord], names: [Int: String]) {
        count = masks.count
        guard !masks.isEmpty else { return }
        empty = masks.filter(\.isEmpty).map { names[$0.sampleID] ?? "" }
        full = masks.filter(\.isFull).map { names[$0.sampleID] ?? "" }
        rectangles = masks.count(where: \.isRectangle)
        haloed = masks.count { $0.greyLevels > 2 }
        severalLesions = masks.count { $0.components > 1 }
        let areas = masks.map(\.area).sorted()
        (minimumArea, maximumArea) = (areas[0], areas[areas.count - 1])
        medianArea = (areas[areas.count / 2] + areas[(areas.count - 1) / 2]) / 2
        meanArea = areas.reduce(0, +) / Double(areas.count)
    }
}
