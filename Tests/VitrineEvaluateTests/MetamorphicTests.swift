import Testing
import VitrineImage
import VitrineTensor

@testable import VitrineEvaluate

/// What must not change, and what must, when map and mask change together.
@Suite struct MetamorphicTests {
    static let names = [
        "pointing-game:any", "pointing-game:expected", "iou@5:raw", "iou@5:rectangle", "iou@20:component", "dice@10:raw",
        "average-precision", "auroc", "rank-accuracy",
    ]

    /// Multiples of 1/8 with many ties: sums and shifts by small integers are exact.
    private func map(_ seed: UInt64, _ change: (Float) -> Float = { $0 }) -> [Float] {
        var random = Philox(seed: seed, name: "metamorphic")
        return (0..<20 * 24).map { _ in change(Float(random.below(40)) / 8) }
    }

    private let mask = Mask(width: 24, height: 20) { (y: Int, x: Int) -> Bool in
        (5..<12).contains(y) && (3..<17).contains(x) && (x + y) % 7 > 0
    }

    private func values(_ pixels: [Float], _ mask: Mask, _ names: [String], _ rules: EvaluationProtocol) throws -> [Double] {
        let metrics = try names.map { try localisation($0, rules) }
        let ranking = SiteRanking(ScoredMap(pixels: pixels, height: mask.height, width: mask.width), ScoredMask(mask))
        return metrics.map { $0.value(of: ranking)! }
    }

    @Test(arguments: EvaluationProtocol.allCases)
    func ranksIgnoreMonotoneRescaling(_ rules: EvaluationProtocol) throws {
        for seed in UInt64(0)..<5 {
            let plain = try values(map(seed), mask, Self.names, rules)
            #expect(try values(map(seed) { 4 * $0 }, mask, Self.names, rules) == plain)
            #expect(try values(map(seed) { $0 + 3 }, mask, Self.names, rules) == plain)
            #expect(try values(map(seed) { $0 * $0 * $0 - 2 }, mask, Self.names, rules) == plain)
        }
    }

    @Test func aConstantMovesTheMassAlone() throws {
        let names = ["mass-accuracy", "energy-pointing-game"]
        let plain = try values(map(1), mask, names, .corrected)
        let shifted = try values(map(1) { $0 + 3 }, mask, names, .corrected)
        let scaled = try values(map(1) { $0 * 8 }, mask, names, .corrected)
        #expect(scaled == plain)
        let area = ScoredMask(mask).area
        // Adding background moves the share towards the mask's area.
        for (before, after) in zip(plain, shifted) { #expect(abs(after - area) < abs(before - area)) }
    }

    @Test func mirroredTogetherNothingChanges() throws {
        let pixels = map(2)
        let order = (0..<480).map { (i: Int) -> Int in i - i % 24 + 23 - i % 24 }
        let flipped = Mask(width: 24, height: 20, bits: order.map { mask.bits[$0] })
        #expect(
            try values(order.map { pixels[$0] }, flipped, Self.names, .corrected)
                == values(pixels, mask, Self.names, .corrected))
    }

    @Test func theComplementMirrorsTheROC() throws {
        let pixels = map(3)
        let background = Mask(width: 24, height: 20, bits: mask.bits.map { !$0 })
        let forward = try values(pixels, mask, ["auroc"], .study)[0]
        #expect(abs(try values(pixels, background, ["auroc"], .study)[0] - (1 - forward)) < 1e-12)
        #expect(abs(try values(pixels.map { -$0 }, mask, ["auroc"], .study)[0] - (1 - forward)) < 1e-12)
    }

    @Test func diceFollowsFromTheIntersectionOverUnion() throws {
        for seed in UInt64(0)..<5 {
            for region in ["rectangle", "raw", "component", "component-rectangle"] {
                let both = try values(map(seed), mask, ["iou@10:\(region)", "dice@10:\(region)"], .study)
                #expect(abs(both[1] - 2 * both[0] / (1 + both[0])) < 1e-12)
            }
        }
    }

    /// The mask as its own map reaches every ceiling.
    @Test func aPerfectMapReachesTheCeiling() throws {
        let box = Mask(width: 24, height: 20) { y, x in (5..<13).contains(y) && (3..<15).contains(x) }
        let names = [
            "pointing-game", "energy-pointing-game", "iou@10", "iou@20", "dice@20", "average-precision", "auroc", "mass-accuracy",
            "rank-accuracy",
        ]
        for rules in EvaluationProtocol.allCases {
            let scores = try Evaluator(names, protocol: rules).scores(
                of: ScoredMap(pixels: box.bits.map { $0 ? 1 : 0 }, height: 20, width: 24), on: ScoredMask(box), item: "perfect")
            for (name, score) in zip(names, scores) {
                #expect(abs(score.value! - score.ceiling!) < 1e-12, "\(name) \(rules)")
                #expect(score.skill.map { abs($0 - 1) < 1e-9 } ?? true)
            }
        }
    }

    /// Cells or pixels: the lattice is a matter of speed.
    @Test func sitesAndPixelsAgree() throws {
        var random = Philox(seed: 9, name: "sites")
        for percentage in [3.0, 10, 33.3] {
            let cells = (0..<30).map { _ in Float(random.below(12)) }
            let pixels = (0..<480).map { (i: Int) -> Float in
                let (y, x) = (i / 24, i % 24)
                return cells[(y / 4) * 6 + x / 4]
            }
            let map = ScoredMap(pixels: pixels, height: 20, width: 24)
            #expect(map.lattice.siteArea == 16)
            let ranking = SiteRanking(map, ScoredMask(mask))
            let plain = PlainMetrics(values: pixels, mask: mask)
            func value(_ name: String, _ rules: EvaluationProtocol = .study) throws -> Double {
                try localisation(name, rules).value(of: ranking)!
            }
            #expect(try value("pointing-game:any") == plain.pointingGameAny)
            #expect(try value("pointing-game:first") == plain.pointingGameFirst)
            #expect(abs(try value("pointing-game:expected") - plain.pointingGameExpected) < 1e-12)
            #expect(abs(try value("average-precision") - plain.averagePrecision) < 1e-12)
            #expect(abs(try value("auroc") - plain.auroc) < 1e-12)
            #expect(abs(try value("mass-accuracy") - plain.massShare(pixels)) < 1e-12)
            let on = plain.selected(percentage)
            let largest = plain.largestComponent(on)
            #expect(try value("iou@\(percentage):raw") == plain.iou(on))
            #expect(try value("iou@\(percentage):rectangle") == plain.iou(plain.rectangle(on)))
            #expect(try value("iou@\(percentage):component") == plain.iou(largest))
            #expect(try value("iou@\(percentage):component-rectangle") == plain.iou(plain.rectangle(largest)))
        }
    }
}

/// A localisation metric by name.
func localisation(_ name: String, _ rules: EvaluationProtocol) throws -> any LocalisationMetric {
    guard let metric = try MetricRegistry.metric(name, protocol: rules) as? any LocalisationMetric else {
        throw MetricError.unknownMetric(name, known: [])
    }
    return metric
}
