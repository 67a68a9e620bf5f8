import Foundation
import Testing
import VitrineModel
import VitrineTensor

/// What `Scripts/fixtures/checkpoint.py` wrote, and where.
enum CheckpointFixtures {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let folder = root.appendingPathComponent("Tests/Fixtures/checkpoint")
    /// Real checkpoints, where they are at hand.
    static let models = root.deletingLastPathComponent().appendingPathComponent("shared/models")

    static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    struct Described: Decodable {
        let type: String
        let shape: [Int]
        let bits: [UInt32]
    }

    private struct Expected: Decodable { let files: [String: [String: Described]] }

    static func expected(_ file: String) throws -> [String: Described] {
        let data = try Data(contentsOf: folder.appendingPathComponent("expected.json"))
        return try #require(try JSONDecoder().decode(Expected.self, from: data).files[file])
    }

    /// Compares every tensor of a fixture, bit by bit.
    static func compare(_ name: String, with expectedName: String? = nil) throws {
        let file = try Checkpoint.open(path(name))
        let expected = try expected(expectedName ?? name)
        #expect(file.names == expected.keys.sorted())
        for (key, described) in expected {
            let entry = try #require(file.tensors[key], "\(name): \(key)")
            #expect(entry.type.description == described.type, "\(name): \(key)")
            #expect(entry.shape == described.shape, "\(name): \(key)")
            #expect(try entry.tensor().values.map(\.bitPattern) == described.bits, "\(name): \(key)")
        }
    }

    /// A new folder, removed by the system when it likes; a fixed one under `VITRINE_CHECKPOINT_OUTPUT`.
    static func temporaryFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("vitrine-checkpoint-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    /// Opens bytes as a file; returns the error, or `nil` when it opened and every tensor could be read.
    static func failure(_ bytes: [UInt8], named name: String, in folder: URL) throws -> CheckpointError? {
        let url = folder.appendingPathComponent(name)
        try Data(bytes).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        do {
            let file = try Checkpoint.open(url.path)
            for entry in file.tensors.values { _ = try entry.tensor().values }
            return nil
        } catch {
            return error
        }
    }
}
