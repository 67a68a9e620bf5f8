import Testing
import VitrineImage

@testable import VitrineEvaluate

@Suite("Values without levels of chance")
struct ValuesAloneTests {
    @Test("they are those of the scores, and missing where these are")
    func equal() throws {
        let witness = ToyWitness()
        let evaluator = try Evaluator(
            ["deletion:steps=5", "average-precision", "gini", "max-sensitivity:samples=2", "class-sensitivity"], protocol: .corrected)
        var bits = [Bool](repeating: false, count: witness.width * witness.height)
        for i in 0..<40 { bits[i] = true }
        let mask = ScoredMask(Mask(width: witness.width, height: witness.height, bits: bits))
        for map in [witness.controlMap(0), witness.controlMap(1)] {
            let scores = try evaluator.scores(of: ScoredMap(map), on: mask, witness: ToyWitness(), item: "i")
            let values = try evaluator.values(of: ScoredMap(map), on: mask, witness: ToyWitness(), item: "i")
            #expect(values == scores.map(\.value))
            #expect(values.allSatisfy { $0?.isFinite == true })
            // Random orders are behind the level of chance of a curve, point by point.
            #expect(scores[0].chanceCurve?.count == scores[0].curve?.count && scores[3].chanceCurve == nil)
        }
        var constant = witness.controlMap(0)
        constant.values = constant.values.map { _ in 1 }
        let missing = try evaluator.values(of: ScoredMap(constant), on: mask, witness: witness, item: "i")
        #expect(missing[0] == nil && missing[3] == nil && missing[4] == nil)
    }

    @Test("the area of the mean random curve is the level of chance")
    func area() throws {
        let witness = ToyWitness()
        let score = try Evaluator(["insertion:steps=6"], protocol: .corrected).scores(
            of: ScoredMap(witness.controlMap(5)), on: nil, witness: witness, item: "i")[0]
        let curve = try #require(score.chanceCurve).map(Double.init)
        let area = zip(curve, curve.dropFirst()).reduce(0) { $0 + ($1.0 + $1.1) / 2 } / Double(curve.count - 1)
        // The curve is stored in single precision.
        #expect(abs(area - (score.chance ?? .nan)) < 1e-6)
    }
}
