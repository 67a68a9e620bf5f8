import Testing
import VitrineImage

@testable import VitrineEvaluate

/// 4 x 4 examples worked out by hand.
@Suite struct HandExampleTests {
    /// The lesion is the upper left quarter.
    let quarter = ScoredMask(Mask("##..", "##..", "....", "...."))
    /// Distinct values; the lesion holds ranks 1, 2, 4 and 16.
    let distinct = ScoredMap(pixels: [16, 15, 14, 5, 13, 1, 6, 7, 2, 3, 4, 8, 9, 10, 11, 12], height: 4, width: 4)
    /// Four tied maxima, one in the lesion; all else 0.
    let tied = ScoredMap(pixels: [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1], height: 4, width: 4)

    private func score(_ name: String, _ rules: EvaluationProtocol, _ map: ScoredMap, _ mask: ScoredMask) throws -> Score {
        try Evaluator([name], protocol: rules).scores(of: map, on: mask, item: "hand")[0]
    }

    private func close(_ a: Double?, _ b: Double) -> Bool { a.map { abs($0 - b) < 1e-12 } ?? false }

    @Test func pointingGame() throws {
        #expect(try score("pointing-game", .study, distinct, quarter).value == 1)
        #expect(try score("pointing-game", .study, tied, quarter).value == 1)
        #expect(try score("pointing-game:first", .corrected, tied, quarter).value == 1)
        let expected = try score("pointing-game", .corrected, tied, quarter)
        #expect(expected.value == 0.25)
        #expect(expected.chance == 0.25)
        #expect(expected.ceiling == 1)
        // Four of 16 pixels tied, four in the lesion: 1 - C(12, 4) / C(16, 4) = 1 - 495/1820.
        #expect(close(try score("pointing-game", .study, tied, quarter).chance, 1 - 495.0 / 1820))
        // First of four random pixels is 0, 1, 4 or 5: C(15,3) + C(14,3) + C(11,3) + C(10,3) = 455 + 364 + 165 + 120.
        #expect(close(try score("pointing-game:first", .study, tied, quarter).chance, 1104.0 / 1820))
        // Within one pixel of the lesion lie 4 + 2 + 2 pixels.
        let near = try score("pointing-game:tolerance=1", .corrected, distinct, quarter)
        #expect(near.value == 1)
        #expect(near.chance == 0.5)
        let far = ScoredMask(Mask("....", "....", "....", "...#"))
        #expect(try score("pointing-game:any,tolerance=4", .study, distinct, far).value == 0)
        // From (0, 0) to (3, 3) it is sqrt(18) = 4.243.
        #expect(try score("pointing-game:any,tolerance=4.25", .study, distinct, far).value == 1)
    }

    @Test func intersectionOverUnion() throws {
        // 20 % of 16 is 3.2: rank 3, four pixels (16, 15, 14, 13): raw 3 of 5; their rectangle is 2 x 3: 4 of 6.
        #expect(close(try score("iou@20", .study, distinct, quarter).value, 4.0 / 6))
        #expect(close(try score("iou@20:raw", .study, distinct, quarter).value, 3.0 / 5))
        #expect(close(try score("dice@20", .study, distinct, quarter).value, 8.0 / 10))
        // Exactly three pixels: 16, 15, 14: two of them in the lesion, 2 / 5.
        #expect(close(try score("iou@20", .corrected, distinct, quarter).value, 2.0 / 5))
        #expect(close(try score("dice@20", .corrected, distinct, quarter).value, 4.0 / 7))
        #expect(close(try score("iou@20", .corrected, distinct, quarter).ceiling, 3.0 / 4))
        // Three of the four tied corners: the lesion's one is among them with probability 3/4; 1 / (4 + 3 - 1).
        #expect(close(try score("iou@20", .corrected, tied, quarter).value, 0.75 / 6))
        // The study takes all four corners, and their rectangle is the image.
        #expect(close(try score("iou@20", .study, tied, quarter).value, 0.25))
        #expect(close(try score("iou@20:component", .study, tied, quarter).value, 1.0 / 4))
        #expect(close(try score("iou@20:component-rectangle", .study, tied, quarter).value, 1.0 / 4))
        // Threshold 0 takes everything.
        #expect(close(try score("iou@40:component", .study, tied, quarter).value, 0.25))
        // Rectangles of at least 4 pixels: the lesion itself.
        #expect(try score("iou@20", .study, distinct, quarter).ceiling == 1)
        // All 16 pixels selected: only the image is left.
        #expect(try score("iou@40", .study, tied, quarter).ceiling == 0.25)
    }

