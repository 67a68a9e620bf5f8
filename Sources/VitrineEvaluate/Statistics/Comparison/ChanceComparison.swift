/// A score against its chance level: is it better than chance, and how much of the way to the ceiling does it go?
public struct ChanceComparison: Sendable, Equatable {
    /// Mean score, aggregated as declared.
    public let score: Double
    /// Mean chance level over the same images.
    public let chance: Double
    /// Mean ceiling over the same images; absent where none is known.
    public let ceiling: Double?
    /// Patient-cluster BCa interval of the mean of score minus chance.
    public let excessInterval: Interval
    /// One-sided sign-flip test over patients that the score is better than chance.
    public let signFlip: TestResult
    /// (value - chance) / (ceiling - chance): 0 at chance, 1 at the ceiling, negative where worse than chance; nil where the ceiling is
    /// not better than chance.
    public let skill: Double?
    /// Patient-cluster BCa interval of the skill, numerator and denominator resampled together.
    public let skillInterval: Interval?
    /// P(hits >= observed) under chance by the Poisson-binomial distribution over images, where all scores are 0 or 1 and more are better.
    public let poissonBinomial: Double?

    /// Compares scores with their chance levels, all one value per image.
    ///
    /// - Throws: `StatisticsError` when the inputs do not fit together or hold a value that is not finite.
    public init(
        scores: [Double], chance: [Double], ceiling: [Double]?, better: Direction = .higher, clusters: Clusters,
        aggregation: Aggregation = .meanOverImages, resamples: ClusterResamples, level: Double = 0.95
    ) throws {
        try validate(chance, what: "chance levels", count: clusters.index.count)
        if let ceiling { try validate(ceiling, what: "ceilings", count: clusters.index.count) }
        let value = try ClusterRatio.mean(scores, clusters: clusters, aggregation: aggregation)
        let base = try ClusterRatio.mean(chance, clusters: clusters, aggregation: aggregation)
        let top = try ceiling.map { try ClusterRatio.mean($0, clusters: clusters, aggregation: aggregation) }
        (score, self.chance, self.ceiling) = (value.value, base.value, top?.value)
        let excess = try ClusterRatio(
            numerators: zip(value.numerators, base.numerators).map(-), denominators: value.denominators)
        signFlip = try SignFlip.test(
            excess.numerators, alternative: better == .lower ? .less : .greater, draws: resamples.count, seed: resamples.seed)
        if let top, better.isBetter(top.value, than: base.value) {
            let relative = try ClusterRatio(
                numerators: excess.numerators, denominators: zip(top.numerators, base.numerators).map(-))
            skill = relative.value
            let intervals = try resamples.intervals(of: [excess, relative], level: level)
            (excessInterval, skillInterval) = (intervals[0], intervals[1])
        } else {
            (skill, skillInterval) = (nil, nil)
            excessInterval = try resamples.interval(of: excess, level: level)
        }
        let binary = better == .higher && scores.allSatisfy { $0 == 0 || $0 == 1 } && chance.allSatisfy { $0 >= 0 && $0 <= 1 }
        poissonBinomial = binary ? try PoissonBinomial(chance).atLeast(scores.count { $0 == 1 }) : nil
    }
}
