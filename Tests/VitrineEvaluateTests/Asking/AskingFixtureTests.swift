import Foundation
import Testing
import VitrineImage
import VitrineTensor

@testable import VitrineEvaluate

/// Against pytorch-grad-cam, captum, Quantus, scikit-learn, SciPy and NumPy on a small known network (`Scripts/fixtures/asking.py`).
@Suite struct AskingFixtureTests {
    struct Fixture: Decodable {
        struct Case: Decodable {
            let map, other, moved, pixels: [Double]
            let values: [String: Double]
            let sums, falls: [Double]
            let infidelity: Double

            struct Key: CodingKey {
                var stringValue: String
                var intValue: Int? { nil }
                init(stringValue: String) { self.stringValue = stringValue }
                init?(intValue: Int) { nil }
            }
            struct Infidelity: Decodable { let sums, falls: [Double], value: Double }

            init(from decoder: any Decoder) throws {
                let box = try decoder.container(keyedBy: Key.self)
                func list(_ name: String) throws -> [Double] { try box.decode([Double].self, forKey: Key(stringValue: name)) }
                (map, other, moved, pixels) = (try list("map"), try list("other"), try list("moved"), try list("pixels"))
                let found = try box.decode(Infidelity.self, forKey: Key(stringValue: "infidelity"))
                (sums, falls, infidelity) = (found.sums, found.falls, found.value)
                var values: [String: Double] = [:]
                for key in box.allKeys { values[key.stringValue] = try? box.decode(Double.self, forKey: key) }
                self.values = values
            }
        }
        struct Motion: Decodable { let degrees, down, right: Double, image: [[Double]] }
        struct Picture: Decodable { let height, width: Int, before, after: [UInt8] }
        struct Blur: Decodable { let sigma: Float, image: [Double] }
        struct Imputation: Decodable { let kept: String, image: [Double] }
        let rows, columns, side: Int
        let image: [Float]
        let weights: [[Double]]
        let cases: [Case]
        let motions: [Motion]
        let jpeg: Picture
        let blur: Blur
        let imputation: Imputation

        var height: Int { rows * side }
        var width: Int { columns * side }
        var tensor: Tensor { Tensor([3, height, width], image) }

        var witness: ToyWitness {
            var witness = ToyWitness(rows: rows, columns: columns, side: side, weights: weights)
            witness.image = tensor
            return witness
        }

        func pixelMap(_ values: [Double]) -> HeatMap {
            HeatMap(rows: height, columns: width, values: values.map { Float($0) }, height: height, width: width, display: .finished)
        }
    }