    @Test func rankings() throws {
        // Lesion at ranks 1, 2, 4, 16: (1/1 + 2/2 + 3/4 + 4/16) / 4.
        let precision = try score("average-precision", .corrected, distinct, quarter)
        #expect(close(precision.value, 0.75))
        #expect(precision.ceiling == 1)
        let harmonic = (1...16).reduce(0.0) { $0 + 1 / Double($1) }
        let chance: Double = (harmonic + (16 - harmonic) * 3 / 15) / 16
        #expect(close(precision.chance, chance))
        // Lesion pixels beat 12 + 12 + 11 + 0 of 4 x 12.
        #expect(close(try score("auroc", .corrected, distinct, quarter).value, 35.0 / 48))
        #expect(try score("auroc", .corrected, distinct, quarter).chance == 0.5)
        #expect(close(try score("rank-accuracy", .corrected, distinct, quarter).value, 0.75))
        // Two classes: 4 pixels with one lesion pixel, 12 with three: 1/4 x 1/4 + 3/4 x 4/16.
        #expect(close(try score("average-precision", .corrected, tied, quarter).value, 0.25))
        // One lesion pixel beats 9 and ties 3; three tie 9.
        #expect(close(try score("auroc", .corrected, tied, quarter).value, 24.0 / 48))
        #expect(close(try score("rank-accuracy", .corrected, tied, quarter).value, 0.25))
    }

    @Test func masses() throws {
        #expect(close(try score("mass-accuracy", .corrected, distinct, quarter).value, 45.0 / 136))
        #expect(close(try score("energy-pointing-game", .study, distinct, quarter).value, 45.0 / 136))
        #expect(close(try score("mass-accuracy", .corrected, distinct, quarter).ceiling, 58.0 / 136))
        let signed = ScoredMap(pixels: [3, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 1], height: 4, width: 4)
        // With signs (3 - 1) / 2, clipped 3 / 4.
        #expect(close(try score("mass-accuracy", .study, signed, quarter).value, 1))
        #expect(close(try score("mass-accuracy", .corrected, signed, quarter).value, 0.75))
        let negative = ScoredMap(pixels: (0..<16).map { -1 - Float($0) }, height: 4, width: 4)
        let none = try score("mass-accuracy", .corrected, negative, quarter)
        #expect(none.status == .noMass)
        #expect(none.value == 0.25 && none.chance == 0.25)
    }

    @Test(arguments: EvaluationProtocol.allCases)
    func emptyMask(_ rules: EvaluationProtocol) throws {
        let empty = ScoredMask(Mask("....", "....", "....", "...."))
        for metric in try MetricRegistryTests.localisation(5, rules) {
            for map in [distinct, tied] {
                let score = try MetricRegistryTests.evaluator(metric, rules).scores(of: map, on: empty, item: "empty")[0]
                #expect(score.status == .emptyMask)
                #expect(score.value == (rules == .study ? 0 : nil), "\(metric.identifier)")
            }
        }
    }

