/// How often each pixel of the network's view is lesion, over all masks of a data set.
public struct MaskPriorRecord: Sendable, Equatable {
    public var datasetID: Int
    /// How many masks were counted.
    public var masks: Int
    public var height: Int
    public var width: Int
    /// `height * width` counts, row-major.
    public var counts: [Int32]
    /// What the masks went through. Nil from stores of earlier versions.
    public var preprocess: String?

    package init(
        datasetID: Int, masks: Int, height: Int, width: Int, counts: [Int32], preprocess: String? = nil
    ) {
        self.datasetID = datasetID
        self.masks = masks
        self.height = height
        self.width = width
        self.counts = counts
        self.preprocess = preprocess
    }
}
