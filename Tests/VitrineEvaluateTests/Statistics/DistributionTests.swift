import Testing
import VitrineEvaluate

@Suite struct DistributionTests {
    /// Tails are compared relatively without an absolute floor: their precision is what small p-values need.
    private func expectTail(_ found: Double, _ expected: Double, _ c: StatisticsFixture.Case) {
        expectClose(found, expected, absolute: 0, "\(c)")
    }

    @Test func normal() throws {
        for c in try StatisticsFixture.cases("normalCumulative") {
            expectTail(NormalDistribution.cumulative(c[one: "x"]), c[one: "value"], c)
        }
        for c in try StatisticsFixture.cases("normalQuantile") { expectTail(NormalDistribution.quantile(c[one: "x"]), c[one: "value"], c) }
        #expect(NormalDistribution.quantile(0) == -.infinity && NormalDistribution.quantile(1) == .infinity)
        #expect(NormalDistribution.quantile(-0.1).isNaN && NormalDistribution.quantile(.nan).isNaN)
    }

    @Test func gamma() throws {
        for c in try StatisticsFixture.cases("logGamma") { expectTail(GammaFunction.log(c[one: "x"]), c[one: "value"], c) }
        for c in try StatisticsFixture.cases("gammaIncomplete") {
            let (lower, upper) = GammaFunction.regularised(a: c[one: "a"], x: c[one: "x"])
            // The smaller tail is the one computed directly; the other is its complement.
            if c[one: "lower"] < 0.5 { expectClose(lower, c[one: "lower"], "\(c)") } else { expectClose(upper, c[one: "upper"], "\(c)") }
            expectClose(lower, c[one: "lower"], "\(c)")
            expectClose(upper, c[one: "upper"], "\(c)")
        }
        #expect(GammaFunction.log(-1).isNaN && GammaFunction.regularised(a: -1, x: 1).lower.isNaN)
        #expect(abs(GammaFunction.log(1)) < 1e-14 && abs(GammaFunction.log(2)) < 1e-14)
    }

    @Test func beta() throws {
        for c in try StatisticsFixture.cases("betaIncomplete") {
            let (lower, upper) = BetaFunction.regularised(c[one: "x"], a: c[one: "a"], b: c[one: "b"])
            expectClose(lower, c[one: "lower"], "\(c)")
            expectClose(upper, c[one: "upper"], "\(c)")
        }
        for c in try StatisticsFixture.cases("betaQuantile") {
            let (x, complement) = BetaFunction.quantile(c[one: "p"], a: c[one: "a"], b: c[one: "b"])
            expectTail(x, c[one: "value"], c)
            #expect(x + complement == 1 || abs(x + complement - 1) < 1e-15)
        }
        #expect(BetaFunction.regularised(1.5, a: 1, b: 1).lower.isNaN && BetaFunction.quantile(2, a: 1, b: 1).x.isNaN)
    }

    @Test func studentFisherChiSquareBinomial() throws {
        for c in try StatisticsFixture.cases("studentT") {
            expectTail(StudentT(degreesOfFreedom: c[one: "df"]).survival(c[one: "t"]), c[one: "survival"], c)
        }
        for c in try StatisticsFixture.cases("studentTQuantile") {
            expectTail(StudentT(degreesOfFreedom: c[one: "df"]).quantile(c[one: "p"]), c[one: "value"], c)
        }
        for c in try StatisticsFixture.cases("fisher") {
            expectTail(FDistribution(numerator: c[one: "d1"], denominator: c[one: "d2"]).survival(c[one: "f"]), c[one: "survival"], c)
        }
        for c in try StatisticsFixture.cases("fisherQuantile") {
            expectTail(FDistribution(numerator: c[one: "d1"], denominator: c[one: "d2"]).quantile(c[one: "p"]), c[one: "value"], c)
        }
        for c in try StatisticsFixture.cases("chiSquare") {
            expectTail(ChiSquareDistribution(degreesOfFreedom: c[one: "df"]).survival(c[one: "x"]), c[one: "survival"], c)
        }
        for c in try StatisticsFixture.cases("binomial") {
            let distribution = BinomialDistribution(trials: c.int("n"), probability: c[one: "p"])
            expectTail(distribution.cumulative(c.int("k")), c[one: "cumulative"], c)
            expectTail(distribution.atLeast(c.int("k")), c[one: "atLeast"], c)
        }
    }

    @Test func studentisedRange() throws {
        for c in try StatisticsFixture.cases("studentisedRange") {
            expectTail(StudentisedRange(groups: c.int("groups")).survival(c[one: "q"]), c[one: "survival"], c)
        }
        // SciPy inverts by a secant search to about 1e-8.
        for c in try StatisticsFixture.cases("studentisedRangeQuantile") {
            expectClose(StudentisedRange(groups: c.int("groups")).upperQuantile(c[one: "tail"]), c[one: "value"], relative: 1e-7)
        }
        // The range of two normal numbers is the absolute value of one with variance 2.
        for q in [0.1, 1, 5, 20] {
            let closed = 2 * NormalDistribution.survival(q / 2.0.squareRoot())
            expectClose(StudentisedRange(groups: 2).survival(q), closed, relative: 1e-12, absolute: 0)
        }
        // Demšar 2006, table 5(a), three decimals; 2.7277, 3.0309 and so on are cut there, not rounded.
        for (k, q) in zip(2...10, [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]) {
            #expect(abs(CriticalDifference.criticalValue(groups: k, alpha: 0.05) - q) < 0.001)
        }
    }

    @Test func poissonBinomial() throws {
        for c in try StatisticsFixture.cases("poissonBinomial") {
            let distribution = try PoissonBinomial(c["p"]!)
            for (k, tail) in zip(c.ints("k"), c["atLeast"]!) {
                expectClose(distribution.atLeast(k), tail, absolute: 0)
                if tail < 0.999 { expectClose(distribution.atMost(k - 1), 1 - tail) }
            }
            expectClose(distribution.probabilities.reduce(0, +), 1)
        }
        // Equal chances are the binomial distribution.
        let equal = try PoissonBinomial([Double](repeating: 0.3, count: 20))
        let binomial = BinomialDistribution(trials: 20, probability: 0.3)
        for k in 0...21 { expectClose(equal.atLeast(k), binomial.atLeast(k), absolute: 0) }
        #expect(throws: StatisticsError.outOfRange(what: "chance level", value: "1.5", allowed: "[0, 1]")) { try PoissonBinomial([1.5]) }
    }
}
