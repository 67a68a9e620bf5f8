import Foundation
import Testing
import VitrineModel

@Suite struct TargetTests {
    static let logits: [Float] = [0.3, 1.7, -0.4, 1.2, 0.9]

    /// Every target's derivative against differences of its value; 1e-3: Float32 values and a step of 1e-2.
    @Test(arguments: [
        Target.logit(1), .probability(3), .sigmoid(2), .boundedProbability(3), .contrast(1, 4),
        .linear([.init(0, 0.5), .init(2, -2), .init(3, 1)]),
    ])
    func theGradientIsTheDerivative(_ target: Target) {
        for i in Self.logits.indices {
            var (up, down) = (Self.logits, Self.logits)
            up[i] += 1e-2
            down[i] -= 1e-2
            let slope = (target.value(logits: up) - target.value(logits: down)) / 2e-2
            #expect(abs(slope - target.gradient(logits: Self.logits)[i]) < 1e-3)
        }
    }

    /// By hand: the three logits nearest to 1.7 are 1.2, 0.9 and 0.3.
    @Test func nearestClassesAreWeighedByTheirProbability() throws {
        guard case .linear(let terms) = TargetChoice.nearest(to: nil).resolved(logits: Self.logits) else {
            Issue.record("no linear target")
            return
        }
        #expect(terms.map(\.classIndex) == [0, 1, 3, 4])
        let p = softmax(Self.logits)
        let total = p[0] + p[3] + p[4]
        for (term, expected) in zip(terms, [-p[0] / total, 1, -p[3] / total, -p[4] / total]) { #expect(abs(term.weight - expected) < 1e-6) }
        #expect(Target.linear(terms).classIndex == 1)
        // Two classes: the plain contrast.
        #expect(TargetChoice.nearest(to: 0).resolved(logits: [1, 2]) == .linear([.init(0, 1), .init(1, -1)]))
        #expect(TargetChoice.nearest(to: nil).resolved(logits: [1]) == .logit(0))
    }

    /// Under a head of several labels every class stands for itself: its probability is its own sigmoid, whatever the others say.
    @Test func probabilitiesOfSeveralLabelsAreSigmoids() {
        let target = TargetChoice.fixed(.probability(3)).resolved(logits: Self.logits, .sigmoid)
        #expect(abs(target.value(logits: Self.logits) - 1 / (1 + exp(-1.2))) < 1e-6)
        #expect(target.gradient(logits: Self.logits).enumerated().allSatisfy { ($0.element != 0) == ($0.offset == 3) })
        #expect(TargetChoice.fixed(.probability(3)).resolved(logits: Self.logits) == .probability(3))
        guard case .linear(let terms) = TargetChoice.nearest(to: 1).resolved(logits: Self.logits, .sigmoid) else {
            Issue.record("no linear target")
            return
        }
        let p = ViTConfiguration.Probabilities.sigmoid(Self.logits)
        #expect(abs(terms[0].weight + p[0] / (p[0] + p[3] + p[4])) < 1e-6)
    }

    @Test(arguments: [
        ("y1 - y0", Target.linear([.init(0, -1), .init(1, 1)])), ("-y3", .linear([.init(3, -1)])),
        ("0.5*y2 + y3-2 y0", .linear([.init(0, -2), .init(2, 0.5), .init(3, 1)])),
    ])
    func expressionsAreRead(_ text: String, _ target: Target) { #expect(Target(expression: text) == target) }

    @Test(arguments: ["", "y", "y1 y0", "y1 +", "x1", "y1 - y1", "0 y1", "*y1", "y-1", "1e5 y1", "y1 * 2"])
    func othersAreNot(_ text: String) { #expect(Target(expression: text) == nil) }
}
