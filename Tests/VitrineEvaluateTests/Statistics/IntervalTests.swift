import Testing
import VitrineTensor

@testable import VitrineEvaluate

@Suite struct IntervalTests {
    @Test func proportions() throws {
        for c in try StatisticsFixture.cases("proportion") {
            let wilson = try ProportionInterval.wilson(successes: c.int("k"), trials: c.int("n"), level: c[one: "level"])
            let exact = try ProportionInterval.clopperPearson(successes: c.int("k"), trials: c.int("n"), level: c[one: "level"])
            expectClose([wilson.lower, wilson.upper], c["wilson"]!)
            expectClose([exact.lower, exact.upper], c["exact"]!)
        }
        #expect(throws: StatisticsError.empty(what: "proportion")) { try ProportionInterval.wilson(successes: 0, trials: 0) }
        #expect(throws: StatisticsError.self) { try ProportionInterval.clopperPearson(successes: 4, trials: 3) }
        #expect(throws: StatisticsError.self) { try ProportionInterval.wilson(successes: 1, trials: 3, level: 1) }
    }

    @Test func quantiles() throws {
        for c in try StatisticsFixture.cases("quantile") {
            expectClose(c["p"]!.map { quantile(ofSorted: c["values"]!, $0) }, c["value"]!)
        }
    }

    /// SciPy's own replicates through our formula give SciPy's limits; our own resamples give them up to Monte-Carlo error.
    @Test func bcaAgreesWithSciPy() throws {
        for c in try StatisticsFixture.cases("bca") {
            let interval = try BCaInterval.interval(
                estimate: c[one: "estimate"], replicates: c["replicates"]!, leaveOneOut: c["leaveOneOut"]!)
            expectClose([interval.lower, interval.upper], c["interval"]!)
            #expect(interval.method == .bca)

            let values = c["x"]!
            let ratio = try ClusterRatio.mean(values, clusters: Clusters(independent: values.count))
            let own = try ClusterResamples(clusters: values.count, seed: 3).interval(of: ratio)
            // A 2.5 % quantile of 10,000 replicates has a standard error of sqrt(.025 * .975 / 10000) / φ(1.96) = 0.027 standard
            // errors of the mean, and the bias correction doubles it; the binary sample moves in steps of 1/30.
            let error = standardDeviation(values) / Double(values.count).squareRoot()
            let step = ratio.isProportion ? 1 / Double(values.count) : 0
            #expect(abs(own.lower - c["converged"]![0]) < 0.25 * error + step)
            #expect(abs(own.upper - c["converged"]![1]) < 0.25 * error + step)
            expectClose(ratio.leaveOneOut, c["leaveOneOut"]!)
        }
    }

    /// Nominal 95 % intervals over 2,000 simulated studies: 50 patients with 1-5 images that share a patient effect.
    @Test(arguments: Aggregation.allCases) func coverageOfClusteredMeans(_ aggregation: Aggregation) throws {
        var generator = Philox(seed: 11, name: "coverage")
        let studies = 2_000
        var covered = 0
        for study in 0..<studies {
            var patients: [Int] = []
            var scores: [Double] = []
            for patient in 0..<50 {
                let effect = 0.2 * generator.normal()
                for _ in 0...generator.below(5) {
                    patients.append(patient)
                    scores.append(0.4 + effect + 0.1 * generator.normal())
                }
            }
            let clusters = Clusters(patients)
            let resamples = try ClusterResamples(clusters: 50, count: 999, seed: UInt64(study))
            let interval = try resamples.interval(of: .mean(scores, clusters: clusters, aggregation: aggregation))
            if interval.contains(0.4) { covered += 1 }
        }
        let coverage = Double(covered) / Double(studies)
        #expect(coverage >= 0.93 && coverage <= 0.97, "coverage \(coverage)")
    }

    @Test func resultsDoNotDependOnThreadsOrStorage() throws {
        var generator = Philox(seed: 5, name: "threads")
        let clusters = Clusters((0..<90).map { _ in generator.below(23) })
        let ratio = try ClusterRatio.mean((0..<90).map { _ in generator.uniform() }, clusters: clusters)
        let one = try ClusterResamples(clusters: clusters.count, count: 1_001, seed: 9)
        let three = try ClusterResamples(clusters: clusters.count, count: 1_001, seed: 9, workers: 3)
        let redrawn = try ClusterResamples(clusters: clusters.count, count: 1_001, seed: 9, workers: 2, storedLimit: 0)
        let reference = try one.replicates(of: [ratio, ratio])
        #expect(try three.replicates(of: [ratio, ratio]) == reference)
        #expect(try redrawn.replicates(of: [ratio, ratio]) == reference)
        #expect(try ClusterResamples(clusters: clusters.count, count: 1_001, seed: 10).replicates(of: [ratio])[0] != reference[0])
        for resample in [0, 17, 1_000] {
            let weights = one.multiplicities(resample)
            #expect(weights == redrawn.multiplicities(resample))
            #expect(weights.reduce(0, +) == clusters.count)
            // The slow twin: repeat the images of every patient as often as it was drawn.
            let n = zip(weights, ratio.numerators).reduce(0) { $0 + Double($1.0) * $1.1 }
            let d = zip(weights, ratio.denominators).reduce(0) { $0 + Double($1.0) * $1.1 }
            expectClose(reference[0][resample], n / d)
        }
        let generic: @Sendable ([Int]) -> Double = { weights in
            let n = zip(weights, ratio.numerators).reduce(0) { $0 + Double($1.0) * $1.1 }
            return n / zip(weights, ratio.denominators).reduce(0) { $0 + Double($1.0) * $1.1 }
        }
        let fast = try one.interval(of: ratio)
        let slow = try three.interval(generic)
        expectClose([slow.lower, slow.upper], [fast.lower, fast.upper])
    }

