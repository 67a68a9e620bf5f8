/// A score against its chance level: is it better than chance, and how much of the way to the ceiling does it go?
public struct ChanceComparison: Sendable, Equatable {
    /// Mean score, aggregated as declared.
    public let score: Double
    /// Mean chance level over the same images.
    public let chance: Double
    /// Mean ceiling over the same images.
    public let ceiling: Double
    /// Patient-cluster BCa interval of the mean of score minus chance.
    public let excessInterval: Interval
    /// One-sided sign-flip test over patients that score minus chance is above 0.
    public let signFlip: TestResult
    /// (value - chance) / (ceiling - chance): 0 at chance, 1 at the ceiling, negative below chance; nil where the ceiling does not
    /// exceed chance.
    public let skill: Double?
    /// Patient-cluster BCa interval of the skill, numerator and denominator resampled together.
    public let skillInterval: Interval?
    /// P(hits >= observed) under chance by the Poisson-binomial distribution over images, where all scores are 0 or 1.
    public let poissonBinomial: Double?

    /// Compares scores with their chance levels, all one value per image.
    ///
    /// - Throws: `StatisticsError` when the inputs do not fit together or hold a value that is not finite.
    public init(
        scores: [Double], chance: [Double], ceiling: [Double], clusters: Clusters, aggregation: Aggregation = .meanOverImages,
        resamples: ClusterResamples, level: Double = 0.95
    ) throws {
        try validate(chance, what: "chance levels", count: clusters.index.count)
        try validate(ceiling, what: "ceilings", count: clusters.index.count)
        let value = try ClusterRatio.mean(scores, clusters: clusters, aggregation: aggregation)
        let base = try ClusterRatio.mean(chance, clusters: clusters, aggregation: aggregation)
        let top = try ClusterRatio.mean(ceiling, clusters: clusters, aggregation: aggregation)
        (score, self.chance, self.ceiling) = (value.value, base.value, top.value)
        let excess = try ClusterRatio(
            numerators: zip(value.numerators, base.numerators).map(-), denominators: value.denominators)
        signFlip = try SignFlip.test(excess.numerators, alternative: .greater, draws: resamples.count, seed: resamples.seed)
        if top.value > base.value {
            let relative = try ClusterRatio(
                numerators: excess.numerators, denominators: zip(top.numerators, base.numerators).map(-))
            skill = relative.value
            let intervals = try resamples.intervals(of: [excess, relative], level: level)
            (excessInterval, skillInterval) = (intervals[0], intervals[1])
        } else {
            (skill, skillInterval) = (nil, nil)
            excessInterval = try resamples.interval(of: excess, level: level)
        }
        let binary = scores.allSatisfy { $0 == 0 || $0 == 1 } && chance.allSatisfy { $0 >= 0 && $0 <= 1 }
        poissonBinomial = binary ? try PoissonBinomial(chance).atLeast(scores.count { $0 == 1 }) : nil
    }
}
