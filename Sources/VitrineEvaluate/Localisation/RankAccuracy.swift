/// Relevance rank accuracy: the share of the m highest pixels that lie in the mask, m being the lesion's own size.
///
/// The tie class that holds rank m counts with its expected share. At this cut precision, recall and Dice coincide. Chance:
/// the mask's area share, exact for exchangeable sites.
/// Source: Arras, Osman & Samek 2022, "CLEVR-XAI", https://doi.org/10.1016/j.inffus.2021.11.008.
public struct RankAccuracy: LocalisationMetric {
    public static let facts = MetricFacts(
        "rank-accuracy", .localisation, better: .higher,
        summary: "share of the m highest pixels in the mask (m: lesion pixels), ties by expectation",
        citation: "Arras, Osman & Samek 2022, https://doi.org/10.1016/j.inffus.2021.11.008")
    public static var scoresConstantMaps: Bool { true }

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func value(of map: any RankedMap) -> Double? { accuracy(map.profile, map.mask.count) }

    private func accuracy(_ profile: RankProfile, _ count: Int) -> Double {
        let top = profile.top(count)
        let drawn = top.tied == 0 ? 0 : Double(top.drawn) * Double(top.tiedInside) / Double(top.tied)
        return (Double(top.certainInside) + drawn) / Double(count)
    }

    public func exactChance(of map: SiteRanking) -> Double? { map.isExchangeable ? map.mask.area : nil }

    public func ceiling(of map: SiteRanking) -> Double? { accuracy(map.profile.ideal, map.mask.count) }
}
