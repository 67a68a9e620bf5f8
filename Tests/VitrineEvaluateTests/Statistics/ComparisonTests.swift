import Testing
import VitrineEvaluate
import VitrineTensor

@Suite struct ComparisonTests {
    @Test func signFlipAgreesWithSciPyEnumeration() throws {
        for c in try StatisticsFixture.cases("signFlip") {
            let result = try SignFlip.test(c["d"]!, alternative: c.alternative, seed: 1)
            #expect(result.method == .exact)
            expectClose(result.pValue, c[one: "p"])
        }
    }

    /// Beyond SciPy's sizes: 18 values against a plain loop over all 2^18 signs.
    @Test func signFlipAgreesWithAPlainLoop() throws {
        var generator = Philox(seed: 2, name: "loop")
        let d = (0..<18).map { _ in (generator.normal() + 0.4).rounded() }
        let observed = abs(d.reduce(0, +))
        var hits = 0
        for signs in 0..<1 << 18 {
            let sum = d.indices.reduce(0.0) { $0 + (signs >> $1 & 1 == 1 ? -d[$1] : d[$1]) }
            if abs(sum) >= observed { hits += 1 }
        }
        #expect(try SignFlip.test(d, seed: 1).pValue == Double(hits) / Double(1 << 18))
    }

    /// Padding with zeros leaves the exact test alone; 37 informative values switch to Monte Carlo, which stays near the exact answer.
    @Test func monteCarloApproachesTheExactTest() throws {
        var generator = Philox(seed: 3, name: "padding")
        let d = (0..<SignFlip.exactLimit).map { _ in generator.normal() + 0.35 }
        let exact = try SignFlip.test(d, seed: 1)
        #expect(try SignFlip.test(d + [Double](repeating: 0, count: 30), seed: 1).pValue == exact.pValue)
        let more = try SignFlip.test(d + [1e-9], draws: 100_000, seed: 1)
        #expect(exact.method == .exact && more.method == .monteCarlo)
        // Five standard errors of a proportion over 100,000 draws.
        #expect(abs(more.pValue - exact.pValue) < 5 * (exact.pValue / 100_000).squareRoot())
        let greater = try SignFlip.test(d + [1e-9], alternative: .greater, draws: 100_000, seed: 1)
        #expect(abs(greater.pValue - exact.pValue / 2) < 5 * (exact.pValue / 200_000).squareRoot())
    }

    /// Under the null hypothesis P(p <= α) = α: 2,000 studies, five standard errors.
    @Test(arguments: [12, 50]) func pValuesAreUniformUnderTheNull(patients: Int) throws {
        var generator = Philox(seed: 4, name: "null", index: UInt64(patients))
        let studies = 2_000
        let p = try (0..<studies).map { study in
            // Skewless but far from normal: the cube of a normal number.
            let d = (0..<patients).map { _ in
                let z = generator.normal()
                return z * z * z
            }
            return try SignFlip.test(d, draws: 999, seed: UInt64(study)).pValue
        }
        for alpha in [0.01, 0.05, 0.2, 0.5, 0.8] {
            let share = Double(p.count { $0 <= alpha }) / Double(studies)
            #expect(abs(share - alpha) < 5 * (alpha * (1 - alpha) / Double(studies)).squareRoot(), "α \(alpha): \(share)")
        }
    }

    @Test func signFlipEdges() throws {
        #expect(try SignFlip.test([0, 0], seed: 1).pValue == 1)
        #expect(try SignFlip.test([0, 0], alternative: .greater, seed: 1).pValue == 1)
        #expect(try SignFlip.test([2], seed: 1).pValue == 1)
        #expect(try SignFlip.test([2], alternative: .greater, seed: 1).pValue == 0.5)
        #expect(throws: StatisticsError.empty(what: "differences")) { try SignFlip.test([], seed: 1) }
        #expect(throws: StatisticsError.notFinite(what: "differences", index: 0, value: "inf")) { try SignFlip.test([.infinity], seed: 1) }
        let long = [Double](repeating: 0.5, count: 100)
        #expect(try SignFlip.test(long, draws: 999, seed: 1).pValue == 0.001)
        #expect(try SignFlip.test(long, draws: 999, seed: 1) == SignFlip.test(long, draws: 999, seed: 1))
    }