    static let fixture = Result {
        try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: TestFiles.fixtures.appendingPathComponent("asking.json")))
    }

    private func measure(_ name: String, _ map: HeatMap, _ witness: ToyWitness) throws -> Double {
        let score = try Evaluator([name], protocol: .corrected).scores(of: ScoredMap(map), on: nil, witness: witness, item: "case")[0]
        return try #require(score.value, "\(name): \(score.reason ?? "")")
    }

    /// Logits are handed over in Float32, whose rounding is 6e-8 of numbers up to 10: 1e-6 of a probability.
    @Test func metricsOfPatchMaps() throws {
        let fixture = try Self.fixture.get()
        #expect(fixture.cases.count == 3)
        let names = [
            "deletion", "deletion:steps=7", "insertion", "srg", "selectivity", "comprehensiveness", "sufficiency", "monotonicity",
            "single-deletion", "saco:groups=10", "saco:groups=6", "average-drop", "average-increase", "gini", "entropy", "area-50",
            "area-90",
        ]
        for entry in fixture.cases {
            let witness = fixture.witness
            for name in names {
                let expected = try #require(entry.values[name], "\(name)")
                let found = try measure(name, witness.map(entry.map), witness)
                #expect(abs(found - expected) < 1e-6, "\(name): \(found) against \(expected)")
            }
        }
    }

    /// pytorch-grad-cam fills pixels in Float32 from a direct solver; ours stops at a residual of 1e-10 of the right-hand side.
    @Test func metricsOfPixelMaps() throws {
        let fixture = try Self.fixture.get()
        for entry in fixture.cases {
            let witness = fixture.witness
            let map = fixture.pixelMap(entry.pixels)
            for (name, key) in [
                ("road:noise=0", "road"), ("road:noise=0,percentiles=50", "road:percentiles=50"), ("average-drop", "pixel-average-drop"),
            ] {
                let found = try measure(name, map, witness)
                #expect(abs(found - entry.values[key]!) < 2e-6, "\(name): \(found) against \(entry.values[key]!)")
            }
        }
    }

    /// captum works in Float32 after the sums; its value is of order 0.1.
    @Test func infidelityIsCaptums() throws {
        for entry in try Self.fixture.get().cases {
            #expect(abs(Infidelity.value(entry.sums, entry.falls) - entry.infidelity) < 1e-6)
        }
    }

    /// Two maps and the images behind them, under the formulas of captum and Quantus.
    @Test func comparisonsOfTwoMaps() throws {
        let fixture = try Self.fixture.get()
        for entry in fixture.cases {
            let witness = fixture.witness
            let (map, other) = (witness.map(entry.map), witness.map(entry.other))
            let moved = Tensor([3, fixture.height, fixture.width], entry.moved.map { Float($0) })
            func close(_ found: Double, _ name: String) { #expect(abs(found / entry.values[name]! - 1) < 1e-6, "\(name): \(found)") }
            close(try relativeChange(map, other), "max-sensitivity")
            close(lipschitz(map, other, fixture.tensor, moved), "local-lipschitz")
            close(try elementwiseChange(map, other) / relativeChange(fixture.tensor, moved), "relative-input-stability")
            var logits: [[Float]] = []
            try witness.logits(of: [.pixels(fixture.tensor), .pixels(moved)]) { _, found in logits.append(found) }
            let change = norm(zip(logits[0], logits[1]).map { Double($0) - Double($1) })
            // The difference of two Float32 logits of order 1 keeps four digits here.
            #expect(abs(try elementwiseChange(map, other) / change / entry.values["relative-output-stability"]! - 1) < 1e-4)
            let h = [map, other].map { EfficientRandomisation.entropy($0.values) }
            #expect(abs((h[1] - h[0]) / h[0] - entry.values["efficient-randomisation"]!) < 1e-9)
        }
    }

    @Test func blurIsSciPys() throws {
        let fixture = try Self.fixture.get()
        let blurred = fixture.tensor.blurred(sigma: fixture.blur.sigma).values
        // Written with seven decimals, computed in Float64 and kept in Float32.
        #expect(blurred.count == fixture.blur.image.count && zip(blurred, fixture.blur.image).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    }

    @Test func motionsAreSciPys() throws {
        let fixture = try Self.fixture.get()
        for motion in fixture.motions {
            let moved = Motion(degrees: motion.degrees, down: motion.down, right: motion.right).applied(to: fixture.tensor).values
            let expected = motion.image.flatMap { $0 }
            #expect(moved.count == expected.count && zip(moved, expected).allSatisfy { abs(Double($0) - $1) < 1e-6 }, "\(motion.degrees)")
        }
    }

    /// The map of a moved image, brought back, is the map, where it moves by whole cells.
    @Test func whatWasMovedComesBack() throws {
        let witness = ToyWitness()
        let own = witness.map(witness.truth)
        var moved = own
        // Down by one cell of four pixels.
        moved.values = own.values.indices.map { $0 < 5 ? 0 : own.values[$0 - 5] }
        let (a, b) = Motion(down: 4).pairs(own, moved)
        #expect(a.count == 25 && zip(a, b).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(try rankCorrelation(own, moved, undoing: Motion(down: 4)) == 1)
        // A turn by half a circle.
        moved.values = own.values.reversed()
        let (c, d) = Motion(degrees: 180).pairs(own, moved)
        #expect(c.count == 30 && zip(c, d).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test func imputationIsPytorchGradCams() throws {
        let fixture = try Self.fixture.get()
        let isMissing = fixture.imputation.kept.map { $0 == "0" }
        let filled = NeighbourImputation(isMissing: isMissing, height: fixture.height, width: fixture.width).fill(fixture.tensor).values
        #expect(
            zip(filled, fixture.imputation.image).allSatisfy { abs(Double($0) - $1) < 1e-6 }
                && filled.count == fixture.imputation.image.count)
        // A plane is its neighbours' mean everywhere: a hole in it is filled with the plane.
        var plane = Tensor([1, 9, 11])
        plane.withMutableSpan { span in for i in 0..<span.count { span[i] = Float(2 * (i / 11) - 3 * (i % 11)) } }
        let hole = (0..<99).map { i in (2..<6).contains(i / 11) && (3..<8).contains(i % 11) }
        let again = NeighbourImputation(isMissing: hole, height: 9, width: 11).fill(plane).values
        #expect(zip(again, plane.values).allSatisfy { abs($0 - $1) < 1e-4 })
        let nothing = NeighbourImputation(isMissing: [Bool](repeating: true, count: 99), height: 9, width: 11).fill(plane).values
        #expect(nothing.allSatisfy { $0 == 0 })
    }

    /// The same library behind Pillow; its build may round the inverse transform otherwise by a grey level.
    @Test func jpegsArePillows() throws {
        let picture = try Self.fixture.get().jpeg
        let image = Image(width: picture.width, height: picture.height, channels: 3, pixels: picture.before)
        let after = try Image(encoded: try image.jpeg(quality: 90))
        #expect(after.width == picture.width && after.height == picture.height && after.channels == 3)
        #expect(zip(after.pixels, picture.after).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
        #expect(zip(after.pixels, picture.before).contains { $0 != $1 })
    }

    private func lipschitz(_ map: HeatMap, _ other: HeatMap, _ image: Tensor, _ moved: Tensor) -> Double {
        func scaled(_ map: HeatMap) -> [Double] {
            let most = Double(map.values.map { abs($0) }.max()!)
            return map.values.map { Double($0) / most }
        }
        return norm(zip(scaled(map), scaled(other)).map { $0 - $1 }) / norm(zip(image.values, moved.values).map { Double($0) - Double($1) })
    }

    private func relativeChange(_ map: HeatMap, _ other: HeatMap) throws -> Double { try VitrineEvaluate.relativeChange(map, other) }

    private func relativeChange(_ image: Tensor, _ moved: Tensor) -> Double {
        norm(zip(image.values, moved.values).map { (Double($0) - Double($1)) / ($0 == 0 ? 1e-6 : Double($0)) })
    }
}
