/// Which of several equal maxima the pointing game looks at.
public enum TieRule: String, Sendable, CaseIterable {
    /// A hit if any of them lies in the mask: favours maps with many ties.
    case any
    /// The first in row-major order.
    case first
    /// The share of them that lies in the mask: the probability of a hit under random tie-breaking.
    case expected
}

/// Pointing game: does the map's maximum lie in the mask?
///
/// With a tolerance, a maximum no farther than that many pixels from the mask counts. Chance: the share of places in the
/// (dilated) mask; under `any`, for t tied maxima on P sites of which T touch the mask, 1 - C(P-T, t) / C(P, t). Ceiling:
/// 1; under `expected` the share of the tied pixels that fit into the mask.
/// Source: Zhang et al. 2018, "Top-down neural attention by excitation backprop", https://doi.org/10.1007/s11263-017-1059-x.
public struct PointingGame: LocalisationMetric {
    public static let facts = MetricFacts(
        "pointing-game", .localisation, better: .higher, isHit: true, options: TieRule.allCases.map(\.rawValue) + ["tolerance=0"],
        summary: "maximum in the mask",
        citation: "Zhang et al. 2018, https://doi.org/10.1007/s11263-017-1059-x")
    public static var scoresConstantMaps: Bool { true }

    public let identifier: String
    public let ties: TieRule
    /// Pixels; 0 asks for the mask itself.
    public let tolerance: Double

    public init(identifier: String = "pointing-game", ties: TieRule, tolerance: Double = 0) {
        self.identifier = identifier
        self.ties = ties
        self.tolerance = tolerance
    }

    public init(_ options: inout MetricOptions) throws(MetricError) {
        let ties = options.choice(TieRule.self) ?? (options.rules == .study ? .any : .expected)
        self.init(
            identifier: options.identifier, ties: ties, tolerance: try options.value("tolerance", default: 0, in: 0...10_000))
    }

    public var summary: String {
        "maximum in the mask; tied maxima: \(ties.rawValue)" + (tolerance > 0 ? "; within \(tolerance) pixels" : "")
    }

    public func value(of map: any RankedMap) -> Double? {
        let target = map.target(tolerance: tolerance)
        let sites = map.top.sites
        switch ties {
        case .any:
            return sites.contains { target.overlaps[$0] > 0 } ? 1 : 0
        case .first:
            guard let first = sites.min() else { return nil }
            return target.mask.mask.bits[map.lattice.firstPixel(ofSite: first)] ? 1 : 0
        case .expected:
            let hits = sites.reduce(0) { $0 + Int(target.overlaps[$1]) }
            return Double(hits) / Double(sites.count * map.lattice.siteArea)
        }
    }

    public func exactChance(of map: SiteRanking) -> Double? {
        guard map.isExchangeable else { return nil }
        let target = map.target(tolerance: tolerance)
        let sites = map.lattice.count
        let tied = Int(map.classEnds[0])
        switch ties {
        case .any:
            let touching = target.overlaps.count { $0 > 0 }
            return 1 - Hypergeometric(population: sites, successes: touching, draws: tied).probabilityOfNone
        case .expected:
            return target.mask.area
        case .first:
            // The first of `tied` random sites is site j with probability C(P-1-j, tied-1) / C(P, tied).
            var probability = Double(tied) / Double(sites)
            var chance = 0.0
            for site in 0...(sites - tied) {
                if target.mask.mask.bits[map.lattice.firstPixel(ofSite: site)] { chance += probability }
                probability *= Double(sites - tied - site) / Double(max(1, sites - 1 - site))
            }
            return chance
        }
    }

    public func ceiling(of map: SiteRanking) -> Double? {
        guard ties == .expected else { return 1 }
        let tied = Int(map.classEnds[0]) * map.lattice.siteArea
        return min(1, Double(map.target(tolerance: tolerance).mask.count) / Double(tied))
    }
}