    @Test func wilcoxon() throws {
        for c in try StatisticsFixture.cases("wilcoxon") {
            let found = try WilcoxonSignedRank(
                c["d"]!, zeros: c.int("zeros") == 0 ? .pratt : .wilcox, alternative: c.alternative,
                computation: c.int("exact") == 1 ? .automatic : .normal)
            #expect((found.test.method == .exact) == (c.int("exact") == 1))
            expectClose(found.test.pValue, c[one: "p"])
            expectClose(found.positiveRankSum, c[one: "plus"])
            expectClose(found.rankBiserial, c[one: "biserial"])
        }
    }

    /// With ties and zeros the exact distribution is that of all sign choices of the given ranks.
    @Test func wilcoxonExactWithTies() throws {
        let d: [Double] = [0, 1, 1, -1, 2, 2, -3, 4, 0, 5, 5, -1]
        // Pratt: two zeros take ranks 1 and 2, four ones share (3 + 4 + 5 + 6) / 4, and so on.
        let ranks: [Double] = [4.5, 4.5, 4.5, 4.5, 7.5, 7.5, 9, 10, 11.5, 11.5]
        let plus = 2 * 4.5 + 2 * 7.5 + 10 + 2 * 11.5
        var (atLeast, atMost) = (0, 0)
        for signs in 0..<1 << 10 {
            let sum = ranks.indices.reduce(0.0) { $0 + (signs >> $1 & 1 == 1 ? ranks[$1] : 0) }
            if sum >= plus { atLeast += 1 }
            if sum <= plus { atMost += 1 }
        }
        let found = try WilcoxonSignedRank(d, computation: .exact)
        #expect(found.positiveRankSum == plus)
        expectClose(found.test.pValue, min(1, 2 * Double(min(atLeast, atMost)) / 1024))
        #expect(try WilcoxonSignedRank([0, 0]).test.pValue == 1)
        #expect(try WilcoxonSignedRank([0, 0]).rankBiserial == 0)
        #expect(throws: StatisticsError.empty(what: "differences")) { try WilcoxonSignedRank([]) }
    }

    @Test func mcNemarMultipleTestingCliff() throws {
        for c in try StatisticsFixture.cases("mcNemar") {
            expectClose(McNemar(onlyFirst: c.int("b"), onlySecond: c.int("c")).test.pValue, c[one: "p"])
        }
        #expect(try McNemar([true, true, false], [true, false, false]) == McNemar(onlyFirst: 1, onlySecond: 0))
        #expect(throws: StatisticsError.self) { try McNemar([true], []) }
        for c in try StatisticsFixture.cases("multiple") {
            expectClose(MultipleTesting.holm(c["p"]!), c["holm"]!)
            expectClose(MultipleTesting.benjaminiHochberg(c["p"]!), c["bh"]!)
        }
        for c in try StatisticsFixture.cases("cliff") { expectClose(cliffDelta(c["x"]!, c["y"]!), c[one: "delta"]) }
    }

    @Test func friedmanAndNemenyi() throws {
        for c in try StatisticsFixture.cases("friedman") {
            let k = c.int("methods")
            let found = try Friedman(c.rows("scores", width: k))
            expectClose(found.averageRanks, c["ranks"]!)
            expectClose(found.chiSquare.statistic, c[one: "chiSquare"])
            expectClose(found.chiSquare.pValue, c[one: "p"])
            expectClose(found.imanDavenport.statistic, c[one: "f"])
            expectClose(found.imanDavenport.pValue, c[one: "fp"])
            let nemenyi = try CriticalDifference(found)
            expectClose(nemenyi.pValues.flatMap { $0 }, c["nemenyi"]!)
            // Two methods closer than the critical difference are exactly those with p above alpha.
            for i in 0..<k {
                for j in 0..<k where j != i {
                    let close = abs(found.averageRanks[i] - found.averageRanks[j]) < nemenyi.criticalDifference
                    #expect(close == (nemenyi.pValues[i][j] > 0.05))
                    let together = nemenyi.indistinguishable.contains { $0.contains(i) && $0.contains(j) }
                    #expect(close == together)
                }
            }
        }
        let agreed = try Friedman([[3, 2, 1], [9, 5, 4], [1, 0.5, 0]])
        #expect(agreed.imanDavenport.statistic == .infinity && agreed.imanDavenport.pValue == 0 && agreed.averageRanks == [1, 2, 3])
        let tied = try Friedman([[1, 1, 1], [2, 2, 2]])
        #expect(tied.chiSquare.pValue == 1 && tied.imanDavenport.pValue == 1)
        #expect(throws: StatisticsError.self) { try Friedman([[1, 2]]) }
        #expect(throws: StatisticsError.self) { try Friedman([[1], [2]]) }
        #expect(throws: StatisticsError.self) { try Friedman([[1, 2], [1]]) }
    }

