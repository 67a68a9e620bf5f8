/// What a group of metrics asks about a map.
public enum MetricFamily: String, Sendable, Codable, CaseIterable {
    /// Does it point at the lesion?
    case localisation
    /// Did the network use what it points at?
    case faithfulness
    /// Does it stay when nothing that matters changes?
    case stability
    /// Does it depend on what the network learnt, and on the class?
    case randomisation
    /// How concentrated is it?
    case complexity
}

/// What the number behind `@` counts.
public enum MetricNumber: Sendable {
    /// Above 0 and below 100.
    case percentage
    /// From 1 on.
    case pixels
    /// From 1 on; it may be left out.
    case count
}

/// What is known of a metric before it meets a map; stands beside the metric's type.
public struct MetricFacts: Sendable {
    /// Name on the command line and in study files; `@K` stands for a number.
    public let identifier: String
    public let family: MetricFamily
    /// One sentence: what it computes.
    public let summary: String
    /// Where it comes from.
    public let citation: String
    public let better: Direction
    /// Each score is 0 or 1, so that a mean of them is a proportion.
    public let isHit: Bool
    /// What may follow a colon, comma-separated: the bare word of a choice (`raw`), or `name=default`.
    public let options: [String]
    /// What `@K` is where nobody says, such as in `all`; absent where there is none, or where it may be left out.
    public let usualNumber: Double?
    public let number: MetricNumber
    /// What `Score.curve` holds, point by point; absent where there is none.
    public let curve: String?

    public init(
        _ identifier: String, _ family: MetricFamily, better: Direction, isHit: Bool = false, options: [String] = [],
        usualNumber: Double? = nil, number: MetricNumber = .percentage, curve: String? = nil, summary: String, citation: String
    ) {
        self.identifier = identifier
        self.family = family
        self.summary = summary
        self.citation = citation
        self.better = better
        self.isHit = isHit
        self.options = options
        self.usualNumber = usualNumber
        self.number = number
        self.curve = curve
    }

    /// The identifier with a number in the place of `@K`, or without it.
    public func name(_ number: Double? = nil) -> String {
        guard identifier.hasSuffix("@K") else { return identifier }
        return identifier.dropLast(2) + ((number ?? usualNumber).map { "@" + MetricOptions.format($0) } ?? "")
    }

    /// The number as it was written, if it is one that this metric takes.
    func number(_ text: Substring) -> Double? {
        guard let value = Double(text), value.isFinite, value > 0 else { return nil }
        switch number {
        case .percentage: return value < 100 ? value : nil
        case .pixels, .count: return value == value.rounded() && value < 1e9 ? value : nil
        }
    }
}
