/// Seconds spent on one image under one model; no part of the content.
public struct TimingRecord: Sendable, Equatable {
    public var modelID: Int
    public var sampleID: Int
    public var prepare: Double
    public var explain: Double
    public var stability: Double
    public var score: Double

    package init(
        modelID: Int, sampleID: Int, prepare: Double, explain: Double, stability: Double, score: Double
    ) {
        self.modelID = modelID
        self.sampleID = sampleID
        self.prepare = prepare
        self.explain = explain
        self.stability = stability
        self.score = score
    }
}
