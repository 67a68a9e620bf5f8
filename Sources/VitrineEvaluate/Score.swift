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
}

/// How the chance level of a score was found.
public enum ChanceSource: String, Sendable, Codable {
    /// The exact expectation over all permutations of the map's sites (pixels, or the cells of a nearest-neighbour map).
    case exact
    /// The mean over seeded permutations of the native values, each displayed by the map's own rule.
    case permutation
}

/// One metric of one map on one mask.
public struct Score: Sendable, Equatable {
    /// The metric; absent where it is undefined.
    public var value: Double?
    /// Expected value of a map with the same values in random places.
    public var chance: Double?
    /// The most that the metric's definition allows for this mask and this many selected or tied pixels.
    public var ceiling: Double?
    public var status: ScoreStatus
    public var chanceSource: ChanceSource?
    /// Standard error of `chance`; 0 where it is exact.
    public var chanceStandardError: Double

    public init(
        value: Double?, chance: Double?, ceiling: Double?, status: ScoreStatus, chanceSource: ChanceSource? = nil,
        chanceStandardError: Double = 0
    ) {
        self.value = value
        self.chance = chance
        self.ceiling = ceiling
        self.status = status
        self.chanceSource = chanceSource
        self.chanceStandardError = chanceStandardError
    }

    /// `(value - chance) / (ceiling - chance)`: 0 at chance, 1 at the ceiling; absent where they coincide
    /// (to 1e-12: sums of a few thousand terms round).
    public var skill: Double? {
        guard let value, let chance, let ceiling, ceiling - chance > 1e-12 else { return nil }
        return (value - chance) / (ceiling - chance)
    }
}
