/// Intersection over union of the mask with the highest pixels that together hold half of the displayed map's mass above its least value.
///
/// Tie classes enter whole. Invariant to positive scaling and to an added constant. Chance: hypergeometric for pixels, else permutations.
/// Source: Caron et al. 2021, "DINO", https://arxiv.org/abs/2104.14294, which keeps a share of the attention's mass.
public struct HalfMassOverlap: LocalisationMetric {
    public static let facts = MetricFacts(
        "iou-mass50", .localisation, better: .higher,
        summary: "intersection over union of the mask with the highest pixels that hold half of the map's mass",
        citation: "Caron et al. 2021, https://arxiv.org/abs/2104.14294")

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func value(of map: any RankedMap) -> Double? {
        let profile = map.profile
        return ThresholdOverlap.value(profile, classes: Self.classes(profile), mask: map.mask)
    }

    public func exactChance(of map: SiteRanking) -> Double? { ThresholdOverlap.exactChance(map, classes: Self.classes(map.profile)) }

    public func ceiling(of map: SiteRanking) -> Double? { ThresholdOverlap.ceiling(map, classes: Self.classes(map.profile)) }

    /// Number of tie classes whose mass reaches half.
    static func classes(_ profile: RankProfile) -> Int {
        guard let low = profile.values.last.map(Double.init) else { return 0 }
        let masses = zip(profile.values, profile.total).map { (Double($0) - low) * Double($1) }
        let half = masses.reduce(0, +) / 2
        var (held, count) = (0.0, 0)
        while count < masses.count - 1, held < half {
            held += masses[count]
            count += 1
        }
        return max(1, count)
    }
}
