/// Lesion sensitivity: the share of the lesions of an image that the map's local maxima hit before the second one that hits none: the
/// FROC curve at one false positive per image, image by image.
///
/// See `LesionMaxima`. Invariant to positive scaling and to an added constant. Chance: permutations. Ceiling: 1.
/// Source: Chakraborty 2013, FROC analysis, https://doi.org/10.1259/bjr.20120640; the choice of maxima: this project.
public struct LesionSensitivity: LocalisationMetric {
    public static let facts = MetricFacts(
        "lesion-sensitivity", .localisation, better: .higher,
        summary: "share of the lesions hit by local maxima before the second false one",
        citation: "Chakraborty 2013, https://doi.org/10.1259/bjr.20120640; maxima: this project")

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func value(of map: any RankedMap) -> Double? {
        var (found, falseOnes) = (Set<Int>(), 0)
        for hits in LesionMaxima.hits(map) {
            if hits.isEmpty { falseOnes += 1 }
            if falseOnes > 1 { break }
            found.formUnion(hits)
        }
        return Double(found.count) / Double(map.mask.lesionCount)
    }

    public func exactChance(of map: SiteRanking) -> Double? { nil }
    public func ceiling(of map: SiteRanking) -> Double? { 1 }
}
