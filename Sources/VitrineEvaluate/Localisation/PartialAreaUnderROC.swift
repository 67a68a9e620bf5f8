/// Partial AUROC: the area under the ROC curve up to a false positive rate of 0.1, scaled so that chance is 1/2 and the best 1
/// (McClish): the part that counts for small lesions.
///
/// Tie classes enter whole, the curve is linear in between. Invariant to monotone changes of the map. Chance for distinct pixels: the
/// j-th of N other pixels has j / (N + 1) of the lesion above it on average; else permutations. Undefined for a full mask.
/// Source: McClish 1989, https://doi.org/10.1177/0272989X8900900307; scikit-learn `roc_auc_score(max_fpr=0.1)`.
public struct PartialAreaUnderROC: LocalisationMetric {
    public static let facts = MetricFacts(
        "partial-auroc", .localisation, better: .higher,
        summary: "area under the ROC curve at false positive rates up to 0.1, 1/2 at chance",
        citation: "McClish 1989, https://doi.org/10.1177/0272989X8900900307; scikit-learn roc_auc_score(max_fpr=0.1)")

    private static let limit = 0.1

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func undefined(on mask: ScoredMask) -> Undefined? {
        mask.isFull ? Undefined("the mask covers the whole image and leaves nothing to tell apart") : nil
    }

    public func value(of map: any RankedMap) -> Double? { scaled(area(map.profile, map.mask)) }

    private func scaled(_ area: Double) -> Double {
        let least = Self.limit * Self.limit / 2
        return 0.5 * (1 + (area - least) / (Self.limit - least))
    }

    private func area(_ profile: RankProfile, _ mask: ScoredMask) -> Double {
        let (positives, negatives) = (Double(mask.count), Double(mask.pixelCount - mask.count))
        var (x, y, sum) = (0.0, 0.0, 0.0)
        for (total, inside) in zip(profile.total, profile.inside) {
            let (dx, dy) = (Double(total - inside) / negatives, Double(inside) / positives)
            guard x + dx < Self.limit else {
                let share = dx > 0 ? (Self.limit - x) / dx : 0
                return sum + (Self.limit - x) * (y + share * dy / 2)
            }
            sum += dx * (y + dy / 2)
            (x, y) = (x + dx, y + dy)
        }
        return sum
    }

    public func exactChance(of map: SiteRanking) -> Double? {
        guard map.isExchangeable, map.classEnds.count == map.mask.pixelCount else { return nil }
        let negatives = Double(map.mask.pixelCount - map.mask.count)
        let whole = (Self.limit * negatives).rounded(.down)
        // Each other pixel adds a step as high as the lesion found before it; the last one counts in part.
        let steps = whole * (whole + 1) / 2 + (Self.limit * negatives - whole) * (whole + 1)
        return scaled(steps / (negatives * (negatives + 1)))
    }

    public func ceiling(of map: SiteRanking) -> Double? { scaled(area(map.profile.ideal, map.mask)) }
}