    @Test(arguments: EvaluationProtocol.allCases)
    func fullMask(_ rules: EvaluationProtocol) throws {
        let full = ScoredMask(Mask("####", "####", "####", "####"))
        let names = ["pointing-game", "energy-pointing-game", "average-precision", "mass-accuracy", "rank-accuracy"]
        for score in try Evaluator(names, protocol: rules).scores(of: distinct, on: full, item: "full") {
            #expect(score.status == .fullMask)
            #expect(close(score.value, 1) && close(score.chance, 1) && close(score.ceiling, 1))
        }
        let auroc = try score("auroc", rules, distinct, full)
        #expect(auroc.value == nil && auroc.chance == nil && auroc.ceiling == nil && auroc.status == .fullMask)
        #expect(auroc.reason == "the mask covers the whole image and leaves nothing to tell apart")
        // Raw: 3 pixels of 16 (corrected); the study's rectangle 6 of 16.
        #expect(close(try score("iou@20", rules, distinct, full).value, rules == .study ? 6.0 / 16 : 3.0 / 16))
    }

    /// A constant map is flagged and scored as chance; one with NaN or infinity is flagged and has no score, so that no mean counts it.
    @Test(arguments: EvaluationProtocol.allCases)
    func mapsWithoutAnAnswer(_ rules: EvaluationProtocol) throws {
        var broken = [Float](repeating: 0.5, count: 16)
        broken[3] = .nan
        var infinite = (0..<16).map { Float($0) }
        infinite[5] = .infinity
        let maps: [(ScoredMap, ScoreStatus)] = [
            (ScoredMap(pixels: [Float](repeating: 0.5, count: 16), height: 4, width: 4), .constantMap),
            (ScoredMap(pixels: broken, height: 4, width: 4), .nonFiniteMap),
            (ScoredMap(pixels: infinite, height: 4, width: 4), .nonFiniteMap),
        ]
        for (map, status) in maps {
            for metric in try MetricRegistryTests.localisation(20, rules) {
                let score = try MetricRegistryTests.evaluator(metric, rules).scores(of: map, on: quarter, item: "odd")[0]
                #expect(score.status == status)
                if status == .constantMap && type(of: metric).scoresConstantMaps {
                    #expect(score.value != nil && score.value == score.chance, "\(metric.identifier)")
                } else {
                    #expect(score.value == nil && score.reason != nil, "\(metric.identifier)")
                }
            }
        }
        #expect(try score("pointing-game", .corrected, maps[0].0, quarter).value == 0.25)
        #expect(try score("average-precision", .corrected, maps[0].0, quarter).value == 0.25)
        #expect(try score("auroc", .corrected, maps[0].0, quarter).value == 0.5)
    }

    /// Native grids with NaN and constant grids under every display.
    @Test(arguments: [DisplayRule.attention, .relevance, .gradCAM])
    func nativeMapsWithoutAnAnswer(_ display: DisplayRule) throws {
        let mask = ScoredMask(Mask(width: 8, height: 8) { y, x in y < 3 && x < 5 })
        let metrics = try MetricRegistryTests.localisation(20, .corrected).filter { type(of: $0).scoresConstantMaps }
        #expect(metrics.count == 8)
        let evaluator = Evaluator(metrics.map { Evaluator.Entry(metric: $0, rules: .corrected) }, permutations: 50)
        for (values, status) in [
            ([Float](repeating: 2, count: 16), ScoreStatus.constantMap), ([.nan] + [Float](repeating: 2, count: 15), .nonFiniteMap),
        ] {
            let map = ScoredMap(HeatMap(rows: 4, columns: 4, values: values, height: 8, width: 8, display: display))
            for score in try evaluator.scores(of: map, on: mask, item: "odd") {
                #expect(score.status == status)
                #expect(score.value == score.chance && (score.value == nil) == (status == .nonFiniteMap))
            }
        }
    }

    @Test func sizesMustAgree() {
        #expect(throws: MetricError.sizeMismatch(mapHeight: 4, mapWidth: 4, maskHeight: 1, maskWidth: 2)) {
            try score("auroc", .study, distinct, ScoredMask(Mask("#.")))
        }
    }
}
