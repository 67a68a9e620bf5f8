import Testing
import VitrineImage
import VitrineTensor

@testable import VitrineEvaluate

/// What holds for every metric that looks at more than a mask; a new one is tested here without a line.
@Suite struct EveryMetricTests {
    static let asking = MetricRegistry.all.map { $0.facts }.filter { $0.family != .localisation }.map { $0.name() }
    static let faithfulness = MetricRegistry.all.map { $0.facts }.filter { $0.family == .faithfulness }.map { $0.name() }

    private func score(_ name: String, _ map: HeatMap, _ witness: ToyWitness, controls: Int = 10) throws -> Score {
        try Evaluator([name], protocol: .corrected, controls: controls).scores(
            of: ScoredMap(map), on: nil, witness: witness, item: "toy")[0]
    }

    /// A map that says exactly what the network used beats every chance level, by far more than it is uncertain.
    @Test(arguments: faithfulness)
    func anOracleBeatsRandomMaps(_ name: String) throws {
        let witness = ToyWitness()
        // Forty random maps, since removal by painting scatters widely between them.
        let oracle = try score(name, witness.map(witness.truth), witness, controls: 40)
        let better = try #require(MetricRegistry.facts(name)?.better)
        let (value, chance) = (try #require(oracle.value), try #require(oracle.chance))
        let sign = try #require(better.sign)
        #expect(sign * (value - chance) > 3 * oracle.chanceStandardError, "\(name): \(value) against \(chance)")
    }

    /// Many random maps, each as if a method had drawn it: their mean is the chance level.
    @Test(arguments: asking)
    func randomMapsScoreAtChance(_ name: String) throws {
        var values: [Double] = []
        var (chances, errors): ([Double], [Double]) = ([], [])
        for draw in 0..<40 {
            var witness = ToyWitness()
            witness.method = .noise
            witness.seed = UInt64(draw)
            var random = Philox(seed: 5, name: "random map", index: UInt64(draw))
            let found = try score(name, witness.map(witness.truth.map { _ in random.uniform() }), witness)
            values.append(try #require(found.value, "\(name): \(found.reason ?? "")"))
            chances.append(try #require(found.chance))
            errors.append(found.chanceStandardError)
        }
        let variance = standardDeviation(values) * standardDeviation(values) / 40
        // Levels of different images err independently; a level that depends on the grid alone errs once.
        let level = errors.reduce(0) { $0 + $1 * $1 } / (Set(chances).count == 1 ? 40 : 40 * 40)
        #expect(
            abs(mean(values) - mean(chances)) <= 3 * (variance + level).squareRoot() + 1e-9,
            "\(name): \(mean(values)) against \(mean(chances))")
    }

    @Test(arguments: asking)
    func mapsWithoutAnAnswerAreUndefined(_ name: String) throws {
        let witness = ToyWitness()
        let flat = try score(name, witness.map(witness.truth.map { _ in 3 }), witness)
        #expect(flat.value == nil && flat.reason == "the map has the same value everywhere" && flat.status == .constantMap)
        var broken = witness.truth
        broken[4] = .nan
        let nan = try score(name, witness.map(broken), witness)
        #expect(nan.value == nil && nan.reason == "the map holds NaN or infinity" && nan.status == .nonFiniteMap)
    }

    /// A network that answers the same whatever it sees says nothing about a map.
    @Test(arguments: faithfulness)
    func anAnswerThatDoesNotChangeIsUndefined(_ name: String) throws {
        let witness = ToyWitness(weights: [[Double]](repeating: [Double](repeating: 0, count: 30), count: 3))
        var random = Philox(seed: 5, name: "random map")
        let found = try score(name, witness.map(witness.truth.map { _ in random.uniform() }), witness)
        #expect(found.value == nil && found.reason != nil, "\(name): \(found.value ?? 0)")
    }

    @Test(arguments: asking)
    func theSameAgain(_ name: String) throws {
        let witness = ToyWitness()
        let first = try score(name, witness.map(witness.truth), witness)
        #expect(try score(name, witness.map(witness.truth), ToyWitness()) == first)
        #expect(try score(name, witness.map(witness.truth), witness) == first, "what a witness remembers changes nothing")
    }

    /// A power of two scales every Float32 exactly; where a metric rescales, its sums round once more.
    @Test(arguments: asking)
    func positiveScalingChangesNothing(_ name: String) throws {
        let witness = ToyWitness()
        let plain = try score(name, witness.map(witness.truth), witness)
        // The maps made again are scaled likewise: they come from the same method.
        guard !(try MetricRegistry.metric(name, protocol: .corrected) is any PairMetric) else { return }
        let scaled = try score(name, witness.map(witness.truth.map { 8 * $0 }), witness)
        #expect(abs(try #require(scaled.value) - #require(plain.value)) < 1e-6 * max(1, abs(plain.value!)), "\(name)")
    }

    /// Metrics that look at the order of the patches alone; an odd cube bends it, and that of the absolute values, nowhere.
    @Test(arguments: [
        "deletion", "insertion", "srg", "comprehensiveness", "sufficiency", "minimal-sufficient-fraction", "selectivity", "monotonicity",
    ])
    func onlyTheOrderCounts(_ name: String) throws {
        let witness = ToyWitness()
        let plain = try score(name, witness.map(witness.truth), witness)
        let bent = try score(name, witness.map(witness.truth.map { 7 * $0 * $0 * $0 }), witness)
        #expect(bent.value != nil && bent.value == plain.value && bent.chance == plain.chance)
    }

    /// Network, image and map mirrored left to right. Draws at random are of patches by number and are left out, as is `irof`, whose
    /// segments take the first of equally near centres.
    @Test(arguments: [
        "deletion", "insertion", "srg", "comprehensiveness", "sufficiency", "minimal-sufficient-fraction", "selectivity", "monotonicity",
        "saco", "single-deletion", "average-drop", "average-increase", "road:noise=0", "class-sensitivity", "flip-equivariance",
        "gain-stability", "shift-stability", "rotation-stability", "gini", "entropy", "area-50", "area-90",
    ])
    func mirroredTogetherNothingChanges(_ name: String) throws {
        // Four columns, so that the cells of single deletion are mirrored too.
        let witness = ToyWitness(columns: 4)
        var mirrored = ToyWitness(columns: 4)
        mirrored.weights = witness.weights.map { row in row.indices.map { row[$0 / 4 * 4 + 3 - $0 % 4] } }
        let (width, values) = (witness.width, witness.image.values)
        mirrored.image = Tensor(
            witness.image.shape, values.indices.map { values[$0 / width * width + width - 1 - $0 % width] })
        let truth = witness.truth
        let own = try score(name, witness.map(truth), witness)
        let other = try score(name, mirrored.map(truth.indices.map { truth[$0 / 4 * 4 + 3 - $0 % 4] }), mirrored)
        // Sums in another order, and filled pixels from a solver that stops at 1e-10.
        #expect(abs(try #require(own.value) - #require(other.value)) < 1e-6, "\(name): \(own.value!) against \(other.value!)")
    }

    /// Without a model, or with a map that nobody can be asked about, a reason and no number.
    @Test(arguments: asking)
    func whoCannotBeAskedIsNamed(_ name: String) throws {
        var witness = ToyWitness()
        let metric = try MetricRegistry.metric(name, protocol: .corrected)
        let map = witness.map(witness.truth)
        if metric is any ModelMetric {
            let alone = try Evaluator([name], protocol: .corrected).scores(of: ScoredMap(map), on: nil, item: "toy")[0]
            #expect(alone.value == nil && alone.reason == "there is no model to ask")
        }
        if metric is any PairMetric {
            witness.method = .file
            #expect(try score(name, map, witness).reason == "the map comes from a file")
        }
    }
}
