/// Every metric; the command line's help, the study file, the report and the tests read this list.
public enum MetricRegistry {
    public static let all: [any Metric.Type] = [
        PointingGame.self, EnergyPointingGame.self, IntersectionOverUnion.self, Dice.self, AveragePrecision.self, AreaUnderROC.self,
        MassAccuracy.self, RankAccuracy.self,
        Deletion.self, Insertion.self,
        QuantisationStability.self,
        ClassSensitivity.self, ParameterRandomisation.self,
        Gini.self,
    ]

    /// The metric of a name such as `iou@5`, `dice@12.5:component` or `deletion:steps=10`, under a protocol's choices.
    ///
    /// An option overrides the protocol's own choice and stays in the identifier.
    public static func metric(_ name: String, protocol rules: EvaluationProtocol) throws(MetricError) -> any Metric {
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let head = parts[0].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let pattern = head.count == 2 ? "\(head[0])@K" : String(head[0])
        guard let type = all.first(where: { $0.facts.identifier == pattern }) else {
            if head.count == 1, all.contains(where: { $0.facts.identifier == "\(head[0])@K" }) {
                throw .percentageMissing(metric: String(head[0]))
            }
            throw .unknownMetric(name, known: all.map { $0.facts.identifier })
        }
        var number = 0.0
        if head.count == 2 {
            guard let value = Double(head[1]), value > 0, value < 100 else {
                throw .percentageOutOfRange(metric: pattern, percentage: String(head[1]))
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
        let pattern = bare.firstIndex(of: "@").map { bare[..<$0] + "@K" } ?? bare
        return all.first { $0.facts.identifier == pattern }?.facts
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
