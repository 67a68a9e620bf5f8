/// Wilcoxon's signed-rank test of paired differences, one per patient.
///
/// Source: Wilcoxon 1945; zeros after Pratt 1959 (https://doi.org/10.1080/01621459.1959.10501526).
public struct WilcoxonSignedRank: Sendable, Equatable {
    /// What happens to differences of 0.
    public enum Zeros: String, Sendable, Codable {
        /// Ranked with the others, then their ranks are left out.
        case pratt
        /// Left out before ranking.
        case wilcox
    }

    /// How the p-value is found.
    public enum Computation: String, Sendable, Codable {
        /// Exact for at most 50 differences without ties and without Pratt zeros, else normal.
        case automatic
        /// The permutation distribution of the given mid-ranks, exact with ties and zeros too: O(n³).
        case exact
        /// Normal with the variance corrected for ties and zeros, no continuity correction.
        case normal
    }

    /// Sum of the ranks of positive differences.
    public let positiveRankSum: Double
    /// Sum of the ranks of negative differences.
    public let negativeRankSum: Double
    /// The test: statistic = `positiveRankSum`, count = number of differences other than 0.
    public let test: TestResult

    /// Matched-pairs rank-biserial correlation (W+ - W-) / (W+ + W-), in [-1, 1]; 0 where all differences are 0.
    ///
    /// Source: Kerby 2014, https://doi.org/10.2466/11.IT.3.1.
    public var rankBiserial: Double {
        let total = positiveRankSum + negativeRankSum
        return total > 0 ? (positiveRankSum - negativeRankSum) / total : 0
    }

    /// Tests whether the differences are symmetric about 0.
    ///
    /// Differences that are equal only up to rounding are not ties: pass scores, not sums of rounded scores, where ties matter.
    /// With no difference other than 0 the p-value is 1.
    /// - Throws: `StatisticsError` when nothing is given or a difference is not finite.
    public init(_ differences: [Double], zeros: Zeros = .pratt, alternative: Alternative = .twoSided, computation: Computation = .automatic)
        throws
    {
        guard !differences.isEmpty else { throw StatisticsError.empty(what: "differences") }
        try validate(differences, what: "differences")
        let kept = zeros == .pratt ? differences : differences.filter { $0 != 0 }
        let (ranks, _) = midRanks(kept.map(abs))
        var informative: [Double] = []
        var (plus, minus) = (0.0, 0.0)
        for (difference, rank) in zip(kept, ranks) where difference != 0 {
            informative.append(rank)
            if difference > 0 { plus += rank } else { minus += rank }
        }
        (positiveRankSum, negativeRankSum) = (plus, minus)
        let groups = midRanks(informative).groupSizes
        let zeroCount = kept.count - informative.count
        let plain = informative.count <= 50 && zeroCount == 0 && groups.allSatisfy { $0 == 1 }
        guard !informative.isEmpty else {
            test = TestResult(statistic: plus, pValue: 1, count: 0, method: .exact)
            return
        }
        if computation == .exact || computation == .automatic && plain {
            let p = Self.exactPValue(informative, plus: plus, alternative)
            test = TestResult(statistic: plus, pValue: p, count: informative.count, method: .exact)
        } else {
            let p = Self.normalPValue(kept.count, zeroCount, groups, plus: plus, alternative)
            test = TestResult(statistic: plus, pValue: p, count: informative.count, method: .normal)
        }
    }

    /// Convolves the two-point distributions of all ranks, doubled so that mid-ranks are whole.
    private static func exactPValue(_ ranks: [Double], plus: Double, _ alternative: Alternative) -> Double {
        let doubled = ranks.map { Int((2 * $0).rounded()) }
        var mass = [Double](repeating: 0, count: doubled.reduce(0, +) + 1)
        mass[0] = 1
        var top = 0
        for rank in doubled {
            top += rank
            for sum in stride(from: top, through: 0, by: -1) {
                mass[sum] = 0.5 * (mass[sum] + (sum >= rank ? mass[sum - rank] : 0))
            }
        }
        let observed = Int((2 * plus).rounded())
        let atMost = mass[...observed].reduce(0, +)
        let atLeast = mass[observed...].reversed().reduce(0, +)
        return switch alternative {
        case .twoSided: min(1, 2 * min(atMost, atLeast))
        case .greater: min(1, atLeast)
        case .less: min(1, atMost)
        }
    }

    private static func normalPValue(_ count: Int, _ zeroCount: Int, _ groups: [Int], plus: Double, _ alternative: Alternative) -> Double {
        let (n, z) = (Double(count), Double(zeroCount))
        let center = (n * (n + 1) - z * (z + 1)) / 4
        let variance = (n * (n + 1) * (2 * n + 1) - z * (z + 1) * (2 * z + 1) - 0.5 * tieTerm(groups)) / 24
        let score = (plus - center) / variance.squareRoot()
        return switch alternative {
        case .twoSided: min(1, 2 * NormalDistribution.survival(abs(score)))
        case .greater: NormalDistribution.survival(score)
        case .less: NormalDistribution.cumulative(score)
        }
    }
}
