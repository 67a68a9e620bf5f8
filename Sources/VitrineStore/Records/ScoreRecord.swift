/// One score, on its way into the store.
public struct ScoreRecord: Sendable, Equatable {
    public var methodID: Int
    public var metricID: Int
    public var value: Double?
    public var chance: Double?
    public var ceiling: Double?
    public var status: String
    /// `exact` or `permutation`; nil without a chance level.
    public var chanceSource: String?
    public var chanceError: Double
    /// Why there is no value, or what a reader must know of it.
    public var reason: String?
    /// The curve behind the value.
    public var curve: [Float]?
    /// The mean of the same curve over random maps.
    public var chanceCurve: [Float]?

    package init(
        methodID: Int, metricID: Int, value: Double? = nil, chance: Double? = nil, ceiling: Double? = nil, status: String,
        chanceSource: String? = nil, chanceError: Double, reason: String? = nil, curve: [Float]? = nil, chanceCurve: [Float]? = nil
    ) {
        self.methodID = methodID
        self.metricID = metricID
        self.value = value
        self.chance = chance
        self.ceiling = ceiling
        self.status = status
        self.chanceSource = chanceSource
        self.chanceError = chanceError
        self.reason = reason
        self.curve = curve
        self.chanceCurve = chanceCurve
    }
}
