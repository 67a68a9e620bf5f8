import Testing
import VitrineEvaluate
import VitrineTensor

@Suite struct PredictionTests {
    @Test func areaUnderTheCurve() throws {
        for c in try StatisticsFixture.cases("roc") {
            let labels = c.flags("label")
            let found = try ROCArea(scores: c["score"]!, labels: labels)
            expectClose(found.value, c[one: "value"])
            expectClose(found.variance, c[one: "variance"])
            let test = try ROCArea.compare(found, ROCArea(scores: c["other"]!, labels: labels))
            expectClose(test.statistic, c[one: "z"])
            expectClose(test.pValue, c[one: "p"])
            expectClose(try BrierScore.binary(probabilities: c["score"]!, labels: labels), c[one: "brier"])
            let both = c["score"]!.map { [1 - $0, $0] }
            expectClose(try BrierScore.multiclass(probabilities: both, labels: labels.map { $0 ? 1 : 0 }), 2 * c[one: "brier"])
            #expect(try ROCArea.compare(found, found).pValue == 1)

            // With one image per patient the bootstrap and DeLong describe the same spread; below 100 images both are rough.
            if labels.count > 100 {
                let clusters = Clusters(independent: labels.count)
                let resamples = try ClusterResamples(clusters: labels.count, count: 2_000, seed: 1)
                let bootstrap = try ROCArea.bootstrapInterval(
                    scores: c["score"]!, labels: labels, clusters: clusters, resamples: resamples)
                let normal = try found.interval()
                let width = normal.upper - normal.lower
                #expect(abs(bootstrap.lower - normal.lower) < 0.15 * width && abs(bootstrap.upper - normal.upper) < 0.15 * width)
            }
        }
        let perfect = try ROCArea(scores: [1, 2, 3, 4], labels: [false, false, true, true])
        #expect(perfect.value == 1)
        #expect(try perfect.interval().method == .constant)
        #expect(throws: StatisticsError.self) { try ROCArea(scores: [1, 2], labels: [true, true]) }
        #expect(throws: StatisticsError.self) { try ROCArea(scores: [1, .nan], labels: [true, false]) }
    }

    @Test func calibration() throws {
        for c in try StatisticsFixture.cases("calibration") {
            let found = try Calibration(confidences: c["confidence"]!, correct: c.flags("right"))
            expectClose(found.expectedError, c[one: "ece"])
            expectClose(found.maximumError, c[one: "mce"])
            #expect(found.bins.count == 15 && found.bins.reduce(0) { $0 + $1.count } == c["right"]!.count)
        }
        #expect(throws: StatisticsError.outOfRange(what: "confidence", value: "1.2", allowed: "[0, 1]")) {
            try Calibration(confidences: [1.2], correct: [true])
        }
        #expect(throws: StatisticsError.outOfRange(what: "label", value: "2", allowed: "0..<2")) {
            try BrierScore.multiclass(probabilities: [[0.5, 0.5]], labels: [2])
        }
    }

    @Test func confusionMatrix() throws {
        let predictions = [true, true, false, false, true, false]
        let labels = [true, false, false, true, true, false]
        let matrix = try ConfusionMatrix(predictions: predictions, labels: labels)
        #expect(matrix == ConfusionMatrix(truePositives: 2, falsePositives: 1, trueNegatives: 2, falseNegatives: 1))
        #expect(try matrix.accuracy()!.value == 4.0 / 6)
        #expect(try matrix.sensitivity()!.interval == ProportionInterval.wilson(successes: 2, trials: 3))
        #expect(try matrix.specificity()!.successes == 2)
        #expect(try matrix.positivePredictiveValue()!.trials == 3 && matrix.negativePredictiveValue()!.trials == 3)
        expectClose(matrix.balancedAccuracy!, 2.0 / 3)
        let onlyPositives = try ConfusionMatrix(predictions: [true], labels: [true])
        #expect(try onlyPositives.specificity() == nil && onlyPositives.balancedAccuracy == nil)
        // The clustered form of sensitivity has the same value.
        let share = try ClusterRatio.share(
            of: predictions, among: labels, clusters: Clusters(["a", "a", "b", "b", "c", "c"]))
        expectClose(share.value, 2.0 / 3)
        #expect(throws: StatisticsError.empty(what: "members of a share")) {
            try ClusterRatio.share(of: [true], among: [false], clusters: Clusters(["a"]))
        }
    }

    @Test func strata() throws {
        let tertiles = try Strata.tertiles([5, 1, 9, 3, 7, 2])
        #expect(tertiles.members == [[1, 5], [0, 3], [2, 4]])
        expectClose(tertiles.cuts.0, 2 + 2.0 / 3)
        let equal = try Strata.tertiles([4, 4, 4])
        #expect(equal.members == [[0, 1, 2], [], []])
        let groups = Strata.groups(["b", "a", "b"])
        #expect(groups.map(\.key) == ["a", "b"] && groups.map(\.members) == [[1], [0, 2]])
        #expect(throws: StatisticsError.self) { try Strata.tertiles([.nan]) }
        #expect(midRanks([3, 1, 3, 2]).ranks == [3.5, 1, 3.5, 2] && midRanks([3, 1, 3, 2]).groupSizes == [1, 1, 2])
    }
}
