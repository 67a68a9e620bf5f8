import Foundation
import Synchronization
import Testing
import VitrineData
import VitrineImage
import VitrineTensor

@Suite struct PhantomTests {
    @Test(arguments: PhantomTask.allCases)
    func bytesDependOnTheSeedAlone(task: PhantomTask) throws {
        func digest(seed: UInt64, workers: Int) throws -> UInt64 {
            let set = try PhantomSet(
                task: task, count: 6, seed: seed, patients: 3, shortcut: PhantomShortcut(tag: .letter, rate: 0.8), distractorRate: 0.5)
            let hashes = Hashes(count: set.count)
            try parallelFor(set.count, workers: workers) { _, i in
                let phantom = set.phantom(at: i)
                hashes.set(i, fnv(phantom.image.pixels) ^ fnv(phantom.lesion.bits.map { $0 ? 1 : 0 }))
            }
            return fnv(hashes.all.flatMap { hash in (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * UInt64($0))) } })
        }
        let once = try digest(seed: 7, workers: 1)
        #expect(try digest(seed: 7, workers: 1) == once)
        #expect(try digest(seed: 7, workers: 3) == once)
        #expect(try digest(seed: 8, workers: 1) != once)
    }

    @Test(arguments: PhantomTask.allCases)
    func masksMarkWhatTheLesionChanged(task: PhantomTask) throws {
        let set = try PhantomSet(task: task, count: 24, seed: 3)
        for i in 0..<set.count where set.label(of: i) == 1 {
            let positive = set.phantom(at: i)
            // Negatives of a conjunction may show one of its two masses.
            let negative = set.phantom(at: i, without: [.lesion, .secondLesion])
            #expect(negative.lesion.isEmpty)
            #expect(!positive.lesion.isEmpty)
            var inside = 0.0
            var outside = 0.0
            for p in 0..<positive.lesion.bits.count {
                let red = Int(positive.image.pixels[3 * p]) - Int(negative.image.pixels[3 * p])
                let green = Int(positive.image.pixels[3 * p + 1]) - Int(negative.image.pixels[3 * p + 1])
                let difference = Double(abs(red) + abs(green))
                if positive.lesion.bits[p] { inside += difference } else { outside += difference }
            }
            inside /= Double(positive.lesion.count)
            outside /= Double(positive.lesion.bits.count - positive.lesion.count)
            // Outside lie only soft edges, contact shadows (a seventh of the change at most) and, in bone, the rest of a displaced fragment.
            #expect(inside > 6 * outside, "\(task.rawValue) \(i): \(inside) inside, \(outside) outside")
            #expect(inside > 8, "\(task.rawValue) \(i): the lesion is not seen")
        }
    }

    @Test(arguments: [
        (PhantomTask.colon, 0.02, 0.32), (.breastMR, 0.009, 0.065), (.oesophagus, 0.012, 0.16), (.bone, 0.008, 0.12),
    ])
    func areasKeepToTheStatedRange(task: PhantomTask, low: Double, high: Double) throws {
        let set = try PhantomSet(task: task, count: 60, seed: 11)
        for i in 0..<set.count where set.label(of: i) == 1 {
            let area = set.phantom(at: i).lesion.area
            #expect((low...high).contains(area), "\(task.rawValue) \(i): \(area)")
        }
    }

    @Test func greyModalitiesAreGrey() throws {
        for task in [PhantomTask.breastMR, .bone] {
            let pixels = try PhantomSet(task: task, count: 1, seed: 1).phantom(at: 0).image.pixels
            let colored = stride(from: 0, to: pixels.count, by: 3).count { (i: Int) -> Bool in Set(pixels[i..<i + 3]).count > 1 }
            #expect(colored == 0)
        }
    }

    @Test(arguments: PhantomShortcut.Tag.allCases)
    func theTagKeepsItsRateAndItsBox(tag: PhantomShortcut.Tag) throws {
        let certain = try PhantomSet(task: .colon, count: 40, seed: 5, shortcut: PhantomShortcut(tag: tag, rate: 1))
        for i in 0..<certain.count { #expect(certain.hasShortcut(i) == (certain.label(of: i) == 1)) }
        let inverted = try PhantomSet(task: .colon, count: 40, seed: 5, shortcut: PhantomShortcut(tag: tag, rate: 0))
        for i in 0..<inverted.count { #expect(inverted.hasShortcut(i) == (inverted.label(of: i) == 0)) }

        let mostly = try PhantomSet(task: .colon, count: 4000, seed: 5, shortcut: PhantomShortcut(tag: tag, rate: 0.8))
        let positives = (0..<mostly.count).filter { mostly.label(of: $0) == 1 }
        let negatives = (0..<mostly.count).filter { mostly.label(of: $0) == 0 }
        // Standard error of a share of 0.8 among 2000: 0.009; four of them.
        #expect(abs(Double(positives.count { mostly.hasShortcut($0) }) / Double(positives.count) - 0.8) < 0.036)
        #expect(abs(Double(negatives.count { mostly.hasShortcut($0) }) / Double(negatives.count) - 0.2) < 0.036)

        // Outside its box the tag changes nothing, inside nearly everything.
        let plain = try PhantomSet(task: .colon, count: 40, seed: 5)
        let tagged = certain.phantom(at: 0)
        let bare = plain.phantom(at: 0)
        let box = try #require(tagged.shortcut)
        var changed = 0
        for p in 0..<box.bits.count {
            let differs = tagged.image.pixels[3 * p..<3 * p + 3] != bare.image.pixels[3 * p..<3 * p + 3]
            if differs { #expect(box.bits[p]) }
            changed += differs ? 1 : 0
        }
        #expect(changed > box.count * 8 / 10)
        #expect(zip(box.bits, tagged.lesion.bits).allSatisfy { !($0 && $1) })
    }

    @Test func aDistractorChangesImagesOfBothLabels() throws {
        for task in PhantomTask.allCases {
            let with = try PhantomSet(task: task, count: 4, seed: 9, distractorRate: 1)
            let without = try PhantomSet(task: task, count: 4, seed: 9)
            for i in 0..<4 {
                #expect(with.hasDistractor(i) && !without.hasDistractor(i))
                #expect(with.label(of: i) == without.label(of: i))
                #expect(with.phantom(at: i).lesion.count > 0 || with.label(of: i) == 0)
            }
            #expect((0..<4).contains { with.phantom(at: $0).image != without.phantom(at: $0).image }, "\(task.rawValue)")
        }
    }

    @Test func labelsAreBalancedAndPatientsStayWhole() throws {
        for (count, patients) in [(600, nil), (600, 60), (601, 77), (45, 9), (7, 7)] as [(Int, Int?)] {
            let set = try PhantomSet(task: .bone, count: count, seed: 2, patients: patients)
            let positives = (0..<count).count { set.label(of: $0) == 1 }
            #expect(abs(2 * positives - count) <= 2)
            var splits: [Int: Set<PhantomSplit>] = [:]
            for i in 0..<count { splits[set.patient(of: i), default: []].insert(set.split(of: i)) }
            #expect(splits.count == patients ?? count)
            #expect(splits.values.allSatisfy { $0.count == 1 })
            #expect(Set(splits.values.flatMap { $0 }).count == 3)
        }
        let set = try PhantomSet(task: .colon, count: 600, seed: 2)
        let test = (0..<600).filter { set.split(of: $0) == .test }
        #expect(test.count == 120)
        #expect(test.count { set.label(of: $0) == 1 } == 60)
        #expect((0..<600).count { set.split(of: $0) == .validation } == 60)
    }

    @Test func writesATableThatNamesItsFiles() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("phantoms-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let set = try PhantomSet(task: .oesophagus, count: 6, seed: 4, shortcut: PhantomShortcut(tag: .ruler, rate: 1))
        let summary = try set.write(to: folder.path, workers: 2)
        #expect(summary.images == 6 && summary.positives == 3 && summary.shortcuts == 3 && summary.patients == 6)
        let lines = try String(contentsOf: folder.appendingPathComponent("labels.csv"), encoding: .utf8).split(separator: "\n")
        #expect(lines.first == "image,label,patient,mask,split,shortcut")
        #expect(lines.count == 7)
        for (i, line) in lines.dropFirst().enumerated() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            #expect(fields.count == 6)
            let phantom = set.phantom(at: i)
            #expect(try Image(contentsOf: folder.path + "/" + fields[0]) == phantom.image)
            #expect(fields[1] == String(set.label(of: i)))
            #expect(fields[3].isEmpty == (set.label(of: i) == 0))
            #expect(fields[5].isEmpty == !set.hasShortcut(i))
            if !fields[3].isEmpty {
                let mask = try Image(contentsOf: folder.path + "/" + fields[3])
                #expect(mask.channels == 1 && mask.pixels.map { $0 > 0 } == phantom.lesion.bits)
            }
            if !fields[5].isEmpty {
                #expect(try Image(contentsOf: folder.path + "/" + fields[5]).pixels.map { $0 > 0 } == phantom.shortcut?.bits)
            }
        }
    }

    @Test(arguments: PhantomTask.allCases)
    func matchedPairsDifferInTheLesionAlone(task: PhantomTask) throws {
        // Two pairs for each of three patients; the seventh image of the second set has no partner.
        for (count, patients) in [(12, 3), (7, nil)] as [(Int, Int?)] {
            let set = try PhantomSet(task: task, count: count, seed: 13, patients: patients, distractorRate: 0.5, isMatched: true)
            let k = set.patients
            for i in 0..<count where (i / k) % 2 == 0 && i + k < count {
                #expect(set.label(of: i) != set.label(of: i + k) && set.split(of: i) == set.split(of: i + k))
                #expect(set.phantom(at: i, lesion: false).image == set.phantom(at: i + k, lesion: false).image)
                #expect(set.phantom(at: i).image != set.phantom(at: i + k).image)
            }
        }
        let views = try PhantomSet(task: task, count: 8, seed: 13, patients: 2, isMatched: true)
        #expect(views.phantom(at: 0, lesion: false).image != views.phantom(at: 4, lesion: false).image)
    }

    @Test func badOptionsAreNamed() {
        #expect(throws: PhantomError.count(0)) { try PhantomSet(task: .bone, count: 0, seed: 1) }
        #expect(throws: PhantomError.patients(9, count: 4)) { try PhantomSet(task: .bone, count: 4, seed: 1, patients: 9) }
        #expect(throws: PhantomError.unmatched(patients: 3, count: 4)) {
            try PhantomSet(task: .bone, count: 4, seed: 1, patients: 3, isMatched: true)
        }
        #expect(throws: PhantomError.rate(option: "distractor", value: 1.5)) {
            try PhantomSet(task: .bone, count: 4, seed: 1, distractorRate: 1.5)
        }
        for text in ["letter", "letter:", "badge:0.5", "letter:x", "letter:1:2", ""] {
            #expect(throws: PhantomError.shortcut(text: text)) { try PhantomShortcut(parsing: text) }
        }
        #expect(throws: PhantomError.rate(option: "shortcut", value: 2)) { try PhantomShortcut(parsing: "ruler:2") }
        #expect(throws: FileFailure.self) {
            try PhantomSet(task: .bone, count: 1, seed: 1).write(to: "/dev/null/phantoms", workers: 1)
        }
    }
}

/// A place for results of parallel work, by index.
private final class Hashes: Sendable {
    private let values: Mutex<[UInt64]>
    init(count: Int) { values = Mutex([UInt64](repeating: 0, count: count)) }
    func set(_ index: Int, _ value: UInt64) { values.withLock { $0[index] = value } }
    var all: [UInt64] { values.withLock { $0 } }
}

/// FNV-1a, 64 bits.
private func fnv(_ bytes: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
}