    /// A study of 40 patients in which the first method is better by 0.1 on average.
    @Test func pairedComparison() throws {
        var generator = Philox(seed: 6, name: "paired")
        let clusters = Clusters((0..<60).map { $0 % 40 })
        let second = (0..<60).map { _ in 0.3 + 0.1 * generator.normal() }
        let first = second.map { $0 + 0.1 + 0.05 * generator.normal() }
        let resamples = try ClusterResamples(clusters: 40, count: 2_000, seed: 8)
        let found = try PairedComparison(first, second, clusters: clusters, resamples: resamples)
        #expect(found.interval.contains(found.meanDifference) && found.interval.lower > 0.05 && found.interval.upper < 0.15)
        #expect(found.signFlip.pValue == 1 / 2_001.0 && found.wilcoxon.pValue < 1e-6 && found.rankBiserial > 0.9)
        #expect(found.cliffDelta > 0 && found.mcNemar == nil && found.patients == 40)
        // Exchanging both only changes signs.
        let reversed = try PairedComparison(second, first, clusters: clusters, resamples: resamples)
        expectClose(reversed.meanDifference, -found.meanDifference)
        #expect(reversed.signFlip.pValue == found.signFlip.pValue)
        expectClose(reversed.cliffDelta, -found.cliffDelta)
        let hits = try PairedComparison(
            first.map { $0 > 0.4 ? 1 : 0 }, second.map { $0 > 0.4 ? 1 : 0 }, clusters: clusters, resamples: resamples)
        #expect(hits.mcNemar != nil)
        // A method against itself differs by exactly 0 and must not be read as a proportion of 0.
        let same = try PairedComparison(first, first, clusters: clusters, resamples: resamples)
        #expect(same.interval.method == .constant && same.interval.upper == 0 && same.signFlip.pValue == 1 && same.cliffDelta == 0)
        #expect(throws: StatisticsError.self) { try PairedComparison(first, [0.1], clusters: clusters, resamples: resamples) }
        expectClose(minimumDetectableEffect(standardDeviation: 0.2, count: 49), 2.8 * 0.2 / 7)
    }

    @Test("comparisons that share one reading of the resamples are those made one by one, bit for bit")
    func together() throws {
        var generator = Philox(seed: 16, name: "together")
        let clusters = Clusters((0..<90).map { $0 % 61 })
        let one = try ClusterResamples(clusters: clusters.count, count: 1_030, seed: 8)
        let three = try ClusterResamples(clusters: clusters.count, count: 1_030, seed: 8, workers: 3)
        let scores = (0..<12).map { i in (0..<90).map { _ in i == 0 ? 1 : 0.3 + 0.02 * Double(i) + 0.1 * generator.normal() } }
        let hits = scores.map { $0.map { $0 > 0.4 ? 1.0 : 0 } }
        let pairs = (0..<11).map { (first: scores[$0], second: scores[$0 + 1]) } + [(first: hits[3], second: hits[7])]
        let alone = try pairs.map { try PairedComparison($0.first, $0.second, clusters: clusters, resamples: one) }
        #expect(try PairedComparison.all(pairs, clusters: clusters, resamples: one) == alone)
        #expect(try PairedComparison.all(pairs, clusters: clusters, resamples: three) == alone)

        let chance = (0..<90).map { _ in 0.3 + 0.05 * generator.uniform() }
        let samples = (scores + hits).enumerated().map { i, values in
            ChanceComparison.Sample(
                scores: values, chance: chance, ceiling: i % 3 == 0 ? nil : [Double](repeating: i % 3 == 1 ? 1 : 0, count: 90))
        }
        for better in [Direction.higher, .lower] {
            let alone = try samples.map {
                try ChanceComparison(
                    scores: $0.scores, chance: $0.chance, ceiling: $0.ceiling, better: better, clusters: clusters, resamples: one)
            }
            #expect(try ChanceComparison.all(samples, better: better, clusters: clusters, resamples: three) == alone)
            #expect(alone.contains { $0.skill == nil } && alone.contains { $0.skill != nil })
        }
        #expect(try PairedComparison.all([], clusters: clusters, resamples: one).isEmpty)
    }

