import Foundation
import ReferenceViT
import Testing
import VitrineImage
import VitrineModel
import VitrineTensor

@testable import VitrineExplain

/// Methods that ask the network, against their definitions: exact values by enumeration, planted answers, identities.
@Suite struct PerturbationTests {
    static let models = Array(RandomModel.all.prefix(2))

    private func result(_ text: String, _ random: RandomModel, target: Int = 1) throws -> Explanation {
        let plan = try ExplanationPlan(model: random.model, methods: ConfiguredMethod.parse([text]), seed: 11)
        let image = PreparedImage(name: "one", pixels: random.image(0), target: .fixed(.logit(target)))
        let result = try plan.explain([image], workspace: Workspace(poisons: true))[0]
        return try #require(result.explanations.first, "\(result.failures)")
    }

    /// y of every set of patches, by the bits of its number.
    private func game(_ random: RandomModel, target: Int = 1) throws -> [Double] {
        let probe = ProbeTests.probe(random)
        let n = probe.grid.count
        let sets = (0..<1 << n).map { bits in ChangedInput.patches((0..<n).filter { bits >> $0 & 1 == 1 }) }
        return try ProbeTests.logits(probe, sets).map { Double($0[target]) }
    }

    private func shapley(_ v: [Double], _ n: Int) -> [Double] {
        func factorial(_ k: Int) -> Double { (1...max(1, k)).reduce(1.0) { $0 * Double($1) } }
        return (0..<n).map { i in
            (0..<1 << n).filter { $0 >> i & 1 == 0 }.reduce(0.0) { sum, set in
                let size = set.nonzeroBitCount
                return sum + factorial(size) * factorial(n - size - 1) / factorial(n) * (v[set | 1 << i] - v[set])
            }
        }
    }

    private func worst(_ a: [Float], _ b: [Double]) -> Double {
        guard a.count == b.count, a.allSatisfy(\.isFinite) else { return .infinity }
        return zip(a, b).map { abs(Double($0) - $1) }.max()! / b.map(abs).max()!
    }

    /// Where the samples suffice for all coalitions the values are Shapley's; 1e-5: Float32 logits.
    @Test(arguments: models, ["kernel-shap", "leverage-shap"])
    func shapleyValuesAreExactOnFewPatches(_ random: RandomModel, _ method: String) throws {
        let v = try game(random)
        let n = v.count.trailingZeroBitCount
        let found = try result(method, random)
        #expect(worst(found.map.values, shapley(v, n)) < 1e-5)
        #expect(found.notes["efficiency-gap"]![0] < 1e-6)
    }

    /// Sampled values lie within their own standard errors of the exact ones, and their sum is exact.
    @Test(arguments: ["kernel-shap:samples=60", "leverage-shap:samples=60"])
    func sampledShapleyValuesAreNear(_ method: String) throws {
        let random = RandomModel.all[0]
        let v = try game(random)
        let exact = shapley(v, v.count.trailingZeroBitCount)
        let found = try result(method, random)
        let error = try #require(found.error)
        for (i, value) in found.map.values.enumerated() {
            // 6 errors, themselves estimated from ten groups, and what the ridge takes.
            #expect(abs(Double(value) - exact[i]) < 6 * Double(error.values[i]) + 1e-2, "patch \(i)")
        }
        #expect(abs(found.map.values.reduce(0) { $0 + Double($1) } - (v.last! - v[0])) < 1e-5)
    }

