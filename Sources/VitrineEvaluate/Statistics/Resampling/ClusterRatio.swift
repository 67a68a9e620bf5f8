/// How images are averaged when patients have different numbers of them.
public enum Aggregation: String, Sendable, Codable, CaseIterable {
    /// Every image weighs the same.
    case meanOverImages
    /// Every patient weighs the same.
    case meanOfPatientMeans
}

/// A statistic that is a ratio of two sums over patients: Σ numerator / Σ denominator.
///
/// Means over images, means of patient means and skill scores all have this form, so that a bootstrap resample costs one
/// pass over the patients, whatever the number of images.
public struct ClusterRatio: Sendable, Equatable {
    public let numerators: [Double]
    public let denominators: [Double]
    /// Whether every underlying observation is 0 or 1, so that a degenerate sample is a proportion.
    public let isProportion: Bool

    /// One numerator and denominator per patient.
    /// - Throws: `StatisticsError` when the lengths differ, nothing is given, a value is not finite or all denominators sum to 0.
    public init(numerators: [Double], denominators: [Double], isProportion: Bool = false) throws {
        guard !numerators.isEmpty else { throw StatisticsError.empty(what: "patients") }
        try validate(numerators, what: "numerators")
        try validate(denominators, what: "denominators", count: numerators.count)
        guard denominators.reduce(0, +) != 0 else {
            throw StatisticsError.outOfRange(what: "sum of denominators", value: "0", allowed: "numbers other than 0")
        }
        self.numerators = numerators
        self.denominators = denominators
        self.isProportion = isProportion
    }

    /// The mean of a score, one value per image.
    public static func mean(_ scores: [Double], clusters: Clusters, aggregation: Aggregation = .meanOverImages) throws -> ClusterRatio {
        guard !scores.isEmpty else { throw StatisticsError.empty(what: "scores") }
        try validate(scores, what: "scores", count: clusters.index.count)
        let sums = clusters.sums(scores)
        let sizes = clusters.sizes.map(Double.init)
        let proportion = scores.allSatisfy { $0 == 0 || $0 == 1 }
        switch aggregation {
        case .meanOverImages: return try ClusterRatio(numerators: sums, denominators: sizes, isProportion: proportion)
        case .meanOfPatientMeans:
            return try ClusterRatio(
                numerators: zip(sums, sizes).map { $0 / $1 }, denominators: [Double](repeating: 1, count: sums.count),
                isProportion: proportion)
        }
    }

    /// A share such as sensitivity: images with `events` among those with `members`, one flag each per image.
    /// - Throws: `StatisticsError` when no image is a member.
    public static func share(of events: [Bool], among members: [Bool], clusters: Clusters) throws -> ClusterRatio {
        guard events.count == clusters.index.count, members.count == events.count else {
            throw StatisticsError.lengthMismatch(
                what: "events and members", expected: clusters.index.count, found: min(events.count, members.count))
        }
        guard members.contains(true) else { throw StatisticsError.empty(what: "members of a share") }
        return try ClusterRatio(
            numerators: clusters.sums(zip(events, members).map { $0 && $1 ? 1 : 0 }),
            denominators: clusters.sums(members.map { $0 ? 1 : 0 }), isProportion: true)
    }

    /// The statistic on the whole sample.
    public var value: Double { numerators.reduce(0, +) / denominators.reduce(0, +) }

    /// The statistic without each patient in turn; not finite where the denominator vanishes without that patient.
    public var leaveOneOut: [Double] {
        let n = numerators.reduce(0, +)
        let d = denominators.reduce(0, +)
        return zip(numerators, denominators).map { (n - $0) / (d - $1) }
    }

    /// Whether every patient alone gives the same value, so that resampling cannot vary.
    var isConstant: Bool {
        let center = value
        let tolerance = Self.tieTolerance * max(abs(center), .leastNormalMagnitude)
        return zip(numerators, denominators).allSatisfy { abs($0 - center * $1) <= tolerance * max(abs($1), .leastNormalMagnitude) }
    }

    /// Resampled statistics closer than this, relatively, are the same number summed in another order.
    static let tieTolerance = 1e-12
}
