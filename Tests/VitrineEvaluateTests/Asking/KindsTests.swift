import Testing
import VitrineImage
import VitrineTensor

@testable import VitrineEvaluate

@Suite struct KindsTests {
    /// Both protocols see the same permutations: each scores what it scores alone.
    @Test func protocolsShareOneSetOfPermutations() throws {
        let map = ScoredMap(MetricRegistryTests.heatMap(.relevance))
        let names = ["pointing-game", "iou@10", "gini", "auroc"]
        let both = try Evaluator(names, protocols: [.study, .corrected], seed: 3, permutations: 100)
        #expect(both.entries.map(\.rules) == [.study, .corrected, .study, .corrected, .study, .study, .corrected])
        let scores = try both.scores(of: map, on: MetricRegistryTests.mask, item: "image")
        for (entry, score) in zip(both.entries, scores) {
            let alone = try Evaluator([entry.metric.identifier], protocol: entry.rules, seed: 3, permutations: 100)
            #expect(try alone.scores(of: map, on: MetricRegistryTests.mask, item: "image") == [score])
        }
    }

    @Test func directionsFollowTheSign() {
        #expect(Direction.higher.isBetter(2, than: 1) && !Direction.higher.isBetter(1, than: 1))
        #expect(Direction.lower.isBetter(1, than: 2) && !Direction.lower.isBetter(2, than: 1))
        #expect(!Direction.none.isBetter(1, than: 2) && !Direction.none.isBetter(2, than: 1))
        #expect(!Direction.higher.isBetter(.nan, than: 1) && !Direction.lower.isBetter(.nan, than: 1))
    }

    /// A skill of 1 is the ceiling, whichever way is better.
    @Test func skillGoesFromChanceToCeiling() {
        #expect(Score(value: 0.25, chance: 0.5, ceiling: 0.25, status: .ok).skill == 1)
        #expect(Score(value: 0.5, chance: 0.5, ceiling: 0.25, status: .ok).skill == 0)
        #expect(Score(value: 0.5, chance: 0.5, ceiling: 0.5, status: .ok).skill == nil)
    }

    @Test func withoutAMaskLocalisationIsUndefined() throws {
        let score = try Evaluator(["auroc"], protocol: .study).scores(
            of: ScoredMap(MetricRegistryTests.heatMap(.relevance)), on: nil, item: "image")[0]
        #expect(score.value == nil && score.status == .undefined && score.reason == "there is no mask")
    }

    /// The model reads another size than the map has.
    @Test func aMapOfAnotherImageIsRefused() throws {
        let witness = ToyWitness()
        let map = MetricRegistryTests.heatMap(.relevance)
        #expect(throws: MetricError.mapOfAnotherImage(mapHeight: 28, mapWidth: 28, imageHeight: 24, imageWidth: 20)) {
            try Evaluator(["deletion"], protocol: .corrected).scores(of: ScoredMap(map), on: nil, witness: witness, item: "image")
        }
    }
}
