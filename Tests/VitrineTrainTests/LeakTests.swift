import Foundation
import Testing
import VitrineData
import VitrineTensor

@testable import VitrineTrain

/// The same picture on two sides of a split (issue 16, item 11), whatever its path is spelled.
@Suite struct LeakTests {
    private final class Pictures {
        let folder = NSTemporaryDirectory() + "vitrine-leak-\(UUID().uuidString)"

        /// Files of equal length and different content.
        init(_ count: Int) throws {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for i in 0..<count { try Data("picture \(100 + i)".utf8).write(to: URL(fileURLWithPath: path(i))) }
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        func path(_ i: Int) -> String { folder + "/\(i).png" }
        func samples(_ count: Int) -> [Sample] { (0..<count).map { Sample(id: "\($0)", imagePath: path($0), label: $0 % 2) } }
    }

    private func set(_ samples: [Sample], validation: [Sample] = [], share: Double = 0.3) throws -> TrainingSet {
        try TrainingSet(
            samples: samples, classNames: ["a", "b"], positiveLabel: 1, validation: validation, validationShare: share, testShare: 0,
            splitSeed: 3)
    }

    @Test func otherSpellingsOfAValidationImageAreRefused() throws {
        let pictures = try Pictures(12)
        let files = FileManager.default
        try files.createSymbolicLink(atPath: pictures.folder + "/link.png", withDestinationPath: "0.png")
        try files.linkItem(atPath: pictures.path(0), toPath: pictures.folder + "/hard.png")
        try files.copyItem(atPath: pictures.path(0), toPath: pictures.folder + "/copy.png")
        try files.createSymbolicLink(atPath: pictures.folder + "-again", withDestinationPath: pictures.folder)
        defer { try? files.removeItem(atPath: pictures.folder + "-again") }
        let own = pictures.samples(10)
        for path in [
            pictures.path(0), pictures.folder + "/./0.png", pictures.folder + "//0.png", pictures.folder + "/link.png",
            pictures.folder + "/hard.png",
            pictures.folder + "/copy.png", pictures.folder + "-again/0.png",
        ] {
            #expect(throws: TrainingError.imageOnBothSides(path: path, other: pictures.path(0))) {
                try set(own, validation: [Sample(id: "v", imagePath: path, label: 0)])
            }
        }
        let apart = try set(own, validation: [Sample(id: "v", imagePath: pictures.path(10), label: 0)])
        #expect(apart.validation.count == 1 && apart.notes.isEmpty)
    }

    /// In a split that the data set brings: one file on two sides is refused, copies of it are said.
    @Test func copiesInABroughtSplit() throws {
        let pictures = try Pictures(6)
        var samples = pictures.samples(6)
        for i in samples.indices { samples[i].split = i < 4 ? .train : .test }
        samples[5].imagePath = pictures.folder + "/./1.png"
        #expect(throws: TrainingError.self) { try set(samples, share: 0) }
        try FileManager.default.copyItem(atPath: pictures.path(1), toPath: pictures.folder + "/copy.png")
        samples[5].imagePath = pictures.folder + "/copy.png"
        // Case 13: copies in a split that is brought are no reason to refuse it, whether validation is drawn from its training side or not.
        for share in [0, 0.5] { #expect(try set(samples, share: share).test.map(\.id) == ["4", "5"]) }
        let said = try set(samples, share: 0)
        #expect(said.notes.count == 1 && said.notes[0].isLoss && said.notes[0].text.contains("copy.png"))
        samples[5].split = .train
        samples[5].label = 0
        let labels = try set(samples, share: 0)
        #expect(labels.notes.count == 1 && labels.notes[0].text.contains("in two classes"))
    }

    /// A drawn split keeps copies on one side, patients with them, and is the same as ever where there are none.
    @Test func drawnSplitsKeepCopiesTogether() throws {
        let pictures = try Pictures(40)
        let plain = pictures.samples(40)
        let drawn = try Splits.complete(plain, validation: 0.3, test: 0, seed: 3)
        let expected = try set(plain)
        #expect(expected.training.map(\.id) == drawn.filter { $0.split == .train }.map(\.id))
        var samples = plain
        for i in 0..<8 {
            // Copies of 0...7 with the same labels, each of a patient with another picture.
            let copy = pictures.folder + "/copy\(i).png"
            try FileManager.default.copyItem(atPath: pictures.path(i), toPath: copy)
            samples.append(Sample(id: "copy\(i)", imagePath: copy, label: i % 2, patient: "p\(i)"))
            samples[20 + i].patient = "p\(i)"
        }
        for seed in 0..<20 {
            let all = try TrainingSet(
                samples: samples, classNames: ["a", "b"], positiveLabel: 1, validationShare: 0.4, testShare: 0, splitSeed: UInt64(seed))
            let training = Set(all.training.map(\.id))
            for i in 0..<8 {
                #expect(
                    training.contains("\(i)") == training.contains("copy\(i)")
                        && training.contains("copy\(i)") == training.contains("\(20 + i)"))
            }
            #expect(all.notes.isEmpty && (all.training + all.validation).first { $0.id == "1" }?.patient == nil)
        }
    }

    /// hostile F19: nests of aliases as keys, and files of keys alone, are refused from their text.
    @Test(.timeLimit(.minutes(1))) func bombsOfKeysAreRefused() throws {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for i in 1...20 { bomb += "a\(i): &a\(i) [" + [String](repeating: "*a\(i - 1)", count: 10).joined(separator: ", ") + "]\n" }
        for key in ["*a20 : 1\n", "? *a20\n: 1\n", "{*a20 : 1}: 2\n", "k: {[*a20]: 1}\n", "- ? [*a20]\n"] {
            let fault = YAMLKeys.fault(in: bomb + key)
            #expect(fault?.line == 22, "\(key): \(String(describing: fault))")
        }
        // Line breaks of other kinds, and a colon on the next line, hide nothing.
        #expect(YAMLKeys.fault(in: bomb.replacing("\n", with: "\r\n") + "? *a20\r\n: 1\r\n")?.line == 22)
        for text in ["a: [x]\r? *a20\r: 1", "a: [x]\u{2028}? *a20", "{[*a20]\n : 1}"] {
            #expect(YAMLKeys.fault(in: text) != nil, "\(text)")
        }
        let many = (0..<30_000).map { "k\($0): 1\n" }.joined()
        #expect(YAMLKeys.fault(in: many)?.reason.contains("20000") == true)
        for text in [
            "title: it's [1]\nb: \"*a : 1\"\nc: 'a ''*b : c'\nd: |\n  ? x\n  *a : 1\n\n  [1]: 2\ne: 1 # ? *x :\n",
            "a: &x {b: 1}\nc: {<<: *x, d: 2}\ne: [*x]\n",
            "epochs: 3\nlist: [a, b]\nurl: https://x.org/*y\nwhat: a?b\n", "d: >-\n  text: [x]: y\nnext: 1", "",
        ] { #expect(YAMLKeys.fault(in: text) == nil, "\(text)") }
        #expect(throws: TrainingError.self) { try Recipe.parse(bomb + "*a20 : 1\n", source: "recipe.yaml") }
    }
}
