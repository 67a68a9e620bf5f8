/// Pixel average precision: the area under the step-wise precision-recall curve of the map as a detector of lesion pixels.
///
/// Tied pixels enter as one group and nothing is interpolated, as in scikit-learn's `average_precision_score`.
/// Chance, exact for exchangeable sites: a class g of q sites that ends at rank Q adds q E[X²] / (m s Q²), where X, the
/// lesion pixels of Q sites drawn without replacement, has mean Q μ and variance Q σ² (P - Q) / (P - 1) (μ, σ²: mean and
/// variance of the lesion pixels per site, s: pixels per site). For distinct pixel values this is
/// [H_n + (n - H_n)(m - 1)/(n - 1)] / n with the harmonic number H_n. Ceiling: the lesion in the highest classes.
public struct AveragePrecision: LocalisationMetric {
    public static let facts = MetricFacts(
        "average-precision", .localisation, better: .higher,
        summary: "area under the step-wise precision-recall curve, ties as one group",
        citation: "Davis & Goadrich 2006, https://doi.org/10.1145/1143844.1143874; scikit-learn average_precision_score")
    public static var scoresConstantMaps: Bool { true }

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func value(of map: any RankedMap) -> Double? { averagePrecision(map.profile) }

    private func averagePrecision(_ profile: RankProfile) -> Double {
        var seen = 0
        var found = 0
        var sum = 0.0
        for (total, inside) in zip(profile.total, profile.inside) {
            seen += total
            found += inside
            if inside > 0 { sum += Double(inside) * (Double(found) / Double(seen)) }
        }
        return sum / Double(found)
    }

    public func exactChance(of map: SiteRanking) -> Double? {
        guard map.isExchangeable else { return nil }
        let overlaps = map.target(tolerance: 0).overlaps
        let sites = Double(overlaps.count)
        let mean = Double(map.mask.count) / sites
        let variance = overlaps.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / sites
        var start = 0.0
        var chance = 0.0
        for end in map.classEnds {
            let rank = Double(end)
            let spread = sites > 1 ? rank * variance * (sites - rank) / (sites - 1) : 0
            chance += (rank - start) / (rank * rank) * (spread + rank * rank * mean * mean)
            start = rank
        }
        return chance / (Double(map.mask.count) * Double(map.lattice.siteArea))
    }

    public func ceiling(of map: SiteRanking) -> Double? { averagePrecision(map.profile.ideal) }
}
