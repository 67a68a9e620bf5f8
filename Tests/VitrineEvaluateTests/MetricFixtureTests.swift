import Foundation
import Testing
import VitrineImage

@testable import VitrineEvaluate

/// Against scikit-learn, SciPy and NumPy, on distinct, tied, signed and mostly-zero maps.
@Suite struct MetricFixtureTests {
    struct Fixture: Decodable {
        struct Case: Decodable {
            let name, mask: String
            let height, width: Int
            let map: [Float]
            let averagePrecision, auroc, rankAccuracy, massAccuracy, signedMassAccuracy, minMaxEnergy: Double
            let expectedIoU20, chanceIoU20: Double
        }
        struct Dilation: Decodable {
            let height, width: Int
            let mask: String
            let counts: [String: Int]
        }
        let cases: [Case]
        let dilation: Dilation
    }

    static let fixture = Result {
        try JSONDecoder().decode(
            Fixture.self, from: Data(contentsOf: TestFiles.fixtures.appendingPathComponent("metrics.json")))
    }

    /// Both sides add in double precision; 1e-12 is a few hundred roundings of numbers of order 1.
    @Test func equalsPublicImplementations() throws {
        let cases = try Self.fixture.get().cases
        #expect(cases.count == 15)
        for record in cases {
            let mask = ScoredMask(Mask(width: record.width, height: record.height, bits: record.mask.map { $0 == "1" }))
            let heat = HeatMap(
                rows: record.height, columns: record.width, values: record.map, height: record.height, width: record.width,
                display: .attention)
            let map = ScoredMap(heat)
            func scores(_ names: [String], _ rules: EvaluationProtocol) throws -> [Score] {
                try Evaluator(names, protocol: rules).scores(of: map, on: mask, item: record.name)
            }
            let corrected = try scores(
                ["average-precision", "auroc", "rank-accuracy", "mass-accuracy", "energy-pointing-game", "iou@20"], .corrected)
            let expected = [
                record.averagePrecision, record.auroc, record.rankAccuracy, record.massAccuracy, record.massAccuracy,
                record.expectedIoU20,
            ]
            for (score, value) in zip(corrected, expected) {
                #expect(abs(score.value! - value) < 1e-12, "\(record.name)")
            }
            #expect(abs(corrected[5].chance! - record.chanceIoU20) < 1e-12, "\(record.name)")
            let study = try scores(["mass-accuracy", "energy-pointing-game"], .study)
            #expect(abs(study[0].value! - record.signedMassAccuracy) < 1e-9 * max(1, abs(record.signedMassAccuracy)))
            // The displayed map is min-max in Float32: 180 values with errors of 6e-8 each.
            #expect(abs(study[1].value! - record.minMaxEnergy) < 1e-6, "\(record.name)")
        }
    }

    @Test func dilationEqualsTheDistanceTransform() throws {
        let record = try Self.fixture.get().dilation
        let mask = ScoredMask(Mask(width: record.width, height: record.height, bits: record.mask.map { $0 == "1" }))
        for (radius, count) in record.counts { #expect(mask.dilated(by: Double(radius)!).count == count, "\(radius)") }
    }
}
