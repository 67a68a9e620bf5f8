/// What a model says of an image.
public struct PredictionRecord: Sendable, Equatable {
    public var modelID: Int
    public var sampleID: Int
    /// What was explained, such as `logit 1`; nil when no class-specific method ran.
    public var target: String?
    /// The class of the largest logit, the first of equals.
    public var predicted: Int
    public var logits: [Float]
    public var probabilities: [Float]

    package init(
        modelID: Int, sampleID: Int, target: String? = nil, predicted: Int, logits: [Float], probabilities: [Float]
    ) {
        self.modelID = modelID
        self.sampleID = sampleID
        self.target = target
        self.predicted = predicted
        self.logits = logits
        self.probabilities = probabilities
    }
}
