/// One image under one model, finished.
public struct UnitRecord: Sendable, Equatable {
    /// What there was to score against.
    public enum MaskStatus: String, Sendable {
        case scored
        /// The sample is only classified.
        case notScored = "not-scored"
    }

    public var modelID: Int
    public var sampleID: Int
    public var maskStatus: MaskStatus
    /// Share of the network's view that is lesion, 0...1; nil when not scored.
    public var maskArea: Double?
    /// 4-connected lesions in the network's view.
    public var maskComponents: Int?
    /// The network's view in pixels.
    public var height: Int
    public var width: Int
    /// Of everything that the prediction depends on. Nil from stores of earlier versions.
    public var fingerprint: String?
    /// `MaskRecord.digest` of the mask that was scored against.
    public var maskDigest: String?

    package init(
        modelID: Int, sampleID: Int, maskStatus: MaskStatus, maskArea: Double? = nil, maskComponents: Int? = nil, height: Int, width: Int,
        fingerprint: String? = nil, maskDigest: String? = nil
    ) {
        self.modelID = modelID
        self.sampleID = sampleID
        self.maskStatus = maskStatus
        self.maskArea = maskArea
        self.maskComponents = maskComponents
        self.height = height
        self.width = width
        self.fingerprint = fingerprint
        self.maskDigest = maskDigest
    }
}
