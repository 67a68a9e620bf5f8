/// An image file as it was read.
public struct ImageRecord: Sendable, Equatable {
    public var sampleID: Int
    /// Hexadecimal; of the file.
    public var sha256: String
    /// Pixels, as stored.
    public var storedWidth: Int
    public var storedHeight: Int
    /// What was assumed about the file, or may be wrong with it: one sentence each.
    public var notes: [String]

    package init(
        sampleID: Int, sha256: String, storedWidth: Int, storedHeight: Int, notes: [String] = []
    ) {
        self.sampleID = sampleID
        self.sha256 = sha256
        self.storedWidth = storedWidth
        self.storedHeight = storedHeight
        self.notes = notes
    }
}
