/// Top-K intersection: the share of the map's K highest pixels that lies in the mask.
///
/// The tie class that holds rank K counts with its expected share. Invariant to monotone changes of the map. Chance: the mask's area
/// share for exchangeable sites, else permutations. Ceiling: the lesion in the highest tie classes.
/// Source: Theiner, Müller-Budack & Ewerth 2021, https://arxiv.org/abs/2104.14995; Quantus `TopKIntersection`.
public struct TopIntersection: LocalisationMetric {
    public static let facts = MetricFacts(
        "top-intersection@K", .localisation, better: .higher, usualNumber: 1000, number: .pixels,
        summary: "share of the K highest pixels in the mask", citation: "Theiner et al. 2021, https://arxiv.org/abs/2104.14995")

    public let identifier: String
    private let count: Int

    public init(_ options: inout MetricOptions) {
        identifier = options.identifier
        count = Int(options.number)
    }

    public func undefined(on mask: ScoredMask) -> Undefined? {
        mask.pixelCount < count ? Undefined("the image has \(mask.pixelCount) pixels, fewer than \(count)") : nil
    }

    public func value(of map: any RankedMap) -> Double? { share(map.profile) }

    private func share(_ profile: RankProfile) -> Double {
        let top = profile.top(count)
        let drawn = top.tied == 0 ? 0 : Double(top.drawn) * Double(top.tiedInside) / Double(top.tied)
        return (Double(top.certainInside) + drawn) / Double(count)
    }

    public func exactChance(of map: SiteRanking) -> Double? { map.isExchangeable ? map.mask.area : nil }

    public func ceiling(of map: SiteRanking) -> Double? { share(map.profile.ideal) }
}
