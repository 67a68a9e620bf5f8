import Testing
import VitrineEvaluate
import VitrineTensor

@Suite struct AgreementTests {
    @Test func kendall() throws {
        for c in try StatisticsFixture.cases("tau") { expectClose(kendallTauB(c["x"]!, c["y"]!), c[one: "value"]) }
        #expect(kendallTauB([1, 1, 1], [1, 2, 3]).isNaN && kendallTauB([1], [1]).isNaN)
        for c in try StatisticsFixture.cases("concordance") {
            let found = try KendallW(c.rows("ratings", width: c.int("items")))
            expectClose(found.concordance, c[one: "value"])
            expectClose(found.test.pValue, c[one: "p"])
        }
        #expect(try KendallW([[1, 2, 3], [10, 20, 30]]).concordance == 1)
        #expect(try KendallW([[1, 1], [2, 2]]).concordance.isNaN)
        #expect(throws: StatisticsError.self) { try KendallW([[1, 2]]) }
    }

    /// Two metrics that agree, one that ranks the methods the other way round.
    @Test func rankAgreement() throws {
        var generator = Philox(seed: 1, name: "agreement")
        let clusters = Clusters(independent: 30)
        let means = [0.2, 0.4, 0.6, 0.8]
        func metric(_ slope: Double) throws -> [ClusterRatio] {
            try means.map { m in try .mean((0..<30).map { _ in slope * m + 0.05 * generator.normal() }, clusters: clusters) }
        }
        let scores = [try metric(1), try metric(2), try metric(-1)]
        let resamples = try ClusterResamples(clusters: 30, count: 500, seed: 4)
        let found = try RankAgreement(scores, resamples: resamples)
        #expect(found.tau == [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])
        #expect(found.tauIntervals[0][1].lower == 1 && found.tauIntervals[0][2].upper == -1)
        // Three raters, one reversed: rank sums deviate by a third of their largest deviation, so W = 1/9.
        expectClose(found.concordance, 1.0 / 9)
        #expect(throws: StatisticsError.self) { try RankAgreement([scores[0]], resamples: resamples) }

        // With methods that differ less than their noise the interval of tau opens.
        func noise() throws -> [ClusterRatio] {
            try means.map { m in try .mean((0..<30).map { _ in 0.05 * m + generator.normal() }, clusters: clusters) }
        }
        let open = try RankAgreement([try noise(), try noise()], resamples: resamples)
        #expect(open.tauIntervals[0][1].upper - open.tauIntervals[0][1].lower > 0.5)
    }

    @Test func intraclassCorrelation() throws {
        let cases = try StatisticsFixture.cases("icc")
        for c in cases {
            let found = try IntraclassCorrelation(c.rows("ratings", width: c.int("readers")))
            expectClose(found.value, c[one: "value"])
            expectClose([found.interval.lower, found.interval.upper], c["interval"]!)
        }
        // Shrout & Fleiss 1979, table 4: ICC(2,1) = .29.
        #expect(abs(cases[0][one: "value"] - 0.29) < 0.005)
        let perfect = try IntraclassCorrelation([[1, 1], [2, 2], [4, 4]])
        #expect(perfect.value == 1 && perfect.interval.method == .constant)
        #expect(try IntraclassCorrelation([[1, 1], [1, 1]]).interval.method == .undefined)
        #expect(throws: StatisticsError.self) { try IntraclassCorrelation([[1, 2]]) }
    }

    @Test func regression() throws {
        for c in try StatisticsFixture.cases("regression") {
            let y = c["y"]!
            let found = try LinearRegression(response: y, columns: c.rows("x", width: y.count), clusters: Clusters(c.ints("groups")))
            expectClose(found.coefficients, c["beta"]!)
            expectClose(found.standardErrors, c["se"]!)
            expectClose(found.tStatistics, c["t"]!)
            expectClose(found.pValues, c["p"]!)
            expectClose(found.intervals.flatMap { [$0.lower, $0.upper] }, c["interval"]!)
            expectClose(found.rSquared, c[one: "r2"])
        }
        let x = [1.0, 2, 3, 4, 5]
        let twice = x.map { 2 * $0 + 1 }
        #expect(throws: StatisticsError.collinear(column: 2)) {
            try LinearRegression(response: x, columns: [x, twice], clusters: Clusters(independent: 5))
        }
        #expect(throws: StatisticsError.collinear(column: 1)) {
            try LinearRegression(response: x, columns: [[2, 2, 2, 2, 2]], clusters: Clusters(independent: 5))
        }
        #expect(throws: StatisticsError.tooFew(what: "patients of a regression", needed: 2, found: 1)) {
            try LinearRegression(response: x, columns: [], clusters: Clusters(["a", "a", "a", "a", "a"]))
        }
    }
}
