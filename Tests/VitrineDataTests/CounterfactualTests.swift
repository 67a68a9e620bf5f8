import Foundation
import Testing
import VitrineData
import VitrineImage

@Suite struct CounterfactualTests {
    static let tissue: [PhantomTask] = [.suppressor, .twoCauses, .conjunction, .classSpecific]

    /// Bytes as they were before phantoms had parts (FNV-1a over the pixels of image 0 and 1).
    @Test(arguments: [
        (PhantomTask.colon, [0x3a0a_5dcb_362f_5f12, 0xf84d_43f4_c6c8_a1e8] as [UInt64]),
        (.breastMR, [0x8b00_0a5c_12c3_9285, 0x5195_8fc7_3f1e_b419]),
        (.oesophagus, [0x6aef_4731_8328_e30f, 0x32b1_f2d2_fbc7_9b22]),
        (.bone, [0xd7dc_767a_e5c5_6cbc, 0xd352_1969_f95e_a6c2]),
    ])
    func theStudysModalitiesKeepTheirPixels(task: PhantomTask, digests: [UInt64]) throws {
        let set = try PhantomSet(
            task: task, count: 6, seed: 7, shortcut: PhantomShortcut(tag: .letter, rate: 0.8), distractorRate: 0.5, isMatched: true)
        for (i, digest) in digests.enumerated() {
            let hash = set.phantom(at: i).image.pixels.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            #expect(hash == digest)
        }
    }

    /// The soft edge beyond the mask, in pixels. A polyp's shadow and a fragment that is put back change more: see `Docs/Phantoms.md`.
    @Test(arguments: [
        (PhantomTask.breastMR, 4), (.oesophagus, 5), (.suppressor, 2), (.twoCauses, 2), (.conjunction, 2), (.classSpecific, 2),
    ])
    func withoutALesionNothingChangesOutsideItsMask(task: PhantomTask, border: Int) throws {
        let set = try PhantomSet(task: task, count: 12, seed: 3, distractorRate: 0.5)
        var seen = 0
        for i in 0..<set.count where !set.parts(of: i).isDisjoint(with: [.lesion, .secondLesion]) {
            let changed = set.changed(at: i, without: [.lesion, .secondLesion])
            expect(changed, within: set.phantom(at: i).lesion, border: border)
            seen += 1
        }
        #expect(seen >= 6)
    }

    @Test(arguments: tissue)
    func everyPartCanBeLeftOutAlone(task: PhantomTask) throws {
        let set = try PhantomSet(
            task: task, count: 10, seed: 4, shortcut: PhantomShortcut(tag: .letter, rate: 0.5), distractorRate: 0.7, isMatched: true,
            options: PhantomOptions(number: 2))
        var seen = Set<PhantomPart>()
        for i in 0..<set.count {
            let phantom = set.phantom(at: i)
            let parts = set.parts(of: i)
            #expect(Set(phantom.masks.keys) == parts)
            for part in parts {
                let mask = try #require(phantom.masks[part])
                let changed = set.changed(at: i, without: [part])
                #expect(changed.count > mask.count / 2 || mask.isEmpty, "\(task.rawValue) \(i): \(part.rawValue) is not seen")
                expect(changed, within: mask, border: 3)
                seen.insert(part)
            }
        }
        #expect(seen == set.parts)
    }

    @Test func theTagStaysWhereItIsWithoutTheLesion() throws {
        let set = try PhantomSet(task: .colon, count: 12, seed: 5, shortcut: PhantomShortcut(tag: .scopeBox, rate: 1))
        for i in 0..<set.count where set.label(of: i) == 1 {
            #expect(set.phantom(at: i).shortcut == set.phantom(at: i, without: [.lesion]).shortcut)
        }
    }