    @Test func degenerateSamples() throws {
        let resamples = try ClusterResamples(clusters: 50, seed: 1)
        let all = Clusters(independent: 50)
        let hits = try ClusterRatio.mean([Double](repeating: 1, count: 50), clusters: all)
        let misses = try ClusterRatio.mean([Double](repeating: 0, count: 50), clusters: all)
        let constant = try ClusterRatio.mean([Double](repeating: 0.3, count: 50), clusters: all)
        let found = try resamples.intervals(of: [hits, misses, constant])
        #expect(found[0] == (try ProportionInterval.clopperPearson(successes: 50, trials: 50)))
        #expect(found[1] == (try ProportionInterval.clopperPearson(successes: 0, trials: 50)))
        #expect(found[2].method == .constant && found[2].lower == found[2].upper)
        #expect(try resamples.interval(of: hits, fallback: .wilson) == ProportionInterval.wilson(successes: 50, trials: 50))
        let single = try ClusterResamples(clusters: 1, count: 10, seed: 1)
        let one = try single.interval(of: .mean([0.2, 0.4], clusters: Clusters(["a", "a"])))
        #expect(one.method == .undefined && one.lower == -.infinity && one.upper == .infinity)
        // One image that differs keeps the bootstrap, and its limits stay inside the data.
        let rare = try resamples.interval(of: .mean([1] + [Double](repeating: 0, count: 49), clusters: all))
        #expect(rare.method == .bca && rare.lower >= 0 && rare.upper < 0.2 && rare.upper > 0.02)
    }

    /// Scores = patient effect + seed effect: the interval over both is as wide as their two variances together.
    @Test func trainingSeedsWidenTheInterval() throws {
        var generator = Philox(seed: 8, name: "seeds")
        let patients = (0..<60).map { _ in generator.normal() }
        let effects = (0..<20).map { _ in 0.5 * generator.normal() }
        let clusters = Clusters(independent: 60)
        let seeds = try effects.map { effect in try ClusterRatio.mean(patients.map { $0 + effect }, clusters: clusters) }
        let resamples = try ClusterResamples(clusters: 60, seed: 3)
        let interval = try resamples.trainingSeedInterval(of: seeds)
        #expect(interval.method == .percentile)
        // Bootstrap variances of both means; the interval of a normal sum is 2 * 1.96 standard deviations wide. Monte-Carlo error 3 %.
        func varianceOfMean(_ x: [Double]) -> Double {
            let spread = standardDeviation(x)
            return spread * spread * Double(x.count - 1) / Double(x.count * x.count)
        }
        let width = 2 * 1.96 * (varianceOfMean(patients) + varianceOfMean(effects)).squareRoot()
        #expect(abs((interval.upper - interval.lower) / width - 1) < 0.06)
        #expect(try resamples.trainingSeedInterval(of: [seeds[0]]).method == .undefined)
    }

    @Test func badInputThrows() throws {
        let clusters = Clusters(["a", "b", "a"])
        #expect(clusters.count == 2 && clusters.index == [0, 1, 0] && clusters.sizes == [2, 1])
        #expect(throws: StatisticsError.lengthMismatch(what: "scores", expected: 3, found: 2)) {
            try ClusterRatio.mean([1, 2], clusters: clusters)
        }
        #expect(throws: StatisticsError.notFinite(what: "scores", index: 1, value: "nan")) {
            try ClusterRatio.mean([1, .nan, 2], clusters: clusters)
        }
        #expect(throws: StatisticsError.empty(what: "scores")) { try ClusterRatio.mean([], clusters: Clusters(independent: 0)) }
        #expect(throws: StatisticsError.empty(what: "patients")) { try ClusterResamples(clusters: 0, seed: 1) }
        let resamples = try ClusterResamples(clusters: 3, count: 10, seed: 1)
        #expect(throws: StatisticsError.lengthMismatch(what: "patients of a statistic", expected: 3, found: 2)) {
            try resamples.interval(of: .mean([1, 2, 3], clusters: clusters))
        }
        #expect(throws: StatisticsError.self) { try BCaInterval.interval(estimate: .nan, replicates: [1, 2], leaveOneOut: [1, 2]) }
    }
}
