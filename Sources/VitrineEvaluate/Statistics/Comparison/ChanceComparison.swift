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
        let sample = Sample(scores: scores, chance: chance, ceiling: ceiling)
        self = try Self.all([sample], better: better, clusters: clusters, aggregation: aggregation, resamples: resamples, level: level)[0]
    }

    /// Scores with their chance levels and, where known, ceilings: one value per image each.
    public struct Sample: Sendable {
        public var scores: [Double]
        public var chance: [Double]
        public var ceiling: [Double]?

        public init(scores: [Double], chance: [Double], ceiling: [Double]?) {
            (self.scores, self.chance, self.ceiling) = (scores, chance, ceiling)
        }
    }

    /// Several comparisons over the same images, which share one reading of the resamples and signs: as one by one, bit for bit.
    public static func all(
        _ samples: [Sample], better: Direction = .higher, clusters: Clusters, aggregation: Aggregation = .meanOverImages,
        resamples: ClusterResamples, level: Double = 0.95
    ) throws -> [ChanceComparison] {
        let parts = try samples.map { try Parts($0, better, clusters, aggregation) }
        let intervals = try resamples.intervals(of: parts.map(\.excess) + parts.compactMap(\.relative), level: level)
        let flips = try SignFlip.tests(
            parts.map(\.excess.numerators), alternative: better == .lower ? .less : .greater, draws: resamples.count, seed: resamples.seed,
            workers: resamples.workers)
        let tails = try orderedParallel(samples.count, workers: resamples.workers) { i, _ in
            Result { try poissonBinomial(samples[i], better) }
        }.map { try $0.get() }
        var skills = intervals[parts.count...].makeIterator()
        return parts.indices.map { i in
            ChanceComparison(
                score: parts[i].value, chance: parts[i].base, ceiling: parts[i].top, excessInterval: intervals[i], signFlip: flips[i],
                skill: parts[i].relative?.value, skillInterval: parts[i].relative.flatMap { _ in skills.next() }, poissonBinomial: tails[i])
        }
    }

    private init(
        score: Double, chance: Double, ceiling: Double?, excessInterval: Interval, signFlip: TestResult, skill: Double?,
        skillInterval: Interval?, poissonBinomial: Double?
    ) {
        (self.score, self.chance, self.ceiling) = (score, chance, ceiling)
        (self.excessInterval, self.signFlip, self.poissonBinomial) = (excessInterval, signFlip, poissonBinomial)
        (self.skill, self.skillInterval) = (skill, skillInterval)
    }

    /// The ratios of one sample.
    private struct Parts {
        let value: Double
        let base: Double
        let top: Double?
        /// Score minus chance.
        let excess: ClusterRatio
        /// The skill; nil where the ceiling is unknown or not better than chance.
        let relative: ClusterRatio?

        init(_ sample: Sample, _ better: Direction, _ clusters: Clusters, _ aggregation: Aggregation) throws {
            try validate(sample.chance, what: "chance levels", count: clusters.index.count)
            if let ceiling = sample.ceiling { try validate(ceiling, what: "ceilings", count: clusters.index.count) }
            func mean(_ values: [Double]) throws -> ClusterRatio {
                try ClusterRatio.mean(values, clusters: clusters, aggregation: aggregation)
            }
            let (value, base, top) = (try mean(sample.scores), try mean(sample.chance), try sample.ceiling.map(mean))
            (self.value, self.base, self.top) = (value.value, base.value, top?.value)
            let excess = try ClusterRatio(
                numerators: zip(value.numerators, base.numerators).map(-), denominators: value.denominators)
            self.excess = excess
            guard let top, better.isBetter(top.value, than: base.value) else {
                relative = nil
                return
            }
            relative = try ClusterRatio(numerators: excess.numerators, denominators: zip(top.numerators, base.numerators).map(-))
        }
    }

    private static func poissonBinomial(_ sample: Sample, _ better: Direction) throws -> Double? {
        let isBinary =
            better == .higher && sample.scores.allSatisfy { $0 == 0 || $0 == 1 } && sample.chance.allSatisfy { $0 >= 0 && $0 <= 1 }
        return isBinary ? try PoissonBinomial(sample.chance).atLeast(sample.scores.count { $0 == 1 }) : nil
    }
}
