/// Shuffled AUROC: the probability that a lesion pixel outranks a place where other images' lesions lie; a map that knows only where
/// lesions usually are scores 1/2 on average.
///
/// Σ_{p in M} Σ_{q not in M} m(q) [s_p > s_q] / (|M| Σ m(q)), ties half; m is the mean of the other masks. Beside the plain AUROC the gap
/// says how much the prior explains. Invariant to monotone changes of the map. Chance: exactly 1/2 for exchangeable sites.
/// Source: Zhang et al. 2008, "SUN", https://doi.org/10.1167/8.7.32; exact expectation over the other masks: this project.
public struct ShuffledAreaUnderROC: LocalisationMetric {
    public static let facts = MetricFacts(
        "shuffled-auroc", .localisation, better: .higher,
        summary: "probability that a lesion pixel outranks a place where other images' lesions lie, ties half",
        citation: "Zhang et al. 2008, https://doi.org/10.1167/8.7.32; exact expectation: this project")

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func undefined(on mask: ScoredMask) -> Undefined? {
        guard let weights = mask.otherMasks else { return Undefined("no other masks are known") }
        return weights.contains { $0 > 0 } ? nil : Undefined("the other masks mark nothing outside this one")
    }

    public func value(of map: any RankedMap) -> Double? {
        guard let weights = map.mask.otherMasks else { return nil }
        let profile = map.profile
        let sums = map.classSums(weights)
        var below = sums.reduce(0, +)
        let total = below
        var wins = 0.0
        for (inside, other) in zip(profile.inside, sums) {
            below -= other
            wins += Double(inside) * (below + 0.5 * other)
        }
        return wins / (Double(map.mask.count) * total)
    }

    public func exactChance(of map: SiteRanking) -> Double? { map.isExchangeable ? 0.5 : nil }

    /// Not known in closed form; 1 where the lesion can outrank everything else.
    public func ceiling(of map: SiteRanking) -> Double? { nil }
}
