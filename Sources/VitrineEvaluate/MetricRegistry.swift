/// Every localisation metric, by name; the command line's help, the report and the tests read this list.
public enum MetricRegistry {
    /// One line of the registry.
    public struct Entry: Sendable {
        /// Name on the command line; `@K` stands for a percentage.
        public let name: String
        /// What may follow a colon, comma-separated: `iou@5:raw`, `pointing-game:first,tolerance=15`.
        public let options: [String]
        let make: @Sendable (Request) throws(MetricError) -> any Metric

        /// The metric under a protocol's own choices.
        public func metric(percentage: Double = 5, protocol rules: EvaluationProtocol) throws(MetricError) -> any Metric {
            try MetricRegistry.metric(name.replacing("@K", with: "@\(MetricRegistry.format(percentage))"), protocol: rules)
        }
    }

    /// What was asked for.
    struct Request {
        let identifier: String
        let percentage: Double
        let options: [String]
        let rules: EvaluationProtocol

        /// The first option that names a case of `Option`.
        func choice<Option: RawRepresentable>(_: Option.Type) -> Option? where Option.RawValue == String {
            options.lazy.compactMap { Option(rawValue: $0) }.first
        }

        var region: OverlapRegion { choice(OverlapRegion.self) ?? (rules == .study ? .rectangle : .raw) }
        var tolerance: Double { options.lazy.compactMap(MetricRegistry.tolerance).first ?? 0 }
    }

    private static let regions = OverlapRegion.allCases.map(\.rawValue)

    public static let all: [Entry] = [
        Entry(name: "pointing-game", options: TieRule.allCases.map(\.rawValue) + ["tolerance=PIXELS"]) { request in
            PointingGame(
                identifier: request.identifier,
                ties: request.choice(TieRule.self) ?? (request.rules == .study ? .any : .expected),
                tolerance: request.tolerance)
        },
        Entry(name: "energy-pointing-game", options: []) { request in
            EnergyPointingGame(identifier: request.identifier, view: request.rules == .study ? .displayed : .raw)
        },
        Entry(name: "iou@K", options: regions) { request in
            IntersectionOverUnion(
                identifier: request.identifier, percentage: request.percentage, region: request.region,
                exactCount: request.rules == .corrected)
        },
        Entry(name: "dice@K", options: regions) { request in
            Dice(
                identifier: request.identifier, percentage: request.percentage, region: request.region,
                exactCount: request.rules == .corrected)
        },
        Entry(name: "average-precision", options: []) { request in AveragePrecision(identifier: request.identifier) },
        Entry(name: "auroc", options: []) { request in AreaUnderROC(identifier: request.identifier) },
        Entry(name: "mass-accuracy", options: []) { request in
            MassAccuracy(identifier: request.identifier, isClipped: request.rules == .corrected)
        },
        Entry(name: "rank-accuracy", options: []) { request in RankAccuracy(identifier: request.identifier) },
    ]

    /// The metric of a name such as `iou@5`, `dice@12.5:component` or `pointing-game:first`, under a protocol's choices.
    ///
    /// An option overrides the protocol's own choice and stays in the identifier.
    public static func metric(_ name: String, protocol rules: EvaluationProtocol) throws(MetricError) -> any Metric {
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let head = parts[0].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let pattern = head.count == 2 ? "\(head[0])@K" : String(head[0])
        guard let entry = all.first(where: { $0.name == pattern }) else {
            if head.count == 1, all.contains(where: { $0.name == "\(head[0])@K" }) { throw .percentageMissing(metric: String(head[0])) }
            throw .unknownMetric(name, known: all.map(\.name))
        }
        var percentage = 0.0
        if head.count == 2 {
            guard let number = Double(head[1]), number > 0, number < 100 else {
                throw .percentageOutOfRange(metric: pattern, percentage: String(head[1]))
            }
            percentage = number
        }
        let options = parts.count == 2 ? parts[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init) : []
        for option in options where !entry.options.contains(option) {
            guard entry.options.contains("tolerance=PIXELS"), tolerance(option) != nil else {
                throw .unknownOption(metric: entry.name, option: option, known: entry.options)
            }
        }
        return try entry.make(Request(identifier: name, percentage: percentage, options: options, rules: rules))
    }

    /// The pixels of an option `tolerance=15`.
    private static func tolerance(_ option: String) -> Double? {
        let prefix = "tolerance="
        guard option.hasPrefix(prefix), let pixels = Double(option.dropFirst(prefix.count)), pixels >= 0, pixels <= 10_000
        else { return nil }
        return pixels
    }

    /// A percentage without a trailing ".0".
    static func format(_ percentage: Double) -> String {
        percentage == percentage.rounded() ? String(Int(percentage)) : String(percentage)
    }
}
