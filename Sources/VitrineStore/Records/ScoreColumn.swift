/// The scores of one (model, method, metric), in the order of the samples.
public struct ScoreColumn: Sendable, Equatable {
    public var modelID: Int
    public var methodID: Int
    public var metricID: Int
    /// Increasing.
    public var sampleIDs: [Int] = []
    /// Nil where the metric is undefined.
    public var values: [Double?] = []
    public var chances: [Double?] = []
    public var ceilings: [Double?] = []
    /// `ok`, `empty-mask`, `full-mask`, `constant-map`, `non-finite-map`, `no-mass`.
    public var statuses: [String] = []
    /// Standard errors of the chance levels; 0 where exact.
    public var chanceErrors: [Double] = []
    /// Why there is no value, where there is none.
    public var reasons: [String?] = []

    public init(modelID: Int, methodID: Int, metricID: Int) {
        self.modelID = modelID
        self.methodID = methodID
        self.metricID = metricID
    }

    public var count: Int { sampleIDs.count }
}
