/// McNemar's exact test of two paired proportions, such as pointing-game hits of two methods.
///
/// Source: McNemar 1947, https://doi.org/10.1007/BF02295996. Pairs are taken as independent: where patients have several
/// images prefer the sign-flip test on patients.
public struct McNemar: Sendable, Equatable {
    /// Pairs in which only the first succeeds.
    public let onlyFirst: Int
    /// Pairs in which only the second succeeds.
    public let onlySecond: Int
    /// The test: statistic = the smaller of both counts, count = number of discordant pairs.
    public let test: TestResult

    /// Two-sided binomial test that a discordant pair favours either side with probability 1/2; p = 1 without discordant pairs.
    public init(onlyFirst: Int, onlySecond: Int) {
        self.onlyFirst = onlyFirst
        self.onlySecond = onlySecond
        let n = onlyFirst + onlySecond
        let least = min(onlyFirst, onlySecond)
        let p = min(1, 2 * BinomialDistribution(trials: n, probability: 0.5).cumulative(least))
        test = TestResult(statistic: Double(least), pValue: p, count: n, method: .exact)
    }

    /// Counts the discordant pairs of two sets of hits.
    /// - Throws: `StatisticsError.lengthMismatch` when the sets differ in size.
    public init(_ first: [Bool], _ second: [Bool]) throws {
        guard first.count == second.count else {
            throw StatisticsError.lengthMismatch(what: "paired hits", expected: first.count, found: second.count)
        }
        let pairs = zip(first, second)
        self.init(onlyFirst: pairs.count { $0 && !$1 }, onlySecond: pairs.count { !$0 && $1 })
    }
}
