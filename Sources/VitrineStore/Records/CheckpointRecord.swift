/// A checkpoint as it was loaded.
public struct CheckpointRecord: Sendable, Equatable {
    public var modelID: Int
    /// Hexadecimal; of the file.
    public var sha256: String
    public var family: String
    /// Number of weights.
    public var parameters: Int
    /// 0 for a backbone.
    public var classes: Int
    /// `ViTConfiguration` as JSON with sorted keys.
    public var architecture: String
    /// What images go through before this model: `resize:224:imagenet:bilinear`.
    public var preprocess: String
    /// What was taken from a convention rather than from the file.
    public var notes: [String]
    /// How the study file says to load it and to prepare images for it. Nil from stores of earlier versions.
    public var settings: String?

    package init(
        modelID: Int, sha256: String, family: String, parameters: Int, classes: Int, architecture: String, preprocess: String,
        notes: [String], settings: String? = nil
    ) {
        self.modelID = modelID
        self.sha256 = sha256
        self.family = family
        self.parameters = parameters
        self.classes = classes
        self.architecture = architecture
        self.preprocess = preprocess
        self.notes = notes
        self.settings = settings
    }
}
