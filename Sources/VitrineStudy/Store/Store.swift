import Foundation
import GRDB

/// The results of a study in one SQLite file (`Docs/Store.md`).
///
/// The plan (data sets, images, models, methods, metrics) is written when the store is made; results follow, one transaction per image
/// and model. Several readers may read while one process writes.
public final class Store: Sendable {
    public let path: String
    /// Where it lies; models that the study trains stand below it.
    var folder: String { StudyPlan.parent(path) }
    let database: DatabasePool

    private init(path: String, database: DatabasePool) {
        self.path = path
        self.database = database
    }

    /// Opens a store that exists.
    ///
    /// - Throws: `StoreError` when there is no file, it is no store, or it is one of another version.
    public static func open(_ path: String, isReadOnly: Bool = true) throws(StoreError) -> Store {
        guard FileManager.default.fileExists(atPath: path) else { throw .missing(path: path) }
        let store = try connect(path, isReadOnly: isReadOnly)
        let (application, version): (Int, Int)
        do {
            (application, version) = try store.database.read { db in
                (try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0, try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0)
            }
        } catch { throw .notAStore(path: path) }
        guard application == StoreSchema.applicationID else { throw .notAStore(path: path) }
        guard version == StoreSchema.version else { throw .version(path: path, found: version, expected: StoreSchema.version) }
        return store
    }

    /// Makes a store with the plan of a study and no results.
    ///
    /// The file appears once it is complete, so that a run killed here leaves nothing behind that looks like a store.
    public static func create(_ path: String, plan: StorePlan) throws(StoreError) -> Store {
        let temporary = "\(path).\(UInt32.random(in: 0 ... .max)).part"
        do {
            let new = try connect(temporary, isReadOnly: false)
            try new.database.write { db in
                try db.execute(sql: StoreSchema.sql)
                try db.execute(sql: "PRAGMA application_id = \(StoreSchema.applicationID)")
                try db.execute(sql: "PRAGMA user_version = \(StoreSchema.version)")
                try plan.insert(into: db)
            }
            // Closing the last connection folds the write-ahead log into the file.
            try new.database.close()
            try FileManager.default.moveItem(atPath: temporary, toPath: path)
        } catch {
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: temporary + suffix) }
            throw error as? StoreError ?? .cannotWrite(path: path, reason: reason(error))
        }
        return try open(path, isReadOnly: false)
    }

    /// Closes all connections; the write-ahead log is folded into the file, which can then be copied.
    public func close() throws(StoreError) {
        do { try database.close() } catch { throw .cannotWrite(path: path, reason: Self.reason(error)) }
    }

    private static func connect(_ path: String, isReadOnly: Bool) throws(StoreError) -> Store {
        var configuration = Configuration()
        configuration.readonly = isReadOnly
        configuration.busyMode = .timeout(30)
        do {
            let database = try DatabasePool(path: path, configuration: configuration)
            if !isReadOnly {
                // GRDB chooses NORMAL for write-ahead logs, under which a power cut may lose the last commits.
                try database.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
            }
            return Store(path: path, database: database)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_NOTADB {
            throw .notAStore(path: path)
        } catch { throw .cannotOpen(path: path, reason: reason(error)) }
    }

    static func reason(_ error: any Error) -> String { (error as? DatabaseError)?.message ?? "\(error)" }

    // MARK: Access

    func read<T>(_ table: String, _ body: (Database) throws -> T) throws(StoreError) -> T {
        do { return try database.read(body) } catch { throw .damaged(path: path, table: table, reason: Self.reason(error)) }
    }

    func write<T>(_ body: (Database) throws -> T) throws(StoreError) -> T {
        do { return try database.write(body) } catch { throw .cannotWrite(path: path, reason: Self.reason(error)) }
    }

    /// How commits reach the disk: 2 is FULL.
    var synchronous: Int {
        get throws(StoreError) {
            do { return try database.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") ?? -1 } } catch {
                throw .cannotOpen(path: path, reason: Self.reason(error))
            }
        }
    }
}
