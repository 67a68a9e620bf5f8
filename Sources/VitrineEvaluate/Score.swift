/// The two sets of choices every metric knows; each result row says which one it belongs to.
public enum EvaluationProtocol: String, Sendable, Codable, CaseIterable {
    /// The reference study's choices to the last pixel, with its defects.
    case study
    /// Unbiased choices: expected ties, raw regions of exactly k pixels, undefined where there is nothing to find.
    case corrected
}

/// What a reader must know about a score before using it.
public enum ScoreStatus: String, Sendable, Codable, CaseIterable {
    case ok
    /// The mask has no lesion: undefined (`corrected`), 0 (`study`, as the reference).
    case emptyMask = "empty-mask"
    /// The mask covers the image: every map scores the same, or (AUROC) the metric is undefined.
    case fullMask = "full-mask"
    /// The map has a single value: it says nothing about place, and its ties score as chance.
    case constantMap = "constant-map"
    /// The map holds NaN or infinity: undefined.
    case nonFiniteMap = "non-finite-map"
    /// A mass metric met a map whose (positive) mass is zero: scored as chance.
    case noMass = "no-mass"
    /// The metric has no value here; `Score.reason` says why.
    case undefined
}

/// How the chance level of a score was found.
public enum ChanceSource: String, Sendable, Codable {
    /// The exact expectation over all permutations of the map's sites (pixels, or the cells of a nearest-neighbour map).
    case exact
    /// The mean over seeded permutations of the native values, each displayed by the map's own rule.
    case permutation
    /// The mean of the same measurement of random maps under the same model.
    case controls
}

/// One metric of one map.
public struct Score: Sendable, Equatable {
    /// The metric; absent where it is undefined.
    public var value: Double?
    /// Expected value of a map with the same values in random places.
    public var chance: Double?
    /// The best that can be had: for localisation the most that the metric's definition allows for this mask and this many selected or
    /// tied pixels.
    public var ceiling: Double?
    public var status: ScoreStatus
    public var chanceSource: ChanceSource?
    /// Standard error of `chance`; 0 where it is exact.
    public var chanceStandardError: Double
    /// Why there is no value, or what a reader must know of it; absent where there is nothing to say.
    public var reason: String?
    /// The curve behind the value: `MetricFacts.curve` says what its points are.
    public var curve: [Float]?
    /// The mean of the same curve over random maps, where they are behind the chance level.
    public var chanceCurve: [Float]?

    public init(
        value: Double?, chance: Double?, ceiling: Double?, status: ScoreStatus, chanceSource: ChanceSource? = nil,
        chanceStandardError: Double = 0, reason: String? = nil, curve: [Float]? = nil, chanceCurve: [Float]? = nil
    ) {
        self.value = value
        self.chance = chance
        self.ceiling = ceiling
        self.status = status
        self.chanceSource = chanceSource
        self.chanceStandardError = chanceStandardError
        self.reason = reason
        self.curve = curve
        self.chanceCurve = chanceCurve
    }

    /// A metric without a value.
    public static func undefined(_ reason: Undefined, status: ScoreStatus = .undefined) -> Score {
        Score(value: nil, chance: nil, ceiling: nil, status: status, reason: reason.reason)
    }

    /// `(value - chance) / (ceiling - chance)`: 0 at chance, 1 at the ceiling, whichever way is better; absent where they coincide
    /// (to 1e-12: sums of a few thousand terms round).
    public var skill: Double? {
        guard let value, let chance, let ceiling, abs(ceiling - chance) > 1e-12 else { return nil }
        return (value - chance) / (ceiling - chance)
    }
}
