/// The largest intersection over union that any threshold of the map reaches: localisation without the choice of a threshold, which no
/// reader of a map has.
///
/// Invariant to monotone changes of the map. Chance: permutations. Ceiling: the lesion in the highest tie classes.
/// Source: Choe et al. 2020, https://arxiv.org/abs/2001.07437, one image at a time.
public struct BestOverlap: LocalisationMetric {
    public static let facts = MetricFacts(
        "best-iou", .localisation, better: .higher, summary: "largest intersection over union of the mask with the map above any threshold",
        citation: "Choe et al. 2020, https://arxiv.org/abs/2001.07437")

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func value(of map: any RankedMap) -> Double? { best(map.profile, map.mask) }

    private func best(_ profile: RankProfile, _ mask: ScoredMask) -> Double {
        var (selected, inside, best) = (0, 0, 0.0)
        for (total, hits) in zip(profile.total, profile.inside) {
            selected += total
            inside += hits
            best = max(best, Double(inside) / Double(mask.count + selected - inside))
        }
        return best
    }

    public func exactChance(of map: SiteRanking) -> Double? { nil }

    public func ceiling(of map: SiteRanking) -> Double? { best(map.profile.ideal, map.mask) }
}
