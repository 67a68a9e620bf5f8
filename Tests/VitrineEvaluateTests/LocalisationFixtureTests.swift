import Foundation
import Testing
import VitrineImage
import VitrineTensor

@testable import VitrineEvaluate

/// Localisation metrics of thresholds, ranks and distances against scikit-learn, SciPy and their definitions in NumPy.
@Suite struct LocalisationFixtureTests {
    struct Fixture: Decodable {
        struct Place: Decodable {
            let height, width: Int
            let map, others, distances: [Double]
            let mask: String
            let values: [String: Double]

            init(from decoder: any Decoder) throws {
                let box = try decoder.container(keyedBy: AskingFixtureTests.Fixture.Case.Key.self)
                func key(_ name: String) -> AskingFixtureTests.Fixture.Case.Key { .init(stringValue: name) }
                (height, width) = (try box.decode(Int.self, forKey: key("height")), try box.decode(Int.self, forKey: key("width")))
                map = try box.decode([Double].self, forKey: key("map"))
                others = try box.decode([Double].self, forKey: key("others"))
                distances = try box.decode([Double].self, forKey: key("distances"))
                mask = try box.decode(String.self, forKey: key("mask"))
                var values: [String: Double] = [:]
                for key in box.allKeys { values[key.stringValue] = try? box.decode(Double.self, forKey: key) }
                self.values = values
            }

            var scored: ScoredMask {
                ScoredMask(Mask(width: width, height: height, bits: mask.map { $0 == "1" }), others: others.map { Float($0) })
            }

            /// Displayed as it is, so that thresholds see the very numbers that NumPy saw.
            var heat: HeatMap {
                HeatMap(rows: height, columns: width, values: map.map { Float($0) }, height: height, width: width, display: .finished)
            }
        }
        let places: [Place]
    }

