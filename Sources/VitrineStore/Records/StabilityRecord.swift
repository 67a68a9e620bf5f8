/// How much a map moves under invisible noise; correlations with the undisturbed map over the draws.
public struct StabilityRecord: Sendable, Equatable {
    public var modelID: Int
    public var methodID: Int
    public var sampleID: Int
    public var draws: Int
    public var pearsonMean: Double?
    public var pearsonMinimum: Double?
    public var spearmanMean: Double?
    public var spearmanMinimum: Double?

    package init(
        modelID: Int, methodID: Int, sampleID: Int, draws: Int, pearsonMean: Double? = nil, pearsonMinimum: Double? = nil,
        spearmanMean: Double? = nil, spearmanMinimum: Double? = nil
    ) {
        self.modelID = modelID
        self.methodID = methodID
        self.sampleID = sampleID
        self.draws = draws
        self.pearsonMean = pearsonMean
        self.pearsonMinimum = pearsonMinimum
        self.spearmanMean = spearmanMean
        self.spearmanMinimum = spearmanMinimum
    }
}
