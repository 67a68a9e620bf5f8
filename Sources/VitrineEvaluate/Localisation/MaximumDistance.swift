/// Distance from the map's maximum to the mask, as a share of the image's diagonal: how wrong a miss is.
///
/// 0 inside the mask; between pixel centres, over hypot(height, width); the mean over tied maxima. Invariant to monotone changes of the
/// map. Chance: the mean over all pixels for exchangeable sites, else permutations. Ceiling: 0.
/// Source: this project.
public struct MaximumDistance: LocalisationMetric {
    public static let facts = MetricFacts(
        "distance", .localisation, better: .lower, summary: "distance from the map's maximum to the mask, as a share of the diagonal",
        citation: "this project")

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func value(of map: any RankedMap) -> Double? {
        let distances = map.mask.distances
        let (lattice, sites) = (map.lattice, map.top.sites)
        var sum = 0.0
        for site in sites {
            let corner = lattice.firstPixel(ofSite: site)
            for y in 0..<lattice.siteHeight {
                for x in 0..<lattice.siteWidth { sum += Double(distances[corner + y * lattice.width + x]) }
            }
        }
        return sum / Double(sites.count * lattice.siteArea) / map.mask.diagonal
    }

    public func exactChance(of map: SiteRanking) -> Double? {
        guard map.isExchangeable else { return nil }
        return map.mask.distances.reduce(0) { $0 + Double($1) } / Double(map.mask.pixelCount) / map.mask.diagonal
    }

    public func ceiling(of map: SiteRanking) -> Double? { 0 }
}
