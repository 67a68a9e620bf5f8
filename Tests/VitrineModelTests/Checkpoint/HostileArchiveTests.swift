import Foundation
import Testing
import VitrineModel
import VitrineTensor

@Suite struct HostileArchiveTests {
    /// File and words that its error must hold, from `Scripts/fixtures/checkpoint.py`.
    static let cases: [(name: String, words: String)] = {
        let url = CheckpointFixtures.folder.appendingPathComponent("hostile.json")
        guard let data = try? Data(contentsOf: url), let cases = try? JSONDecoder().decode([String: String].self, from: data) else {
            return []
        }
        return cases.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }()

    @Test func thereAreCases() { #expect(Self.cases.count >= 90) }

    @Test(arguments: cases)
    func isRefusedInWords(name: String, words: String) throws {
        let path = CheckpointFixtures.path("hostile/\(name).pth")
        let error = #expect(throws: CheckpointError.self) {
            let file = try Checkpoint.open(path)
            for entry in file.tensors.values { _ = try entry.tensor().values }
        }
        let text = error?.description ?? ""
        #expect(text.hasPrefix(path + ": ") && text.contains(words) && !text.contains("\n"), "\(text)")
    }

    @Test func nothingWasExecuted() throws {
        for (name, _) in Self.cases { _ = try? Checkpoint.open(CheckpointFixtures.path("hostile/\(name).pth")) }
        #expect(!FileManager.default.fileExists(atPath: "/tmp/vitrine-was-here"))
    }

    @Test(arguments: ["small.pth", "zip64.pth"])
    func truncationAtEveryByteIsRefused(name: String) throws {
        let folder = try CheckpointFixtures.temporaryFolder()
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: CheckpointFixtures.path(name))))
        for length in 0..<whole.count {
            let error = try CheckpointFixtures.failure(Array(whole.prefix(length)), named: "x.pth", in: folder)
            #expect(error != nil, "\(length) bytes")
        }
        #expect(try CheckpointFixtures.failure(whole, named: "x.pth", in: folder) == nil)
    }

    /// Bytes flipped at random places: whatever comes of it, the process lives and refusals are typed.
    @Test(arguments: ["small.pth", "training.pth", "training_protocol4.pth", "views.pth", "zip64.pth"])
    func flippedBytesNeverCrash(name: String) throws {
        let folder = try CheckpointFixtures.temporaryFolder()
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: CheckpointFixtures.path(name))))
        var random = Philox(seed: 11, name: name)
        var refused = 0
        for _ in 0..<600 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if try CheckpointFixtures.failure(bytes, named: "x.pth", in: folder) != nil { refused += 1 }
        }
        // The pickle and the directory are a good part of these small files; flips in numbers and in padding load.
        #expect(refused > 100)
    }
}
