/// Something that could not be done; the rest of the study went on.
public struct FailureRecord: Sendable, Equatable {
    /// Where it happened.
    public enum Stage: String, Sendable {
        /// A model did not load, or could not be trained.
        case model
        /// Images were left out of a training because they cannot be read.
        case training
        /// An image did not decode.
        case image
        /// A mask is missing, damaged or of another size.
        case mask
        /// The masks of a data set have no common size, so that there is no mask prior.
        case prior
        /// The network refused the image.
        case explain
    }

    public var datasetID: Int
    public var sampleID: Int?
    public var modelID: Int?
    /// Where one method failed and the others did not.
    public var methodID: Int?
    public var stage: Stage
    /// One line.
    public var message: String

    package init(
        datasetID: Int, sampleID: Int? = nil, modelID: Int? = nil, methodID: Int? = nil, stage: Stage, message: String
    ) {
        self.datasetID = datasetID
        self.sampleID = sampleID
        self.modelID = modelID
        self.methodID = methodID
        self.stage = stage
        self.message = message
    }
}
