import Foundation
import GRDB
import Testing
import VitrineTensor

@testable import VitrineStore
@testable import VitrineStudy

/// What happens to a store whose bytes are not those that were written.
@Suite("Damaged store")
struct StoreDamageTests {
    private static func store(_ scratch: Scratch) throws -> Store {
        var settings = SyntheticStore()
        (settings.images, settings.metrics, settings.mapSide) = (6, 2, 3)
        return try settings.write(to: scratch.file("a.sqlite"))
    }

    /// Everything that commands read.
    private static func readAll(_ store: Store) throws {
        try store.verify()
        _ = try (store.plan(), store.images(), store.masks(), store.checkpoints(), store.units(), store.notes(), store.stabilities())
        _ = try (store.failures(), store.arithmetic(), store.progress())
        for model in try store.models() {
            _ = try store.predictions(model: model.id)
            for method in try store.methods() {
                for map in try store.maps(model: model.id, method: method.id) {
                    _ = try store.map(model: model.id, method: method.id, sample: map.sampleID)
                }
                for metric in try store.metrics() { _ = try store.scores(model: model.id, method: method.id, metric: metric.id) }
            }
        }
        try store.forEachScore { _, _, _ in }
    }

    @Test("changed bytes, blocks and lengths are an error, or change nothing", arguments: 0..<60)
    func mutated(seed: UInt64) throws {
        let scratch = try Scratch()
        let store = try Self.store(scratch)
        let digest = try store.contentDigest()
        try store.close()
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: store.path)))
        var random = Philox(seed: seed, name: "mutated store")
        switch seed % 4 {
        case 0: bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
        case 1:
            for _ in 0..<8 { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
        case 2:
            let start = random.below(bytes.count)
            for i in start..<min(start + 512, bytes.count) { bytes[i] = 0 }
        default: bytes.removeLast(random.below(bytes.count))
        }
        let path = scratch.file("b.sqlite")
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        do {
            let damaged = try Store.open(path)
            try Self.readAll(damaged)
            #expect(try damaged.contentDigest() == digest)
        } catch let error as StoreError {
            #expect("\(error)".contains("b.sqlite") && !"\(error)".contains("\n"))
        }
        #expect(throws: Never.self) {
            do { _ = try Store.merge([path], into: scratch.file("c.sqlite")) } catch is StoreError {}
        }
    }

    @Test("one flipped bit anywhere in the results is named, where SQLite itself sees nothing")
    func flippedBit() throws {
        let scratch = try Scratch()
        let store = try Self.store(scratch)
        let changes = [
            ("score", "UPDATE score SET value = value + 1e-9 WHERE model_id = 1 AND method_id = 0 AND metric_id = 2 AND sample_id = 4"),
            ("prediction", "UPDATE prediction SET target = 'logit 0' WHERE sample_id = 2"),
            ("map", "UPDATE map SET \"values\" = zeroblob(36) WHERE method_id = 1 AND sample_id = 3"),
            ("image", "UPDATE image SET sha256 = '1' WHERE sample_id = 5"),
            ("sample", "UPDATE sample SET patient = 'patient9' WHERE id = 0"),
            ("score", "DELETE FROM score WHERE model_id = 1 AND method_id = 2 AND metric_id = 0 AND sample_id = 1"),
            ("unit", "UPDATE unit SET mask_area = 0.5 WHERE model_id = 0 AND sample_id = 5"),
        ]
        try store.close()
        for (i, (table, sql)) in changes.enumerated() {
            let path = scratch.file("\(i).sqlite")
            try FileManager.default.copyItem(atPath: store.path, toPath: path)
            try DatabaseQueue(path: path).write { try $0.execute(sql: sql) }
            let damaged = try Store.open(path)
            #expect {
                try damaged.verify()
            } throws: { error in
                guard case .damaged(path, table, let reason)? = error as? StoreError else { return false }
                return reason.contains("checksum") || reason.contains("rows where")
            }
            #expect(throws: StoreError.self) { try Store.merge([path], into: scratch.file("merged.sqlite")) }
        }
    }

    @Test("values that no study writes are refused with table, row and column, even where a checksum vouches for them")
    func absurdValues() throws {
        let scratch = try Scratch()
        let store = try Self.store(scratch)
        try store.close()
        let cases = [
            ("prediction", "predicted", "UPDATE prediction SET predicted = 2 WHERE sample_id = 0"),
            ("prediction", "probabilities", "UPDATE prediction SET probabilities = x'00' WHERE sample_id = 0"),
            ("prediction", "probabilities", "UPDATE prediction SET probabilities = x'FFFFFFFFFFFFFFFF' WHERE sample_id = 0"),
            ("dataset", "positive_label", "UPDATE dataset SET positive_label = -1"),
            ("dataset", "class_names", "UPDATE dataset SET class_names = '[1,'"),
            ("sample", "label", "UPDATE sample SET label = -3 WHERE id = 2"),
            ("sample", "label", "UPDATE sample SET label = 'one' WHERE id = 2"),
            ("map", "rows", "UPDATE map SET \"rows\" = 9223372036854775807"),
            ("map", "height", "UPDATE map SET height = 2000000000, width = 2000000000"),
            ("map", "clips_negatives", "UPDATE map SET clips_negatives = 7"),
            ("mask", "area", "UPDATE mask SET area = 9e99 WHERE sample_id = 1"),
            ("model", "kind", "UPDATE model SET kind = 'magic' WHERE id = 1"),
            ("score", "status", "UPDATE score SET status = x'6F6B'"),
            ("score", "chance_error", "UPDATE score SET chance_error = 'much'"),
        ]
        for (i, (table, column, sql)) in cases.enumerated() {
            let path = scratch.file("\(i).sqlite")
            try FileManager.default.copyItem(atPath: store.path, toPath: path)
            try DatabaseQueue(path: path).write { db in
                try db.execute(sql: sql)
                try StoreSeals.rewrite(db)
            }
            #expect {
                try Self.readAll(try Store.open(path))
            } throws: { error in
                guard case .damaged(path, table, let reason)? = error as? StoreError else { return false }
                return reason.contains("'\(column)'") && reason.contains("id ")
            }
        }
    }

    @Test("a table or a column that is not there is an error")
    func missingParts() throws {
        let scratch = try Scratch()
        let store = try Self.store(scratch)
        try store.close()
        for (i, sql) in ["DROP TABLE note", "ALTER TABLE map RENAME COLUMN clips_negatives TO clips", "DROP TABLE seal"].enumerated() {
            let path = scratch.file("\(i).sqlite")
            try FileManager.default.copyItem(atPath: store.path, toPath: path)
            try DatabaseQueue(path: path).write { try $0.execute(sql: "DROP VIEW scores; \(sql)") }
            #expect(throws: StoreError.self) { try Self.readAll(try Store.open(path)) }
        }
    }
}
