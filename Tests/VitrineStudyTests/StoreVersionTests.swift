import Foundation
import GRDB
import Testing

@testable import VitrineStore
@testable import VitrineStudy

@Suite("Stores of earlier versions")
struct StoreVersionTests {
    private static func fixture(_ name: String) throws -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: folder.appendingPathComponent("Fixtures/store/\(name)"), encoding: .utf8)
    }

    /// A store as the first version wrote it, with a write-ahead log.
    private static func versionOne(_ scratch: Scratch) throws -> String {
        let path = scratch.file("old.sqlite")
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA foreign_keys = OFF")
            try db.execute(sql: fixture("version-1.sql"))
            try db.execute(sql: "PRAGMA journal_mode = WAL")
        }
        try queue.close()
        return path
    }

    /// Every score as the report of that version printed it.
    private static func expectSameScores(_ store: Store) throws {
        let rows = try fixture("version-1-scores.csv").split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let head = Dictionary(uniqueKeysWithValues: rows[0].enumerated().map { ($1, $0) })
        func key(_ row: [String]) -> [String] { ["image", "model", "method", "metric", "protocol"].map { row[head[$0]!] } }
        var expected = Dictionary(uniqueKeysWithValues: rows.dropFirst().map { (key($0), $0) })
        #expect(expected.count > 100)
        let samples = Dictionary(uniqueKeysWithValues: try store.samples().map { ($0.id, $0.name) })
        let models = Dictionary(uniqueKeysWithValues: try store.models().map { ($0.id, $0.name) })
        let methods = Dictionary(uniqueKeysWithValues: try store.methods().map { ($0.id, $0.name) })
        let metrics = Dictionary(uniqueKeysWithValues: try store.metrics().map { ($0.id, $0) })
        try store.forEachScore { model, sample, score in
            let metric = try #require(metrics[score.metricID])
            let key = [samples[sample] ?? "", models[model] ?? "", methods[score.methodID] ?? "", metric.name, metric.protocolName]
            let removed = expected.removeValue(forKey: key)
            let row = try #require(removed, "\(key)")
            #expect(score.value == Double(row[head["value"]!]) && score.chance == Double(row[head["chance"]!]))
            #expect(score.ceiling == Double(row[head["ceiling"]!]) && score.status == row[head["status"]!])
        }
        #expect(expected.isEmpty)
    }

    @Test("a store of version 1 is read as it is, and its file is left alone")
    func read() throws {
        let scratch = try Scratch()
        let path = try Self.versionOne(scratch)
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        let store = try Store.open(path)
        try store.verify()
        #expect(try store.progress().isComplete && store.progress().total == 12)
        #expect(try store.stabilities().count == 2 * 4)
        #expect(try store.map(model: 1, method: 0, sample: 1)?.values.count == 16)
        try Self.expectSameScores(store)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["old.sqlite"])
    }

    @Test("a run brings a store of version 1 up to date once, without a log, and forgets the batch that it was made with")
    func write() throws {
        let scratch = try Scratch()
        let path = try Self.versionOne(scratch)
        let read = try Store.open(path).contentDigest()
        let store = try Store.open(path, isReadOnly: false)
        try store.verify()
        #expect(try store.contentDigest() == read)
        #expect(try store.study(StudyKey.resolved)?.contains("batch") == false)
        try store.close()
        try Self.expectSameScores(try Store.open(path, isReadOnly: false))
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted() == ["old.sqlite", "old.sqlite.lock"])
    }
}
