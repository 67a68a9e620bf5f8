import Testing

@testable import VitrineData

@Suite struct SplitTests {
    /// 60 patients with 1 to 6 images each, a third of them positive.
    private let samples: [Sample] = (0..<60).flatMap { p in
        (0..<(1 + p * 7 % 6)).map { i in
            Sample(id: "p\(p)-\(i).png", imagePath: "p\(p)-\(i).png", label: p % 3 == 0 ? 1 : 0, patient: "patient \(p)")
        }
    }

    private func shares(_ samples: [Sample], _ split: Split, label: Int) -> Double {
        let all = samples.filter { $0.label == label }
        return Double(all.count { $0.split == split }) / Double(all.count)
    }

    @Test func drawnByPatientAndStratified() throws {
        for seed in 0..<20 as Range<UInt64> {
            let drawn = try Splits.drawn(samples, validation: 0.15, test: 0.2, seed: seed)
            #expect(drawn.allSatisfy { $0.split != nil })
            try Splits.check(drawn)
            for label in 0...1 {
                // The smallest side is due 0.15 · 70 = 10 images of the rarer label, patients have up to six: half a patient is 0.05.
                #expect(abs(shares(drawn, .test, label: label) - 0.2) < 0.05)
                #expect(abs(shares(drawn, .validation, label: label) - 0.15) < 0.05)
            }
        }
    }

    @Test func dependsOnSeedAndNamesOnly() throws {
        let a = try Splits.drawn(samples, validation: 0.2, test: 0.2, seed: 3)
        #expect(try Splits.drawn(samples, validation: 0.2, test: 0.2, seed: 3) == a)
        #expect(try Splits.drawn(samples, validation: 0.2, test: 0.2, seed: 4) != a)
        let reversed = try Splits.drawn(samples.reversed(), validation: 0.2, test: 0.2, seed: 3)
        #expect(Array(reversed.reversed()) == a)
        let folds = try Splits.folds(samples, count: 5, seed: 3)
        #expect(try Array(Splits.folds(samples.reversed(), count: 5, seed: 3).reversed()) == folds)
    }

    @Test func foldsArePatientWiseEvenAndCover() throws {
        let folds = try Splits.folds(samples, count: 5, seed: 1)
        var owner: [String: Int] = [:]
        for (sample, fold) in zip(samples, folds) { #expect(owner.updateValue(fold, forKey: sample.patient!).map { $0 == fold } ?? true) }
        for label in 0...1 {
            let counts = (0..<5).map { fold in zip(samples, folds).count { $0.label == label && $1 == fold } }
            // Whole patients of up to six images: neighbouring folds differ by less than one patient.
            #expect(counts.max()! - counts.min()! <= 6, "\(counts)")
        }
        var tested = 0
        for fold in 0..<5 {
            let split = try Splits.crossValidation(samples, fold: fold, of: 5, withValidation: true, seed: 1)
            try Splits.check(split)
            tested += split.count { $0.split == .test }
            #expect(Split.allCases.allSatisfy { side in split.contains { $0.split == side } })
        }
        #expect(tested == samples.count)
    }

    @Test func everySideGetsSomething() throws {
        for n in 3...8 {
            let few = (0..<n).map { Sample(id: "\($0)", imagePath: "", label: $0 % 2, patient: "\($0)") }
            let drawn = try Splits.drawn(few, validation: 0.05, test: 0.05, seed: 0)
            #expect(Split.allCases.allSatisfy { side in drawn.contains { $0.split == side } })
            #expect(Set(try Splits.folds(few, count: n, seed: 0)).count == n)
        }
        let two = (0..<2).map { Sample(id: "\($0)", imagePath: "", label: $0, patient: "\($0)") }
        #expect(Set(try Splits.folds(two, count: 2, seed: 0)).count == 2)
    }

    @Test func errors() throws {
        let two = [Sample(id: "a", imagePath: "", patient: "x"), Sample(id: "b", imagePath: "", patient: "x")]
        #expect(throws: DataError.tooFewPatients(found: 1, needed: 2)) { try Splits.folds(two, count: 2, seed: 0) }
        #expect(throws: DataError.tooFewPatients(found: 1, needed: 3)) { try Splits.drawn(two, validation: 0.1, test: 0.1, seed: 0) }
        #expect(throws: DataError.badShare(validation: 0.5, test: 0.5)) { try Splits.drawn(samples, validation: 0.5, test: 0.5, seed: 0) }
        #expect(throws: DataError.badShare(validation: -0.1, test: 0.5)) { try Splits.drawn(samples, validation: -0.1, test: 0.5, seed: 0) }
        var both = two
        both[0].split = .train
        #expect(throws: DataError.incompleteSplit(withSplit: "a", without: "b")) {
            try Splits.complete(both, validation: 0, test: 0.2, seed: 0)
        }
        both[1].split = .test
        let error = #expect(throws: DataError.self) { try Splits.complete(both, validation: 0, test: 0.2, seed: 0) }
        #expect(
            error?.description
                == "patient 'x' is on both sides: 'a' in train, 'b' in test; move all images of a patient to one side")
    }

    @Test func validationIsDrawnFromTheTrainingSide() throws {
        let published = try Splits.drawn(samples, validation: 0, test: 0.3, seed: 8)
        let complete = try Splits.complete(published, validation: 0.25, test: 0.9, seed: 9)
        try Splits.check(complete)
        for (a, b) in zip(published, complete) { #expect(a.split == b.split || a.split == .train && b.split == .validation) }
        let training = Double(published.count { $0.split == .train })
        #expect(abs(Double(complete.count { $0.split == .validation }) / training - 0.25) < 0.05)
        #expect(try Splits.complete(complete, validation: 0.25, test: 0, seed: 1) == complete)
    }

    /// Images without a patient stand alone, and a patient named like an image is somebody else.
    @Test func imagesWithoutAPatient() throws {
        let mixed = (0..<40).map { Sample(id: "\($0)", imagePath: "", label: $0 % 2, patient: $0 < 4 ? "39" : nil) }
        let folds = try Splits.folds(mixed, count: 4, seed: 0)
        #expect(Set(folds[0..<4]).count == 1)
        #expect((0..<4).allSatisfy { fold in (8...12).contains(folds.count { $0 == fold }) })
    }
}
