import Foundation
import ReferenceViT
import Testing
import VitrineImage
import VitrineModel
import VitrineTensor

@testable import VitrineExplain

/// Sampling that ends when the ranking has settled.
@Suite struct SamplingTests {
    private func explain(_ text: String) throws -> Explanation {
        let random = RandomModel.all[0]
        let plan = try ExplanationPlan(model: random.model, methods: ConfiguredMethod.parse([text]), seed: 5)
        let image = PreparedImage(name: "one", pixels: random.image(0), target: .fixed(.logit(1)))
        return try #require(try plan.explain([image], workspace: Workspace(poisons: true))[0].explanations.first)
    }

    /// RISE by its definition in Float64: the masks drawn one by one, the network asked about each dimmed image, sums over all of them.
    @Test(arguments: ["pixel", "token"])
    func riseEqualsItsDefinition(_ level: String) throws {
        let random = RandomModel.all[0]
        let found = try explain("rise:masks=40,p=0.4,level=\(level)")
        var options = MethodOptions(method: "rise", values: ["masks": "40", "p": "0.4", "level": level])
        let rise = try RISE(&options)
        let image = random.image(0)
        let subject = Subject(
            network: random.configuration, image: image, scale: nil, grid: random.configuration.positionGrid, target: .logit(1), logits: [],
            name: "one", seed: 5, traces: [:])
        var sums = [Double](repeating: 0, count: found.map.values.count)
        var mean = 0.0
        for i in 0..<40 {
            let mask = rise.mask(subject, i)
            let input: ChangedInput
            if level == "pixel" {
                input = .pixels(Tensor(image.shape, image.values.enumerated().map { $1 * mask[$0 % mask.count] }))
            } else {
                input = .patches(mask.indices.filter { mask[$0] == 1 })
            }
            let p = Double(softmax(try ProbeTests.logits(ProbeTests.probe(random), [input])[0])[1])
            for u in sums.indices { sums[u] += p * Double(mask[u]) / (40 * 0.4) }
            mean += mask.reduce(0) { $0 + Double($1) } / Double(mask.count) / 40
        }
        for (a, b) in zip(found.map.values, sums) { #expect(abs(Double(a) - b) < 1e-5) }
        // 40 masks of 6 or 49 cells: a standard error of 0.03 at the most.
        #expect(abs(mean - 0.4) < 0.12)
    }

    /// The standard error that a method states is what its map varies by from seed to seed.
    @Test(arguments: [
        // Latin hypercubes vary less than independent draws.
        ("smoothgrad:samples=40", 0.6, 1.6), ("smoothgrad-squared:samples=40", 0.6, 1.6), ("vargrad:samples=40", 0.6, 1.6),
        ("rise:masks=60", 0.6, 1.6), ("sobol:samples=40,grid=2", 0.6, 3), ("hsic:samples=120,grid=2", 0.6, 3),
        ("lime:samples=120", 0.6, 1.8), ("kernel-shap:samples=40", 0.4, 2.5),
    ])
    func errorsAreTheSpreadBetweenSeeds(_ method: String, _ least: Double, _ most: Double) throws {
        let found = try (0..<16).map { try explain("\(method),seed=\($0)") }
        var (spread, stated) = (0.0, 0.0)
        for i in found[0].map.values.indices {
            let values = found.map { Double($0.map.values[i]) }
            let mean = values.reduce(0, +) / 16
            spread += values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 15
            stated += try found.reduce(0) { $0 + pow(Double(try #require($1.error).values[i]), 2) } / 16
        }
        let ratio = (stated / spread).squareRoot()
        #expect(ratio > least && ratio < most, "\(method): \(ratio)")
    }

    /// Of the masks that keep a patch; two of which at least.
    @Test func tisStatesTheErrorOfItsMeans() throws {
        let found = try explain("tis:masks=24")
        let error = try #require(found.error)
        let range = found.map.values.max()! - found.map.values.min()!
        // Probabilities lie within 0 and 1: no mean of at least two is off by more than a half.
        #expect(error.values.allSatisfy { $0 > 0 && $0 <= max(range, 0.5) })
    }

    @Test func momentsEqualTheirDefinition() {
        let maps = (0..<23).map { k in (0..<3).map { i in Float(sin(Double(k * 3 + i)) + Double(i)) } }
        var moments = Moments(count: 3)
        for map in maps { moments.add(map) }
        let n = Double(maps.count)
        for i in 0..<3 {
            let x = maps.map { Double($0[i]) }
            let mean = x.reduce(0, +) / n
            let central = { (power: Double) in x.reduce(0) { $0 + pow($1 - mean, power) } / n }
            let squares = x.map { $0 * $0 }
            let meanSquare = squares.reduce(0, +) / n
            let ofSquares = (squares.reduce(0) { $0 + ($1 - meanSquare) * ($1 - meanSquare) } / n / (n - 1)).squareRoot()
            // Float32 of what was Float64.
            #expect(abs(Double(moments.errorsOfSquares[i]) / ofSquares - 1) < 1e-6)
            let ofVariances = ((central(4) - central(2) * central(2)) / n).squareRoot()
            #expect(abs(Double(moments.errorsOfVariances[i]) / ofVariances - 1) < 1e-6)
        }
    }

    @Test func agreementIsSplitHalfReliability() {
        let a = (0..<200).map { Float($0) }
        #expect(abs(Sampling.agreement(a, a) - 1) < 1e-9)
        // The top tenth turned round, all else equal: what does not matter does not count.
        let turned = a.map { $0 >= 180 ? 379 - $0 : $0 }
        #expect(Sampling.agreement(a, turned) < -0.9)
        // By hand on ten places: r of 1...10 and of the same with two neighbours exchanged is 1 - 6*2/990.
        let ten = (1...10).map { Float($0) }
        var exchanged = ten
        exchanged.swapAt(0, 1)
        let r = 1 - 12.0 / 990
        #expect(abs(Sampling.agreement(ten, exchanged) - 2 * r / (1 + r)) < 1e-6)
        #expect(Sampling.agreement([1, 1, 1], [1, 2, 3]) == 0)
    }

    /// A run that stops early is the run with that many draws, to the last bit, and says how many they were.
    @Test(arguments: [
        ("lime:samples=400", "samples", 0.3), ("rise:masks=2000,level=token", "masks", 0.99),
        ("smoothgrad:samples=60", "samples", 0.3), ("vargrad:samples=60,level=token", "samples", 0.3),
    ])
    func stoppingIsHavingAskedForFewer(_ method: String, _ option: String, _ tolerance: Double) throws {
        let stopped = try explain(method + ",tolerance=\(tolerance)")
        let used = Int(try #require(stopped.notes["samples"]?.first))
        let agreement = try #require(stopped.notes["split-half"]?.first)
        let most = Int(method.split(separator: option + "=")[1].prefix { $0.isNumber })!
        try #require(used < most, "\(used) of \(most): \(agreement)")
        #expect(agreement >= 1 - tolerance)
        let fewer = try explain(method.replacing("\(option)=\(most)", with: "\(option)=\(used)"))
        #expect(fewer.map == stopped.map && fewer.error == stopped.error)
        #expect(fewer.notes["samples"] == nil)
    }

    /// The others end too, and a tolerance that nothing meets takes every draw.
    @Test(arguments: [
        "leverage-shap:samples=58", "kernel-shap:samples=58", "hsic:samples=300,grid=3", "sobol:samples=60,grid=2", "tis:masks=40",
    ])
    func everySamplingMethodMayStop(_ method: String) throws {
        let stopped = try explain(method + ",tolerance=0.9")
        #expect(try #require(stopped.notes["samples"]?.first) >= 2)
        #expect(stopped.map.values.allSatisfy { $0.isFinite })
        let whole = try explain(method)
        let strict = try explain(method + ",tolerance=0.0000001")
        if strict.notes["split-half"]![0] < 0.9999999 { #expect(strict.map == whole.map) }
    }
}
