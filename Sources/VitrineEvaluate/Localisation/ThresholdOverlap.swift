/// The overlap of the mask with the pixels above a threshold that the map's values settle: what `iou-otsu`, `iou-mean` and
/// `iou-mass50` share.
///
/// The region takes whole tie classes, so that its size does not depend on where the values stand.
enum ThresholdOverlap {
    /// - Parameter classes: how many tie classes, from the highest down, make the region.
    static func value(_ profile: RankProfile, classes: Int, mask: ScoredMask) -> Double {
        let selected = profile.total[..<classes].reduce(0, +)
        let inside = profile.inside[..<classes].reduce(0, +)
        return Double(inside) / Double(mask.count + selected - inside)
    }

    /// Chance where sites are pixels: E[X / (m + b - X)] of the hypergeometric X.
    static func exactChance(_ map: SiteRanking, classes: Int) -> Double? {
        guard map.isExchangeable, map.lattice.siteArea == 1 else { return nil }
        let selected = map.profile.total[..<classes].reduce(0, +)
        let (n, m) = (map.mask.pixelCount, map.mask.count)
        return Hypergeometric(population: n, successes: m, draws: selected).expectation { Double($0) / Double(m + selected - $0) }
    }

    static func ceiling(_ map: SiteRanking, classes: Int) -> Double {
        let selected = map.profile.total[..<classes].reduce(0, +)
        return Double(min(selected, map.mask.count)) / Double(max(selected, map.mask.count))
    }
}