    @Test func labelsFollowTheParts() {
        let both: Set<PhantomPart> = [.lesion, .secondLesion]
        for task in PhantomTask.allCases { #expect(task.label([]) == 0 && task.label([.distractor, .suppressor, .shortcut]) == 0) }
        #expect([[.lesion], [.secondLesion], both].map { PhantomTask.twoCauses.label($0) } == [1, 1, 1])
        #expect([[.lesion], [.secondLesion], both].map { PhantomTask.conjunction.label($0) } == [0, 0, 1])
        #expect([[.lesion], [.secondLesion], both].map { PhantomTask.classSpecific.label($0) } == [1, 2, nil])
        #expect(PhantomTask.suppressor.label([.lesion, .suppressor]) == 1)
    }

    @Test func theSuppressorKnowsNothingOfTheLabelAndShowsTheHaze() throws {
        let set = try PhantomSet(task: .suppressor, count: 200, seed: 6)
        // Mean level of the strip and of the tissue, lesions left out.
        var strips: [[Double]] = [[], []]
        var tissue: [Double] = []
        for i in 0..<set.count {
            let pixels = set.phantom(at: i, without: [.lesion]).image.pixels
            let mean = { (range: Range<Int>) in range.reduce(0.0) { $0 + Double(pixels[3 * $1]) } / Double(range.count) }
            strips[set.label(of: i)].append(mean(0..<20 * 256))
            tissue.append(mean(20 * 256..<65536))
        }
        let all = strips.map { $0.reduce(0, +) / Double($0.count) }
        // The strip's level varies by 4 * 0.07 / sqrt(3) of 255, 41; the standard error of a difference of two hundreds is 6.
        #expect(abs(all[0] - all[1]) < 24)
        let order = (0..<set.count).map { i in set.label(of: i) }
        var next = [0, 0]
        let strip = order.map { label in
            defer { next[label] += 1 }
            return Float(strips[label][next[label]])
        }
        let correlation = try #require(Correlation.pearson(strip, tissue.map { Float($0) }))
        #expect(correlation > 0.5)
    }

    @Test func sizeContrastAndNumberDoWhatTheySay() throws {
        func areas(_ options: PhantomOptions, _ task: PhantomTask = .suppressor) throws -> Double {
            let set = try PhantomSet(task: task, count: 40, seed: 8, options: options)
            let positive = (0..<set.count).filter { set.label(of: $0) > 0 }
            return positive.reduce(0) { $0 + set.phantom(at: $1).lesion.area } / Double(positive.count)
        }
        let plain = try areas(PhantomOptions())
        // Outlines are sampled on pixels and cut at the picture's edge: within a tenth.
        #expect(abs(try areas(PhantomOptions(size: 2)) / plain - 2) < 0.2)
        #expect(abs(try areas(PhantomOptions(size: 0.5)) / plain - 0.5) < 0.05)
        #expect(abs(try areas(PhantomOptions(number: 3)) / plain - 3) < 0.4)
        #expect(abs(try areas(PhantomOptions(size: 0.5), .colon) / areas(PhantomOptions(), .colon) - 0.5) < 0.15)

        let full = try PhantomSet(task: .bone, count: 4, seed: 8)
        let half = try PhantomSet(task: .bone, count: 4, seed: 8, options: PhantomOptions(contrast: 0.5))
        let none = try PhantomSet(task: .bone, count: 4, seed: 8, options: PhantomOptions(contrast: 0))
        for i in 0..<4 where full.label(of: i) == 1 {
            let bare = full.phantom(at: i, lesion: false).image.pixels
            func change(_ set: PhantomSet) -> Double {
                zip(set.phantom(at: i).image.pixels, bare).reduce(0) { $0 + abs(Double($1.0) - Double($1.1)) }
            }
            #expect(change(none) == 0)
            #expect((0.3...0.7).contains(change(half) / change(full)))
        }
    }

    @Test func optionsThatATaskDoesNotTakeAreNamed() {
        #expect(throws: PhantomError.self) { try PhantomSet(task: .bone, count: 4, seed: 1, options: PhantomOptions(size: 2)) }
        #expect(throws: PhantomError.self) { try PhantomSet(task: .colon, count: 4, seed: 1, options: PhantomOptions(number: 2)) }
        #expect(throws: PhantomError.self) { try PhantomSet(task: .colon, count: 4, seed: 1, options: PhantomOptions(contrast: 1.5)) }
        #expect(throws: PhantomError.self) { try PhantomSet(task: .conjunction, count: 4, seed: 1, options: PhantomOptions(size: .nan)) }
    }

    @Test func writesAMaskOfEveryPart() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("phantoms-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let set = try PhantomSet(task: .twoCauses, count: 8, seed: 4, distractorRate: 0.5, isMatched: true)
        _ = try set.write(to: folder.path + "/own", workers: 2)
        _ = try set.write(to: folder.path + "/without", without: [.lesion], workers: 2)
        for (name, removed) in [("own", []), ("without", [.lesion])] as [(String, Set<PhantomPart>)] {
            let table = try String(contentsOf: folder.appendingPathComponent("\(name)/labels.csv"), encoding: .utf8)
            let lines = table.split(separator: "\n")
            #expect(lines.first == "image,label,patient,mask,split,shortcut,parts")
            for (i, line) in lines.dropFirst().enumerated() {
                let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                let parts = set.parts(of: i).subtracting(removed)
                #expect(fields[1] == String(try #require(set.task.label(parts))))
                #expect(fields[6] == parts.ordered.map(\.rawValue).joined(separator: "+"))
                for part in PhantomPart.allCases {
                    let path = folder.path + "/\(name)/parts/\(part.rawValue)/" + set.fileName(of: i)
                    #expect(FileManager.default.fileExists(atPath: path) == parts.contains(part))
                    guard parts.contains(part) else { continue }
                    #expect(try Image(contentsOf: path).pixels.map { $0 > 0 } == set.phantom(at: i).masks[part]?.bits)
                }
            }
        }
    }

    /// Complains unless every pixel of one mask lies in the other or at most `border` pixels from it, row- and columnwise.
    private func expect(_ changed: Mask, within mask: Mask, border: Int, _ place: SourceLocation = #_sourceLocation) {
        var outside = 0
        for y in 0..<mask.height {
            for x in 0..<mask.width where changed[row: y, column: x] {
                let rows = max(0, y - border)...min(mask.height - 1, y + border)
                let columns = max(0, x - border)...min(mask.width - 1, x + border)
                let isNear = rows.contains { row in columns.contains { mask[row: row, column: $0] } }
                outside += isNear ? 0 : 1
            }
        }
        #expect(outside == 0, "pixels change outside the mask", sourceLocation: place)
    }
}
