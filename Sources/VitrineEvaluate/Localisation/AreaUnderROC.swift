/// Pixel AUROC: the probability that a lesion pixel has a higher value than another pixel, ties counting half
/// (Mann and Whitney with mid-ranks).
///
/// It hardly moves for tiny lesions: read it beside average precision. Chance: exactly 1/2 for exchangeable sites. Ceiling:
/// the lesion in the highest tie classes. Undefined for a full mask.
/// Source: Fawcett 2006, "An introduction to ROC analysis", https://doi.org/10.1016/j.patrec.2005.10.010.
public struct AreaUnderROC: LocalisationMetric {
    public static let facts = MetricFacts(
        "auroc", .localisation, better: .higher,
        summary: "probability that a lesion pixel outranks another pixel, ties half",
        citation: "Fawcett 2006, https://doi.org/10.1016/j.patrec.2005.10.010")
    public static var scoresConstantMaps: Bool { true }

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func value(of map: any RankedMap) -> Double? { area(map.profile, map.mask) }

    private func area(_ profile: RankProfile, _ mask: ScoredMask) -> Double? {
        guard !mask.isFull && !mask.isEmpty else { return nil }
        var below = mask.pixelCount - mask.count
        var wins = 0.0
        for (total, inside) in zip(profile.total, profile.inside) {
            let outside = total - inside
            below -= outside
            wins += Double(inside) * (Double(below) + 0.5 * Double(outside))
        }
        return wins / (Double(mask.count) * Double(mask.pixelCount - mask.count))
    }

    public func undefined(on mask: ScoredMask) -> Undefined? {
        mask.isFull ? Undefined("the mask covers the whole image and leaves nothing to tell apart") : nil
    }

    public func exactChance(of map: SiteRanking) -> Double? { map.isExchangeable && !map.mask.isFull ? 0.5 : nil }

    public func ceiling(of map: SiteRanking) -> Double? { area(map.profile.ideal, map.mask) }
}
