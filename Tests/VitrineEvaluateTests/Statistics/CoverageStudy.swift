import VitrineTensor

@testable import VitrineEvaluate

/// Simulated studies with a known truth: how often intervals hold it, and how often tests claim what is not so.
struct CoverageStudy {
    /// What a patient's scores look like.
    enum Shape: String, CaseIterable {
        case normal
        /// Like an IoU: most low, some high.
        case skewed = "skewed up"
        /// Like a rank correlation near 1.
        case saturated = "skewed down"
        /// 0 or 1, likely within a patient.
        case hits
        /// Two kinds of patients.
        case two = "two kinds"
    }

    var shape: Shape
    var patients: Int
    /// Images of a patient: one, or one to four.
    var isClustered: Bool
    var studies: Int
    var resamples: Int
    var seed: UInt64 = 1

    /// One study: a score per image, whose mean over images of all patients is `truth`, and who the patients are.
    func sample(_ study: Int, _ purpose: String = "scores") -> (scores: [Double], clusters: Clusters) {
        var random = Philox(seed: seed, name: "\(purpose)/\(shape)/\(patients)/\(isClustered)", index: UInt64(study))
        var (scores, owners): ([Double], [Int]) = ([], [])
        for patient in 0..<patients {
            let images = isClustered ? 1 + random.below(4) : 1
            let level = level(&random)
            for _ in 0..<images {
                switch shape {
                case .normal: scores.append(level + 0.7 * random.normal())
                case .hits: scores.append(random.uniform() < level ? 1 : 0)
                default: scores.append(level + 0.05 * random.normal())
                }
                owners.append(patient)
            }
        }
        return (scores, Clusters(owners))
    }

    private func level(_ random: inout Philox) -> Double {
        switch shape {
        case .normal: 0.7 * random.normal()
        // Beta(1, 4) and Beta(8, 1) by inversion.
        case .skewed: 1 - power(random.uniform(), 1.0 / 4)
        case .saturated: power(random.uniform(), 1.0 / 8)
        case .hits: random.uniform()
        case .two: random.uniform() < 0.5 ? 0.2 : 0.8
        }
    }

    var truth: Double {
        switch shape {
        case .normal: 0
        case .skewed: 1.0 / 5
        case .saturated: 8.0 / 9
        case .hits, .two: 0.5
        }
    }

    private func power(_ x: Double, _ exponent: Double) -> Double {
        var (root, steps) = (x, exponent)
        while steps < 1 {
            root = root.squareRoot()
            steps *= 2
        }
        return root
    }

    /// The share of studies in which `body` holds.
    func share(_ body: (Int) throws -> Bool) rethrows -> Double {
        var held = 0
        for study in 0..<studies where try body(study) { held += 1 }
        return Double(held) / Double(studies)
    }

    private func resampling(_ clusters: Clusters, _ study: Int) throws -> ClusterResamples {
        try ClusterResamples(clusters: clusters.count, count: resamples, seed: UInt64(study))
    }

    /// Coverage of the verdict's interval of a mean.
    func coverage() throws -> Double {
        try share { study in
            let (scores, clusters) = sample(study)
            let ratio = try ClusterRatio.mean(scores, clusters: clusters)
            if shape == .hits && !isClustered {
                let hits = scores.count { $0 == 1 }
                return try ProportionInterval.wilson(successes: hits, trials: scores.count).contains(truth)
            }
            let range: ClosedRange<Double>? = shape == .normal ? nil : 0...1
            return try StudentisedBootstrap(ratio, resamples: resampling(clusters, study)).interval(within: range).contains(truth)
        }
    }

    /// Coverage of the BCa interval, for comparison.
    func coverageOfBCa() throws -> Double {
        try share { study in
            let (scores, clusters) = sample(study)
            return try resampling(clusters, study).interval(of: ClusterRatio.mean(scores, clusters: clusters)).contains(truth)
        }
    }

    /// How often a test claims anything where the mean is at the bar.
    ///
    /// - Parameter second: excess of a second criterion, in its own standard deviations; nil for one criterion.
    func size(second: Double? = nil) throws -> Double {
        try share { study in
            let (scores, clusters) = sample(study)
            let resamples = try resampling(clusters, study)
            var criteria = [try BarTest.Criterion(scores.map { $0 - truth }, clusters: clusters, resamples: resamples)]
            if let second {
                var random = Philox(seed: seed, name: "second", index: UInt64(study))
                let other = scores.map { _ in second + random.normal() }
                criteria.append(try BarTest.Criterion(other, clusters: clusters, resamples: resamples))
            }
            let test = BarTest(criteria)
            return test.decision(adjusted: test.pValue, level: 0.05) != .notShown
        }
    }

    /// How often any of 30 tests at their bars, adjusted together, claims something.
    func familySize() throws -> Double {
        try share { study in
            let tests = try (0..<30).map { k in
                let (scores, clusters) = sample(study, "family \(k)")
                return BarTest([
                    try BarTest.Criterion(scores.map { $0 - truth }, clusters: clusters, resamples: resampling(clusters, study))
                ])
            }
            return zip(tests, MultipleTesting.holm(tests.map(\.pValue))).contains {
                $0.decision(adjusted: $1, level: 0.05) != .notShown
            }
        }
    }

    /// Coverage of the mean of within-patient concordances, of families that agree by `agreement` from 0 to 1.
    func coverageOfConcordance(_ agreement: Double) throws -> Double {
        func ratings(_ count: Int, _ study: Int, _ purpose: String) -> [[[Double]]] {
            var random = Philox(seed: seed, name: "\(purpose)/\(agreement)", index: UInt64(study))
            // Four families of five methods; a family is measured with noise of its own on every patient.
            let patients = (0..<count).map { _ in
                (0..<4).map { rater in
                    (0..<5).map { method in
                        let common = 0.4 * Double(method)
                        let own = 0.4 * Double((method * (rater + 1)) % 5)
                        return agreement * common + (1 - agreement) * own + 0.6 * random.normal()
                    }
                }
            }
            return (0..<4).map { rater in (0..<5).map { method in patients.map { $0[rater][method] } } }
        }
        let population = ratings(40_000, 0, "population")
        let truth =
            (0..<40_000).reduce(0.0) { sum, patient in
                sum + KendallW.concordance(population.map { $0.map { $0[patient] } })
            } / 40_000
        return try share { study in
            let found = try PatientConcordance(
                ratings(patients, study, "ratings"), clusters: Clusters(independent: patients), seed: UInt64(study), resamples: resamples)
            return found?.interval.contains(truth) ?? false
        }
    }

    /// How often exact hits of independent images claim anything at chance.
    func sizeOfHits() throws -> Double {
        try share { study in
            var random = Philox(seed: seed, name: "chance", index: UInt64(study))
            let chances = (0..<patients).map { _ in 0.02 + 0.3 * random.uniform() }
            let hits = chances.count { random.uniform() < $0 }
            let exact = try PoissonBinomial(chances)
            let test = BarTest([
                .init(
                    excess: 0, interval: .undefined(level: 0.95), above: exact.atLeast(hits), below: exact.atMost(hits), patients: patients)
            ])
            return test.decision(adjusted: test.pValue, level: 0.05) != .notShown
        }
    }
}
