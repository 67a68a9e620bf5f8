import Testing
import VitrineData
import VitrineImage
import VitrineTensor

@testable import VitrineTrain

@Suite struct TrainingChangesTests {
    private func changes(_ fields: [(name: String, value: String)], epoch: Int = 0) throws -> TrainingChanges {
        var recipe = Recipe()
        try RecipeField.apply(fields, to: &recipe, source: "test")
        return TrainingChanges(recipe, epoch: epoch)
    }

    @Test func oneCellOfTheGridIsDeleted() throws {
        let (side, cell) = (32, 8)
        var counts = [Int](repeating: 0, count: 16)
        var deleted = 0
        for i in 0..<800 {
            var image = Tensor([3, side, side], [Float](repeating: 1, count: 3 * side * side))
            try changes([("delete-cells", "0.5")]).deleteCell(&image, of: Sample(id: "\(i)", imagePath: ""))
            let zeros = image.values.indices.filter { image.values[$0] == 0 }
            guard let first = zeros.first else { continue }
            deleted += 1
            // The whole cell in each channel, and nothing else.
            #expect(zeros.count == 3 * cell * cell)
            let (top, left) = (first / side / cell, first % side / cell)
            #expect(zeros.allSatisfy { $0 % (side * side) / side / cell == top && $0 % side / cell == left })
            counts[top * 4 + left] += 1
        }
        // Standard error of a share of 1/2 among 800: 0.018; four of them. Each cell is due 25 times.
        #expect(abs(Double(deleted) / 800 - 0.5) < 0.071)
        #expect(counts.allSatisfy { $0 > 5 && $0 < 50 })
    }

    @Test func theCellDependsOnSeedEpochAndImageAlone() throws {
        func values(_ id: String, _ fields: [(name: String, value: String)] = [], epoch: Int = 0) throws -> [Float] {
            var image = Tensor([3, 16, 16], [Float](repeating: 1, count: 768))
            try changes([("delete-cells", "1")] + fields, epoch: epoch).deleteCell(&image, of: Sample(id: id, imagePath: ""))
            return image.values
        }
        #expect(try values("a") == values("a"))
        #expect(try (0..<8).contains { try values("a", epoch: $0 + 1) != values("a") })
        #expect(try (0..<8).contains { try values("b\($0)") != values("a") })
        #expect(try (0..<8).contains { try values("a", [("seed", "\($0 + 1)")]) != values("a") })
        var untouched = Tensor([3, 16, 16], [Float](repeating: 1, count: 768))
        try changes([]).deleteCell(&untouched, of: Sample(id: "a", imagePath: ""))
        #expect(untouched.values.allSatisfy { $0 == 1 })
    }

    @Test func imagesOfAPairAreChangedAlike() throws {
        let image = Image(width: 8, height: 8, channels: 3, pixels: (0..<192).map { UInt8($0) })
        let samples = ["a", "b"].map { Sample(id: $0, imagePath: $0, patient: "p") }
        var (together, apart) = (0, 0)
        for epoch in 0..<64 {
            for (pairs, count) in [("true", 0), ("false", 1)] {
                let rule = try changes([("pairs", pairs), ("flip", "true")], epoch: epoch)
                let same = rule.changed(image, of: samples[0]) == rule.changed(image, of: samples[1])
                if count == 0 { together += same ? 1 : 0 } else { apart += same ? 1 : 0 }
            }
        }
        #expect(together == 64)
        #expect(apart < 64)
    }

    @Test func patientsStayTogetherInTheOrder() throws {
        let samples = (0..<40).map { i in
            Sample(id: "\(i)", imagePath: "/nowhere/\(i)", label: i % 2, patient: "\(i % 20)", split: .train)
        }
        let set = try TrainingSet(
            samples: samples.map { sample in
                var sample = sample
                sample.label = (Int(sample.id) ?? 0) / 20
                return sample
            }, classNames: ["a", "b"], positiveLabel: 1, validationShare: 0, testShare: 0, splitSeed: 0)
        #expect(set.groups(byPatient: false) == (0..<40).map { [$0] })
        #expect(set.groups(byPatient: true) == (0..<20).map { [$0, $0 + 20] })
    }

    @Test func runsOfAnEarlierVersionGoOn() {
        let completed = RecipeField.completed(["epochs": "3"])
        #expect(completed == ["epochs": "3", "pairs": "false", "delete-cells": "0.0"])
        #expect(RecipeField.completed(["pairs": "true"])["pairs"] == "true")
    }
}
