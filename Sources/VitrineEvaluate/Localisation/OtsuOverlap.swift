/// Intersection over union of the mask with the pixels above Otsu's threshold of the displayed map.
///
/// 256 equal bins over the map's range; the threshold maximises the variance between the two classes (the first such bin); holes are
/// not filled. Invariant to positive scaling and to an added constant. Chance: hypergeometric for pixels, else permutations.
/// Source: Otsu 1979, https://doi.org/10.1109/TSMC.1979.4310076; Saporta et al. 2022, https://doi.org/10.1038/s42256-022-00536-x.
public struct OtsuOverlap: LocalisationMetric {
    public static let facts = MetricFacts(
        "iou-otsu", .localisation, better: .higher,
        summary: "intersection over union of the mask with the pixels above Otsu's threshold",
        citation: "Otsu 1979, https://doi.org/10.1109/TSMC.1979.4310076; Saporta et al. 2022, https://doi.org/10.1038/s42256-022-00536-x")

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func value(of map: any RankedMap) -> Double? {
        let profile = map.profile
        return ThresholdOverlap.value(profile, classes: Self.classes(profile), mask: map.mask)
    }

    public func exactChance(of map: SiteRanking) -> Double? { ThresholdOverlap.exactChance(map, classes: Self.classes(map.profile)) }

    public func ceiling(of map: SiteRanking) -> Double? { ThresholdOverlap.ceiling(map, classes: Self.classes(map.profile)) }

    /// Number of tie classes in the bins above the threshold.
    static func classes(_ profile: RankProfile) -> Int {
        guard let high = profile.values.first.map(Double.init), let low = profile.values.last.map(Double.init), high > low else { return 1 }
        func bin(_ value: Float) -> Int { min(255, Int((Double(value) - low) / (high - low) * 256)) }
        var counts = [Double](repeating: 0, count: 256)
        for (value, total) in zip(profile.values, profile.total) { counts[bin(value)] += Double(total) }
        let all = counts.reduce(0, +)
        let mass = counts.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element }
        var (best, threshold) = (-1.0, 0)
        var (below, belowMass) = (0.0, 0.0)
        for t in 0..<255 {
            below += counts[t]
            belowMass += Double(t) * counts[t]
            guard below > 0, below < all else { continue }
            let difference = belowMass / below - (mass - belowMass) / (all - below)
            let between = below * (all - below) * difference * difference
            if between > best { (best, threshold) = (between, t) }
        }
        return max(1, profile.values.prefix { bin($0) > threshold }.count)
    }
}
