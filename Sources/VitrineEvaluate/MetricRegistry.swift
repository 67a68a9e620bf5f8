/// Every metric; the command line's help, the study file, the report and the tests read this list.
public enum MetricRegistry {
    public static let all: [any Metric.Type] = [
        PointingGame.self, EnergyPointingGame.self, IntersectionOverUnion.self, Dice.self, AveragePrecision.self, AreaUnderROC.self,
        MassAccuracy.self, RankAccuracy.self, ShuffledAreaUnderROC.self, PartialAreaUnderROC.self, BestOverlap.self, OtsuOverlap.self,
        MeanOverlap.self, HalfMassOverlap.self, TopIntersection.self, LesionHits.self, LesionSensitivity.self, MaximumDistance.self,
        Deletion.self, Insertion.self, SymmetricRelevanceGain.self, DeletionRank.self, InsertionRank.self, Comprehensiveness.self,
        Sufficiency.self, MinimalSufficientFraction.self, AverageDrop.self, AverageIncrease.self, RemoveAndDebias.self,
        SalienceGuidedCoefficient.self, SensitivityN.self, FaithfulnessCorrelation.self, Monotonicity.self, Infidelity.self,
        IterativeRemoval.self, Selectivity.self, SingleDeletion.self,
        ArithmeticStability.self, QuantisationStability.self, ShiftStability.self, RotationStability.self, GainStability.self,
        JPEGStability.self, FlipEquivariance.self, MaxSensitivity.self, AverageSensitivity.self, LocalLipschitz.self,
        RelativeInputStability.self, RelativeOutputStability.self, SeedRepeatability.self,
        ParameterRandomisation.self, EfficientRandomisation.self, ClassSensitivity.self,
        Gini.self, Entropy.self, Area50.self, Area90.self,
    ]

    /// The metric of a name such as `iou@5`, `dice@12.5:component` or `deletion:steps=10`, under a protocol's choices.
    ///
    /// An option overrides the protocol's own choice and stays in the identifier.
    public static func metric(_ name: String, protocol rules: EvaluationProtocol) throws(MetricError) -> any Metric {
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let head = parts[0].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let pattern = head.count == 2 ? "\(head[0])@K" : String(head[0])
        let numbered = "\(head[0])@K"
        guard
            let type = all.first(where: { $0.facts.identifier == pattern || ($0.facts.identifier == numbered && $0.facts.number == .count) }
            )
        else {
            if head.count == 1, all.contains(where: { $0.facts.identifier == numbered }) {
                throw .percentageMissing(metric: String(head[0]))
            }
            throw .unknownMetric(name, known: all.map { $0.facts.identifier })
        }
        var number = 0.0
        if head.count == 2 {
            guard let value = type.facts.number(head[1]) else {
                throw type.facts.number == .percentage
                    ? .percentageOutOfRange(metric: pattern, percentage: String(head[1]))
                    : .countOutOfRange(metric: pattern, count: String(head[1]))
            }
            number = value
        }
        var options = MetricOptions(name, facts: type.facts, number: number, text: parts.count == 2 ? parts[1] : nil, rules: rules)
        let metric = try type.init(&options)
        try options.finish()
        return metric
    }

    /// The facts of a name with or without options.
    public static func facts(_ name: String) -> MetricFacts? {
        let bare = name.prefix { $0 != ":" }
        let stem = bare.prefix { $0 != "@" }
        return all.map { $0.facts }.first { $0.identifier == bare || $0.identifier == stem + "@K" }
    }

    /// Names, with `all` and `family:NAME` written out; each stands once.
    public static func expand(_ names: [String]) throws(MetricError) -> [String] {
        var expanded: [String] = []
        for name in names {
            if name == "all" {
                expanded += all.map { $0.facts.name() }
            } else if name.hasPrefix("family:") {
                guard let family = MetricFamily(rawValue: String(name.dropFirst("family:".count))) else {
                    throw .unknownFamily(name, known: MetricFamily.allCases.map { "family:\($0.rawValue)" })
                }
                expanded += all.filter { $0.facts.family == family }.map { $0.facts.name() }
            } else {
                expanded.append(name)
            }
        }
        var seen = Set<String>()
        return expanded.filter { seen.insert($0).inserted }
    }
}
