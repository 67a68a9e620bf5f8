/// Everything a report says about two methods, or two initialisations, on the same images.
public struct PairedComparison: Sendable, Equatable {
    /// Mean of first minus second, aggregated as declared.
    public let meanDifference: Double
    /// Patient-cluster BCa interval of the mean difference.
    public let interval: Interval
    /// Sign-flip permutation over patients: the primary test.
    public let signFlip: TestResult
    /// Wilcoxon's test on patient-mean differences (Pratt's zeros): the robustness check.
    public let wilcoxon: TestResult
    /// Matched-pairs rank-biserial correlation of patient-mean differences, positive where the first is higher.
    public let rankBiserial: Double
    /// Cliff's delta between the patient means of both.
    public let cliffDelta: Double
    /// McNemar's exact test over images, where all scores are 0 or 1.
    public let mcNemar: McNemar?
    /// Smallest mean difference that this number of patients finds with 80 % power.
    public let minimumDetectableEffect: Double
    /// Number of patients.
    public let patients: Int

    /// Compares two scores of the same images.
    ///
    /// - Parameters:
    ///   - first: one score per image, higher is better.
    ///   - second: one score per image, in the same order.
    ///   - resamples: shared by all comparisons over these patients; its seed also keys the sign flips.
    /// - Throws: `StatisticsError` when the inputs do not fit together or hold a value that is not finite.
    public init(
        _ first: [Double], _ second: [Double], clusters: Clusters, aggregation: Aggregation = .meanOverImages,
        resamples: ClusterResamples, level: Double = 0.95
    ) throws {
        self = try Self.all([(first, second)], clusters: clusters, aggregation: aggregation, resamples: resamples, level: level)[0]
    }

    /// Several comparisons over the same images, which share one reading of the resamples and signs: as one by one, bit for bit.
    public static func all(
        _ pairs: [(first: [Double], second: [Double])], clusters: Clusters, aggregation: Aggregation = .meanOverImages,
        resamples: ClusterResamples, level: Double = 0.95
    ) throws -> [PairedComparison] {
        let ratios = try pairs.map { first, second in
            try validate(first, what: "first scores", count: clusters.index.count)
            try validate(second, what: "second scores", count: clusters.index.count)
            let difference = try ClusterRatio.mean(zip(first, second).map { $0 - $1 }, clusters: clusters, aggregation: aggregation)
            // A constant difference of 0 or 1 is no proportion.
            return try ClusterRatio(numerators: difference.numerators, denominators: difference.denominators)
        }
        let intervals = try resamples.intervals(of: ratios, level: level)
        let flips = try SignFlip.tests(
            ratios.map(\.numerators), draws: resamples.count, seed: resamples.seed, workers: resamples.workers)
        return try orderedParallel(pairs.count, workers: resamples.workers) { i, _ in
            Result {
                try PairedComparison(
                    pairs[i].first, pairs[i].second, meanDifference: ratios[i].value, interval: intervals[i], signFlip: flips[i],
                    clusters: clusters)
            }
        }.map { try $0.get() }
    }

    /// What needs no draws.
    private init(
        _ first: [Double], _ second: [Double], meanDifference: Double, interval: Interval, signFlip: TestResult, clusters: Clusters
    ) throws {
        let sizes = clusters.sizes.map(Double.init)
        func patientMeans(_ values: [Double]) -> [Double] { zip(clusters.sums(values), sizes).map { $0 / $1 } }
        let patientDifferences = patientMeans(zip(first, second).map { $0 - $1 })
        (self.meanDifference, self.interval, self.signFlip) = (meanDifference, interval, signFlip)
        let ranks = try WilcoxonSignedRank(patientDifferences)
        wilcoxon = ranks.test
        rankBiserial = ranks.rankBiserial
        cliffDelta = VitrineEvaluate.cliffDelta(patientMeans(first), patientMeans(second))
        let binary = (first + second).allSatisfy { $0 == 0 || $0 == 1 }
        mcNemar = binary ? try McNemar(first.map { $0 == 1 }, second.map { $0 == 1 }) : nil
        minimumDetectableEffect = VitrineEvaluate.minimumDetectableEffect(
            standardDeviation: standardDeviation(patientDifferences), count: clusters.count)
        patients = clusters.count
    }
}
