/// Kendall's coefficient of concordance: how far several raters (metrics) rank the same items (methods) alike.
///
/// W = 12 S / (m² (n³ - n) - m ΣT), S the sum of squared deviations of the rank sums, T = Σ(t³ - t) over a rater's ties.
/// Source: Kendall & Smith 1939, https://doi.org/10.1214/aoms/1177732186; 1 is complete agreement, 0 none.
public struct KendallW: Sendable, Equatable {
    /// In [0, 1]; NaN where every rater ties all items.
    public let concordance: Double
    /// χ² = m (n-1) W on n-1 degrees of freedom, the null hypothesis being rankings at random.
    public let test: TestResult

    /// - Parameter ratings: `[rater][item]`, higher is better for every rater.
    /// - Throws: `StatisticsError` unless there are two raters and two items at least, all finite.
    public init(_ ratings: [[Double]]) throws {
        guard ratings.count >= 2 else { throw StatisticsError.tooFew(what: "raters of Kendall's W", needed: 2, found: ratings.count) }
        let items = ratings[0].count
        guard items >= 2 else { throw StatisticsError.tooFew(what: "items of Kendall's W", needed: 2, found: items) }
        for rating in ratings { try validate(rating, what: "ratings", count: items) }
        concordance = Self.concordance(ratings)
        let statistic = Double(ratings.count * (items - 1)) * concordance
        test = TestResult(
            statistic: statistic,
            pValue: statistic.isNaN ? 1 : ChiSquareDistribution(degreesOfFreedom: Double(items - 1)).survival(statistic),
            count: ratings.count, method: .chiSquare)
    }

    /// W of valid ratings; NaN where every rater ties all items.
    static func concordance(_ ratings: [[Double]]) -> Double {
        let (m, n) = (Double(ratings.count), Double(ratings[0].count))
        var sums = [Double](repeating: 0, count: ratings[0].count)
        var ties = 0.0
        for rating in ratings {
            let (ranks, groups) = midRanks(rating)
            for j in ranks.indices { sums[j] += ranks[j] }
            ties += tieTerm(groups)
        }
        let center = m * (n + 1) / 2
        let squares = sums.reduce(0) { $0 + ($1 - center) * ($1 - center) }
        let scale = m * m * (n * n * n - n) - m * ties
        return scale > 0 ? min(1, 12 * squares / scale) : .nan
    }
}
