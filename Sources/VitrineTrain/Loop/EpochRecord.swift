/// One epoch of a run, as logs and reports show it.
public struct EpochRecord: Sendable, Equatable, Codable {
    /// From 1.
    public var epoch: Int
    /// Steps of the optimiser since the beginning of the run.
    public var steps: Int
    /// At the epoch's first step.
    public var learningRate: Double
    /// Mean over the epoch, each image under the weights of its step.
    public var trainingLoss: Double
    public var trainingAccuracy: Double
    /// nil without validation images.
    public var validation: ClassificationMetrics?
    /// Whether the model of this epoch was the best so far and was written.
    public var isBest: Bool
    /// Wall time of the epoch, what a resumed run repeats left out.
    public var seconds: Double
    /// Training images per second, validation left out.
    public var imagesPerSecond: Double
}