    @Test("sign flips of several lists are those of each alone, and of the sums that they stand for")
    func flipsTogether() throws {
        var generator = Philox(seed: 17, name: "flips together")
        // Exact, certain and drawn ones side by side, of different lengths.
        let lists = [5, 40, 41, 77, 300].map { n in (0..<n).map { _ in generator.normal() + 0.1 } } + [[1, -1, 0]]
        let draws = 2_050
        for alternative in [Alternative.twoSided, .greater, .less] {
            let alone = try lists.map { try SignFlip.test($0, alternative: alternative, draws: draws, seed: 5) }
            #expect(try SignFlip.tests(lists, alternative: alternative, draws: draws, seed: 5, workers: 3) == alone)
        }
        let values = lists[3]
        let observed = values.reduce(0, +)
        let hits = (0..<draws).count { draw in
            var random = Philox(seed: 5, name: "sign flip", index: UInt64(draw))
            var (total, bits) = (0.0, UInt32(0))
            for start in stride(from: 0, to: values.count, by: 8) {
                if start % 32 == 0 { bits = random.nextUInt32() }
                var sum = 0.0
                for value in values[start..<min(start + 8, values.count)] {
                    sum += bits & 1 == 1 ? -value : value
                    bits >>= 1
                }
                total += sum
            }
            return total >= observed - 1e-12 * values.reduce(0) { $0 + abs($1) }
        }
        #expect(try SignFlip.test(values, alternative: .greater, draws: draws, seed: 5).pValue == Double(1 + hits) / Double(1 + draws))
        #expect(throws: StatisticsError.self) { try SignFlip.tests(lists, draws: 0, seed: 5) }
    }

    @Test func chanceComparison() throws {
        let clusters = Clusters(independent: 40)
        let resamples = try ClusterResamples(clusters: 40, count: 1_000, seed: 2)
        let chance = (0..<40).map { 0.05 + 0.005 * Double($0) }
        let hits = (0..<40).map { $0 % 2 == 0 ? 1.0 : 0 }
        let ones = [Double](repeating: 1, count: 40)
        let found = try ChanceComparison(scores: hits, chance: chance, ceiling: ones, clusters: clusters, resamples: resamples)
        expectClose(found.skill!, (0.5 - found.chance) / (1 - found.chance))
        #expect(found.skillInterval!.contains(found.skill!) && found.excessInterval.lower > 0)
        expectClose(found.poissonBinomial!, try PoissonBinomial(chance).atLeast(20))
        #expect(found.signFlip.pValue < 0.01)
        let atChance = try ChanceComparison(scores: chance, chance: chance, ceiling: ones, clusters: clusters, resamples: resamples)
        #expect(atChance.skill == 0 && atChance.signFlip.pValue == 1 && atChance.poissonBinomial == nil)
        let atCeiling = try ChanceComparison(scores: ones, chance: chance, ceiling: ones, clusters: clusters, resamples: resamples)
        #expect(atCeiling.skill == 1)
        let noRoom = try ChanceComparison(scores: hits, chance: ones, ceiling: ones, clusters: clusters, resamples: resamples)
        #expect(noRoom.skill == nil && noRoom.skillInterval == nil && noRoom.signFlip.pValue > 0.9)
    }
}