    @Test func leastSquaresRecoverWhatWasPlanted() throws {
        let truth = (0..<12).map { Double($0) - 4.5 }
        var equations = LeastSquares(unknowns: 12)
        for i in 0..<80 {
            var random = Philox(seed: 1, name: "rows", index: UInt64(i))
            let chosen = (0..<12).filter { _ in random.uniform() < 0.5 }
            equations.add(chosen, y: chosen.reduce(0) { $0 + truth[$1] }, weight: 0.1 + random.uniform())
        }
        for (a, b) in zip(try #require(equations.solution()), truth) { #expect(abs(a - b) < 1e-9) }
        let constrained = try #require(equations.solution(sum: 3))
        #expect(abs(constrained.reduce(0, +) - 3) < 1e-9)
        #expect(LeastSquares(unknowns: 2).solution() == nil)
    }

    /// An additive game gives LIME its coefficients, shrunk by the ridge alone.
    @Test func limeFollowsTheWeightsOfPatches() throws {
        let random = RandomModel.all[0]
        let v = try game(random)
        let n = v.count.trailingZeroBitCount
        let found = try result("lime:samples=2000,width=10,alpha=0.000001", random)
        // With next to equal weights the coefficients are the mean effects of a patch over all coalitions (Banzhaf values).
        var banzhaf = [Double](repeating: 0, count: n)
        for i in 0..<n {
            for set in 0..<1 << n where set >> i & 1 == 0 { banzhaf[i] += (v[set | 1 << i] - v[set]) / Double(1 << (n - 1)) }
        }
        let error = try #require(found.error)
        for i in 0..<n { #expect(abs(Double(found.map.values[i]) - banzhaf[i]) < 6 * Double(error.values[i]) + 1e-3, "patch \(i)") }
    }

    /// HSIC by its matrices, and a planted answer that looks at one column.
    @Test func hsicEqualsItsDefinition() {
        let n = 40
        let columns = (0..<5).map { k -> [Bool] in
            var random = Philox(seed: 2, name: "columns", index: UInt64(k))
            return random.permutation(n).map { $0 < n / 2 }
        }
        let answers = (0..<n).map { columns[3][$0] ? 2.0 + Double($0 % 3) / 10 : 0.5 }
        let scores = HSIC.scores(columns, answers)
        #expect(scores.indices.max { scores[$0] < scores[$1] } == 3)
        let width = answers.map(abs).sorted()[n / 2]
        func centred(_ k: (Int, Int) -> Double) -> [[Double]] {
            (0..<n).map { i in
                (0..<n).map { j in
                    var sum = 0.0
                    for a in 0..<n {
                        for b in 0..<n {
                            let left = (i == a ? 1.0 : 0) - 1 / Double(n)
                            let right = (b == j ? 1.0 : 0) - 1 / Double(n)
                            sum += left * k(a, b) * right
                        }
                    }
                    return sum
                }
            }
        }
        let l = centred { exp(-(answers[$0] - answers[$1]) * (answers[$0] - answers[$1]) / (2 * width * width)) }
        for (k, column) in columns.enumerated() {
            var trace = 0.0
            for i in 0..<n { for j in 0..<n where column[i] == column[j] { trace += l[i][j] } }
            #expect(abs(scores[k] - max(0, trace / Double(n))) < 1e-9)
        }
    }

    /// Total indices of a linear function are its squared coefficients' shares.
    @Test func sobolFindsTheSharesOfALinearFunction() {
        let (n, d) = (4000, 4)
        let weights = [1.0, 2, 0, 3]
        func draw(_ set: Int) -> [[Double]] {
            (0..<d).map { k in
                var random = Philox(seed: 3, name: "set\(set)", index: UInt64(k))
                return (0..<n).map { _ in random.uniform() }
            }
        }
        let (a, b) = (draw(0), draw(1))
        var answers: [Double] = []
        for k in -1..<d {
            for i in 0..<n { answers.append((0..<d).reduce(0.0) { $0 + weights[$1] * ($1 == k ? b[$1][i] : a[$1][i]) }) }
        }
        let total = weights.reduce(0) { $0 + $1 * $1 }
        // 4,000 draws: a standard error of about 0.01.
        for (index, weight) in zip(Sobol.indices(answers, samples: n, cells: d), weights) {
            #expect(abs(index - weight * weight / total) < 0.05)
        }
    }

    /// Every node split: the Owen values of the tree by their definition, the mean over all ways to have the other halves absent or present.
    @Test(arguments: models)
    func owenValuesEqualTheirDefinition(_ random: RandomModel) throws {
        let v = try game(random)
        let grid = random.configuration.positionGrid
        var expected = [Double](repeating: 0, count: grid.count)
        func split(_ rows: Range<Int>, _ columns: Range<Int>, _ contexts: [(set: Int, weight: Double)]) {
            let patches = rows.flatMap { y in columns.map { y * grid.columns + $0 } }
            if patches.count == 1 {
                for context in contexts { expected[patches[0]] += context.weight * (v[context.set | 1 << patches[0]] - v[context.set]) }
                return
            }
            var parts: [(Range<Int>, Range<Int>)]
            if rows.count >= columns.count {
                let middle = rows.lowerBound + rows.count / 2
                parts = [(rows.lowerBound..<middle, columns), (middle..<rows.upperBound, columns)]
            } else {
                let middle = columns.lowerBound + columns.count / 2
                parts = [(rows, columns.lowerBound..<middle), (rows, middle..<columns.upperBound)]
            }
            let bits = parts.map { part in part.0.flatMap { y in part.1.map { 1 << (y * grid.columns + $0) } }.reduce(0, |) }
            for k in 0..<2 {
                split(parts[k].0, parts[k].1, contexts.flatMap { [($0.set, $0.weight / 2), ($0.set | bits[1 - k], $0.weight / 2)] })
            }
        }
        split(0..<grid.rows, 0..<grid.columns, [(0, 1)])
        let found = try result("owen:evaluations=100000", random)
        #expect(worst(found.map.values, expected) < 1e-5)
        #expect(found.notes["efficiency-gap"]![0] < 1e-6)
        #expect(try result("owen:evaluations=9", random).notes["efficiency-gap"]![0] < 1e-6)
    }

    /// Kept places alone, seen by all blocks, are what token-insertion shows.
    @Test func reciproCAMOverAllBlocksIsTokenInsertion() throws {
        let random = RandomModel.all[0]
        let all = try result("reciprocam:blocks=3", random).map.values
        let insertion = try result("token-insertion", random).map.values
        let alone = Float(try game(random)[0])
        for (a, b) in zip(all, insertion) { #expect(abs(a - (b + alone)) < 1e-5) }
        let window = try result("reciprocam:removal=window", random).map.values
        #expect(window.allSatisfy(\.isFinite) && Set(window).count > 1)
    }

    /// On a grid of 2 x 3 the middle column's neighbourhood is the whole image: without prefix tokens, patching gives back the logit.
    @Test func patchingEverythingGivesBackTheLogit() throws {
        let random = try #require(RandomModel.all.first { $0.configuration.prefixTokens == 0 })
        let grid = random.configuration.positionGrid
        try #require(grid.rows == 2 && grid.columns == 3)
        let probe = ProbeTests.probe(random)
        let ground = PatchRemoval.ground(.blur, random.image(0), .unit(channels: 3), Philox(seed: 0, name: ""))
        let ends = try ProbeTests.logits(probe, [.pixels(random.image(0)), .pixels(ground)])
        let map = try result("activation-patching", random).map.values
        for patch in [1, 4] { #expect(abs(map[patch] - (ends[0][1] - ends[1][1])) < 1e-5) }
    }

    /// A channel put back as it is changes nothing: values in the place of a norm reach the same logits.
    @Test(arguments: RandomModel.all)
    func theOwnNormInItsPlaceChangesNothing(_ random: RandomModel) throws {
        let image = random.image(0)
        let batch = image.reshaped(Shape([1] + image.shape.dimensions))
        let request = TraceRequest(forward: [.tokens(1), .norm1(1)])
        let trace = try random.model.trace(batch, targets: [], request: request, workspace: Workspace(poisons: true))
        var found: [[Float]] = []
        try ProbeTests.probe(random).logits(
            enteringNorm1Of: 1, [(tokens: trace.forward[.tokens(1)]![0], norm1: trace.forward[.norm1(1)]![0])]
        ) { found.append($1) }
        #expect(found == [trace.logits(of: 0)])
    }

    @Test func tisAveragesOverTheMasksThatKeepAPatch() throws {
        let random = RandomModel.all[0]
        let found = try result("tis:masks=12,keep=0.5", random)
        // A mean of probabilities.
        #expect(found.map.values.allSatisfy { $0 > 0 && $0 < 1 })
        #expect(try result("tis:masks=12,keep=0.5", random).map == found.map)
        // All patches kept: the image's own probability everywhere.
        let all = try result("tis:masks=4,keep=1", random).map.values
        let own = softmax(try ProbeTests.logits(ProbeTests.probe(random), [.pixels(random.image(0))])[0])[1]
        for value in all { #expect(abs(value - own) < 1e-6) }
    }

    /// By hand: 0 and 1 merge at 0.1; 2 is 0.5 from 1 and 0.9 from 0, so the pair and 2 lie 0.9 apart.
    @Test func completeLinkageTakesTheLargestDistance() {
        let d = [0, 0.1, 0.9, 0.1, 0, 0.5, 0.9, 0.5, 0]
        #expect(completeLinkage(d, count: 3, threshold: 0.05) == [[0], [1], [2]])
        #expect(completeLinkage(d, count: 3, threshold: 0.6) == [[0, 1], [2]])
        #expect(completeLinkage(d, count: 3, threshold: 0.95) == [[0, 1, 2]])
    }

    @Test func alignedCornersAreKept() {
        let up = alignedBilinear([0, 1, 2, 3], PatchGrid(rows: 2, columns: 2), height: 3, width: 5)
        #expect(up[0] == 0 && up[4] == 1 && up[10] == 2 && up[14] == 3 && up[7] == 1.5)
        #expect(alignedBilinear([7], PatchGrid(rows: 1, columns: 1), height: 2, width: 2) == [7, 7, 7, 7])
    }

    /// Gamma 0 is CP-LRP; in a rising gamma an output's positive terms take over, and relevance through a map without bias is conserved.
    @Test(arguments: RandomModel.all)
    func gammaZeroIsCPLRP(_ random: RandomModel) throws {
        let plain = try result("cp-lrp", random).map.values
        let zero = try result("gamma-lrp:linear=0,conv=0", random).map.values
        #expect(plain == zero)
        let some = try result("gamma-lrp", random).map.values
        #expect(some.allSatisfy(\.isFinite) && some != plain)
    }

    /// The sum of all parts, each computed for itself, is the logit: 1e-4 is the contract.
    @Test(
        arguments: RandomModel.all.filter { random in
            let c = random.configuration
            return !c.hasContextNorm && c.pooling != .attention && c.normPlacement != .absent
        })
    func directLogitAddsUp(_ random: RandomModel) throws {
        let notes = try result("direct-logit", random).notes
        #expect((notes["gap"]?[0] ?? .nan) < 1e-4, "\(notes)")
        #expect(abs(notes["attention"]![0]) > 1e-3 && abs(notes["mlp"]![0]) > 1e-3)
    }

    /// Behind a norm, what attention gives is no sum of values carried through the projection: three methods say so, and `all` leaves them out.
    @Test func methodsThatCarryValuesThroughTheProjectionRefuseANormBetween() throws {
        for random in RandomModel.all where random.configuration.pooling == .attention {
            let leftOut = try ConfiguredMethod.expanded(["all"], for: random.configuration).leftOut
            #expect(leftOut.map(\.name).sorted() == ["alti", "beyond-intuition-token", "direct-logit"])
            #expect(leftOut.allSatisfy { $0.reason.contains("attention pooling") })
        }
        let random = try #require(RandomModel.all.first { $0.configuration.hasContextNorm })
        let (methods, leftOut) = try ConfiguredMethod.expanded(["all"], for: random.configuration)
        #expect(Set(leftOut.map(\.name)) == ["alti", "direct-logit", "beyond-intuition-token"])
        #expect(leftOut.allSatisfy { $0.reason.contains("a norm between attention and its projection") })
        #expect(methods.count + leftOut.count == Method.all.count)
    }
}
