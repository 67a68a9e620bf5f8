import Foundation
import Testing
import VitrineImage

@testable import VitrineEvaluate

/// The study's own scores of 14 maps: noise, patches, smooth, mostly zero, constant, quantised.
@Suite struct LocalisationReferenceTests {
    enum Entry: Decodable {
        case number(Double)
        case text(String)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    @Test(.enabled(if: TestFiles.hasShared("reference/localisation.json"), "the shared reference folder is absent"))
    func everyCaseIsEqual() throws {
        // Not JSONSerialization: on Linux its numbers differ in the last bit from the decimals in the file.
        let cases = try JSONDecoder().decode(
            [[String: Entry]].self, from: Data(contentsOf: TestFiles.sharedFolder("reference/localisation.json")))
        let tensors = try SafetensorsReader(TestFiles.sharedFolder("reference/localisation.safetensors"))
        let percentages = ["5", "10", "20", "40"]
        let evaluator = try Evaluator(["pointing-game"] + percentages.map { "iou@\($0)" }, protocol: .study)
        #expect(cases.count == 14)
        for record in cases {
            guard case .text(let name) = record["case"] else { throw CocoaError(.coderInvalidValue) }
            func number(_ key: String) -> Double? {
                if case .number(let number) = record[key] { number } else { nil }
            }
            let mask = ScoredMask(tensors.mask("mask." + name))
            let map = ScoredMap(pixels: tensors.floats("map." + name), height: 224, width: 224)
            #expect(map.lattice.siteArea == (name.hasPrefix("patch_nearest") ? 256 : 1), "\(name)")
            let scores = try evaluator.scores(of: map, on: mask, item: name)
            #expect(scores[0].value == number("pointing_game"), "\(name)")
            for (i, percentage) in percentages.enumerated() {
                let expected = number("iou_rectangle@\(percentage)")
                #expect(scores[i + 1].value == expected, "\(name) iou@\(percentage)")
                let selected = SiteRanking(map, mask).selection(rank: 50176 * Int(percentage)! / 100).total
                #expect(selected == number("selected_pixels@\(percentage)").map { Int($0) }, "\(name)")
            }
            // One of the reference's masks is empty: it scores 0.
            let status: ScoreStatus = mask.isEmpty ? .emptyMask : name.hasPrefix("constant") ? .constantMap : .ok
            #expect(scores.allSatisfy { $0.status == status }, "\(name)")
        }
    }
}
