import Testing
import VitrineImage
import VitrineTensor

@testable import VitrineEvaluate

/// The first metrics of each kind against closed forms of a network that adds up patches.
@Suite struct ProofMetricTests {
    private func measure(_ name: String, _ map: HeatMap, _ witness: ToyWitness) throws -> Score {
        try Evaluator([name], protocol: .corrected).scores(of: ScoredMap(map), on: nil, witness: witness, item: "toy")[0]
    }

    /// The logit of an additive network falls by the contribution of each patch that goes.
    @Test(arguments: ["drop", "mean"])
    func deletionAndInsertionOfAnAdditiveNetwork(_ rule: String) throws {
        let witness = ToyWitness()
        let truth = witness.truth
        let order = truth.indices.sorted { truth[$0] > truth[$1] }
        let total = truth.reduce(0, +)
        func curve(_ steps: Int) -> [Double] {
            (0...steps).map { k in
                total - order.prefix(Int((Double(k * 30) / Double(steps)).rounded())).reduce(0) { $0 + truth[$1] }
            }
        }
        let map = witness.map(truth)
        for steps in [20, 30, 7] {
            let expected = curve(steps)
            let deletion = try measure("deletion:steps=\(steps),value=logit,removal=\(rule)", map, witness)
            // Logits are sums of 30 products in Float32.
            #expect(zip(deletion.curve!, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 } && deletion.curve!.count == steps + 1)
            let trapezoid = (1...steps).reduce(0.0) { $0 + (expected[$1 - 1] + expected[$1]) / 2 } / Double(steps)
            #expect(abs(deletion.value! - trapezoid) < 1e-5)
            let insertion = try measure("insertion:steps=\(steps),value=logit,removal=\(rule)", map, witness)
            let risen = expected.map { total - $0 }
            #expect(zip(insertion.curve!, risen).allSatisfy { abs(Double($0) - $1) < 1e-5 })
            #expect(abs(insertion.value! - (total - trapezoid)) < 1e-5)
        }
        // Random orders of an additive network fall on the straight line, whose area is half.
        let chance = try measure("deletion:value=logit,removal=\(rule)", map, witness)
        #expect(abs(chance.chance! - total / 2) < 4 * chance.chanceStandardError)
    }

    @Test func onlyOrderCounts() throws {
        let witness = ToyWitness()
        let bent = witness.map(witness.truth.map { $0 > 0 ? 4 * $0 + 1 : $0 / 2 })
        for name in ["deletion", "insertion"] {
            #expect(try measure(name, bent, witness).value == measure(name, witness.map(witness.truth), witness).value)
        }
    }

    /// A map on the pixels counts by its patch means.
    @Test func pixelMapsAreReduced() throws {
        let witness = ToyWitness()
        let (h, w) = (witness.height, witness.width)
        var random = Philox(seed: 3, name: "pixels")
        let pixels = HeatMap(
            rows: h, columns: w, values: (0..<h * w).map { _ in Float(random.normal()) }, height: h, width: w, display: .finished)
        let means = (0..<30).map { patch -> Double in
            var sum = 0.0
            for y in 0..<4 { for x in 0..<4 { sum += Double(pixels.values[(patch / 5 * 4 + y) * w + patch % 5 * 4 + x]) } }
            return sum / 16
        }
        #expect(zip(pixels.patchValues(rows: 6, columns: 5), means).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(try measure("deletion", pixels, witness).value == measure("deletion", witness.map(means), witness).value)
        // Grids that do not fit into each other share their cells by area: a ramp's means stay on the ramp.
        let ramp = HeatMap(rows: 3, columns: 3, values: [0, 1, 2, 0, 1, 2, 0, 1, 2], height: h, width: w, display: .finished)
        #expect(zip(ramp.patchValues(rows: 1, columns: 2), [1.0 / 3, 5.0 / 3]).allSatisfy { abs($0 - $1) < 1e-12 })
    }

    /// Sets of patches asked for once are not asked for again: deletion and insertion of one order share nothing but the ends, and the
    /// random orders of the chance level are the same for every map.
    @Test func whatWasAskedIsRemembered() throws {
        let witness = ToyWitness()
        let map = witness.map(witness.truth)
        _ = try measure("deletion", map, witness)
        let first = witness.asked.count
        #expect(first <= 1 + 20 + 10 * 20)
        _ = try measure("deletion", map, witness)
        #expect(witness.asked.count == first)
        _ = try measure("deletion", witness.map(witness.truth.map { -$0 }), witness)
        #expect(witness.asked.count - first <= 19)
    }

    @Test func quantisationStability() throws {
        var witness = ToyWitness()
        let map = witness.map(witness.truth)
        let stable = try measure("quantisation-stability", map, witness)
        // Half a grey level moves a patch mean of 16 pixels by a thousandth of what tells patches apart.
        #expect(stable.value! > 0.99 && stable.value! <= 1 && stable.curve!.count == 10)
        #expect(stable.chance == 0 && stable.chanceSource == .exact)
        witness.method = .noise
        let noise = try measure("quantisation-stability:draws=200", map, witness)
        // The mean of 200 correlations of 30 ranks: standard error 1 / sqrt(29 * 200).
        #expect(abs(noise.value!) < 4 / (29.0 * 200).squareRoot())
    }

    @Test func classSensitivity() throws {
        var witness = ToyWitness(classes: 2)
        let map = witness.map(witness.truth)
        let other = witness.map(witness.contributions(witness.patchMeans(witness.image), witness.weights[0]))
        #expect(try measure("class-sensitivity", map, witness).value == Correlation.spearman(map.values, other.values))
        witness.method = .blind(map)
        #expect(try measure("class-sensitivity", map, witness).value == 1)
        let single = ToyWitness(classes: 1)
        #expect(try measure("class-sensitivity", single.map(single.truth), single).reason == "the model has one class alone")
    }

    @Test func parameterRandomisation() throws {
        var witness = ToyWitness()
        let map = witness.map(witness.truth)
        let found = try measure("parameter-randomisation:seeds=20", map, witness)
        let curve = try #require(found.curve)
        #expect(curve.count == 6 && curve[0] == 1)
        // Less and less of the trained weights is left; the last step has none.
        #expect(curve[1] > curve[3] && curve[3] > curve[5] && curve[1] > 0.5)
        #expect(abs(found.value! - Double(curve[5])) < 1e-6)
        // |Spearman| of 30 random ranks: sqrt(2 / (29 π)) = 0.148 for normal correlations.
        #expect(abs(found.chance! - 0.148) < 0.02)
        witness.method = .blind(map)
        #expect(try measure("parameter-randomisation", map, witness).value == 1)
    }

    @Test func giniOfKnownShapes() throws {
        let witness = ToyWitness()
        var one = [Double](repeating: 0, count: 30)
        one[7] = 1
        // One of n patches holds all: (n - 1) / n, up to the 1e-7 that is added to every value.
        #expect(abs(try measure("gini", witness.map(one), witness).value! - 29.0 / 30) < 1e-5)
        // 1...n: (n² - 1) / (3 n²) · n / (n + 1) · ... = (n - 1) / (3 n) · (n + 1) / (n + 1).
        let ramp = try measure("gini", witness.map((1...30).map(Double.init)), witness).value!
        #expect(abs(ramp - (30.0 - 1) / (3 * 30)) < 1e-6)
    }
}
