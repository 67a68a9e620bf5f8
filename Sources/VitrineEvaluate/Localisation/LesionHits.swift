/// Lesion hits: the share of the lesions of an image that one of the map's K highest local maxima hits; without `@K` as many maxima as
/// there are lesions.
///
/// See `LesionMaxima`. Invariant to positive scaling and to an added constant. Chance: permutations. Ceiling: 1.
/// Source: Chakraborty 2013, FROC analysis, https://doi.org/10.1259/bjr.20120640; the choice of maxima: this project.
public struct LesionHits: LocalisationMetric {
    public static let facts = MetricFacts(
        "lesion-hits@K", .localisation, better: .higher, number: .count,
        summary: "share of the lesions that one of the K highest local maxima hits",
        citation: "Chakraborty 2013, https://doi.org/10.1259/bjr.20120640; maxima: this project")

    public let identifier: String
    /// 0 for as many as there are lesions.
    private let count: Int

    public init(_ options: inout MetricOptions) {
        identifier = options.identifier
        count = Int(options.number)
    }

    public func value(of map: any RankedMap) -> Double? {
        let lesions = map.mask.lesionCount
        let hits = LesionMaxima.hits(map).prefix(count == 0 ? lesions : count)
        return Double(Set(hits.flatMap { $0 }).count) / Double(lesions)
    }

    public func exactChance(of map: SiteRanking) -> Double? { nil }

    /// A maximum between lesions can hit several.
    public func ceiling(of map: SiteRanking) -> Double? { 1 }
}