    static let fixture = Result {
        try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: TestFiles.fixtures.appendingPathComponent("asking.json")))
    }

    static let names = [
        "partial-auroc", "shuffled-auroc", "best-iou", "iou-otsu", "iou-mean", "iou-mass50", "top-intersection@30", "distance",
    ]

    /// Sums of a few hundred terms in double precision; distances are kept in Float32.
    @Test(arguments: names)
    func equalsItsDefinition(_ name: String) throws {
        let places = try Self.fixture.get().places
        #expect(places.count == 4)
        for place in places {
            let score = try Evaluator([name], protocol: .corrected).scores(of: ScoredMap(place.heat), on: place.scored, item: "place")[0]
            #expect(abs(try #require(score.value) - place.values[name]!) < 1e-6, "\(name)")
            if let ceiling = score.ceiling {
                let sign = try #require(MetricRegistry.facts(name)?.better.sign)
                #expect(sign * (ceiling - score.value!) > -1e-9, "\(name)")
            }
        }
    }

    @Test func distancesAreSciPys() throws {
        for place in try Self.fixture.get().places {
            #expect(zip(place.scored.distances, place.distances).allSatisfy { abs(Double($0) - $1) < 1e-5 })
        }
    }

    /// The chance level of every new metric against plain permutations of the pixels, whichever way it is found; and of patches.
    @Test(arguments: names + ["lesion-hits", "lesion-hits@2", "lesion-sensitivity"])
    func chanceIsThatOfPermutations(_ name: String) throws {
        let place = try Self.fixture.get().places[1]
        let metric = try localisation(name, .corrected)
        let mask = place.scored
        for rows in [13, 1] {
            // 13 x 17 pixels, and 1 x 17 patches shown by repetition.
            var heat = HeatMap(
                rows: rows, columns: 17, values: Array(place.map.prefix(rows * 17)).map { Float($0) }, height: 13, width: 17,
                display: .attention)
            let score = try Evaluator([name], protocol: .corrected, permutations: 2000).scores(
                of: ScoredMap(heat), on: mask, item: "chance")[0]
            let own = heat.values
            var found: [Double] = []
            for draw in 0..<600 {
                var random = Philox(seed: 31, name: "plain permutation", index: UInt64(draw))
                heat.values = random.permutation(own.count).map { own[$0] }
                found.append(try #require(metric.value(of: SiteRanking(ScoredMap(heat), mask))))
            }
            let variance = standardDeviation(found) * standardDeviation(found) / 600 + score.chanceStandardError * score.chanceStandardError
            #expect(abs(mean(found) - (try #require(score.chance))) < 4 * variance.squareRoot() + 1e-9, "\(name) \(rows): \(mean(found))")
        }
    }

    /// A smooth display is permuted cell by cell and ranked in 4,096 steps.
    @Test(arguments: names + ["lesion-hits", "lesion-sensitivity"])
    func smoothMapsAreRankedAlike(_ name: String) throws {
        let mask = ScoredMask(ChanceTests.mask, others: [Float](repeating: 0.25, count: 24 * 20))
        let heat = ChanceTests.heatMap(.bilinear)
        let smooth = SmoothRanking(heat, mask)
        smooth.restore()
        let metric = try localisation(name.replacing("@30", with: "@40"), .corrected)
        let (fast, slow) = (try #require(metric.value(of: smooth)), try #require(metric.value(of: SiteRanking(ScoredMap(heat), mask))))
        // Steps of 1/4096 of the range move a threshold by a few pixels of 480.
        #expect(abs(fast - slow) < 0.02, "\(name): \(fast) against \(slow)")
    }

    @Test func lesionsAreHitOneByOne() throws {
        // Two lesions on a grid of 8 x 8 patches of 16 pixels; the map has maxima on one of them and off both.
        let mask = ScoredMask(
            Mask(width: 128, height: 128) { (y: Int, x: Int) -> Bool in
                (16..<32).contains(y) && ((16..<32).contains(x) || (96..<112).contains(x))
            })
        #expect(mask.lesionCount == 2)
        var values = [Float](repeating: 0, count: 64)
        values[1 * 8 + 1] = 10
        values[6 * 8 + 6] = 8
        values[6 * 8 + 1] = 6
        values[1 * 8 + 6] = 4
        func score(_ name: String, _ values: [Float]) throws -> Double? {
            let map = HeatMap(rows: 8, columns: 8, values: values, height: 128, width: 128, display: .relevance)
            return try Evaluator([name], protocol: .corrected, permutations: 5).scores(of: ScoredMap(map), on: mask, item: "lesions")[0]
                .value
        }
        #expect(try score("lesion-hits", values) == 0.5)
        #expect(try score("lesion-hits@1", values) == 0.5)
        #expect(try score("lesion-hits@4", values) == 1)
        // The second and third maxima are false: the search ends before the fourth.
        #expect(try score("lesion-sensitivity", values) == 0.5)
        values[6 * 8 + 1] = 0
        #expect(try score("lesion-sensitivity", values) == 1)
    }

    @Test func withoutOtherMasksNothingIsShuffled() throws {
        let mask = ScoredMask(ChanceTests.mask)
        let score = try Evaluator(["shuffled-auroc"], protocol: .study).scores(
            of: ScoredMap(ChanceTests.heatMap(.pixels)), on: mask, item: "alone")[0]
        #expect(score.value == nil && score.reason == "no other masks are known")
        // The map that is the other masks themselves knows the prior and no more.
        let place = try Self.fixture.get().places[2]
        let prior = HeatMap(rows: 13, columns: 17, values: place.others.map { Float($0) }, height: 13, width: 17, display: .finished)
        let metric = try localisation("shuffled-auroc", .corrected)
        let plain = try localisation("auroc", .corrected)
        let ranking = SiteRanking(ScoredMap(prior), place.scored)
        #expect(metric.value(of: ranking)! < plain.value(of: ranking)!)
    }

    @Test func numbersOfTheirOwn() {
        func message(_ name: String) -> String {
            do {
                _ = try MetricRegistry.metric(name, protocol: .study)
                return "no error"
            } catch { return error.description }
        }
        #expect(
            message("top-intersection@1000") == "no error" && message("lesion-hits@3") == "no error" && message("lesion-hits") == "no error"
        )
        #expect(message("lesion-hits@1.5") == "metric 'lesion-hits@K': '1.5' is no whole number from 1 on")
        #expect(message("lesion-hits@0") == "metric 'lesion-hits@K': '0' is no whole number from 1 on")
        #expect(MetricRegistry.facts("lesion-hits")?.identifier == "lesion-hits@K")
        #expect(MetricRegistry.facts("lesion-hits@3")?.identifier == "lesion-hits@K")
    }
}
