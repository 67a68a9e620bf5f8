/// An expert's mask as stored, before preprocessing.
public struct MaskRecord: Sendable, Equatable {
    public var sampleID: Int
    /// Of the mask file; nil where the annotation is no mask file.
    public var sha256: String?
    /// Pixels.
    public var storedWidth: Int
    public var storedHeight: Int
    /// Share of the image, 0...1.
    public var area: Double
    /// 4-connected regions.
    public var components: Int
    /// One filled axis-aligned rectangle.
    public var isRectangle: Bool
    /// Distinct grey values; more than two are halos.
    public var greyLevels: Int
    public var isEmpty: Bool
    public var isFull: Bool
    /// SHA-256 of the mask as it was decoded: its size and its pixels, whatever it came from. Nil from stores of earlier versions.
    public var digest: String?
    /// What may be wrong with the file: one sentence each.
    public var notes: [String]

    package init(
        sampleID: Int, sha256: String? = nil, storedWidth: Int, storedHeight: Int, area: Double, components: Int, isRectangle: Bool,
        greyLevels: Int, isEmpty: Bool, isFull: Bool, digest: String? = nil, notes: [String] = []
    ) {
        self.sampleID = sampleID
        self.sha256 = sha256
        self.storedWidth = storedWidth
        self.storedHeight = storedHeight
        self.area = area
        self.components = components
        self.isRectangle = isRectangle
        self.greyLevels = greyLevels
        self.isEmpty = isEmpty
        self.isFull = isFull
        self.digest = digest
        self.notes = notes
    }
}
