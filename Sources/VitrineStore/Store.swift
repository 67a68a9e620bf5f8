import Foundation
import GRDB
import Synchronization
import VitrineTensor

/// The results of a study in one SQLite file (`Docs/Store.md`).
///
/// The plan (data sets, images, models, methods, metrics) is written when the store is made; results follow, one transaction per image
/// and model. Several readers may read while one process writes. Nothing stands beside the file once a process has ended, but for the
/// journal of a commit that was cut off, which the next process takes back.
public final class Store: Sendable {
    public let path: String
    /// Where it lies; models that the study trains stand below it.
    package var folder: String { path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "." }
    let database: any DatabaseWriter
    /// The file behind `database`: `path`, or a copy of it that was brought up to date.
    let openedPath: String
    private let copy: StoreCopy?
    /// Keeps other writers out; nil when only reading.
    private let lock: Mutex<FileLock?>
    /// Known once something was written.
    private let knownPlaces = Mutex<StorePlaces?>(nil)

    private init(_ path: String, opened: String, database: any DatabaseWriter, copy: StoreCopy? = nil, lock: FileLock? = nil) {
        self.path = path
        openedPath = opened
        self.database = database
        self.copy = copy
        self.lock = Mutex(lock)
    }

    /// Opens a store that exists.
    ///
    /// To write to a store of an earlier version brings it up to date; to read it leaves its file alone.
    ///
    /// - Throws: `StoreError` when there is no file, it is no store, it is one of a newer version, or another process writes it.
    public static func open(_ path: String, isReadOnly: Bool = true) throws(StoreError) -> Store {
        guard !isReadOnly else {
            let file = try StoreFile(path)
            guard file.version < StoreSchema.version || file.usesLog else {
                var configuration = Self.configuration
                configuration.readonly = true
                let opened = configuration
                return Store(
                    path, opened: file.path, database: try connect(path) { try DatabasePool(path: file.path, configuration: opened) })
            }
            return try openCopy(path)
        }
        // Before anything is opened: what another process is writing must not be touched.
        guard FileManager.default.fileExists(atPath: path) else { throw .missing(path: path) }
        return try open(path, holding: try lock(path))
    }

    /// A store in a copy that may be changed, which goes with it.
    static func openCopy(_ path: String) throws(StoreError) -> Store {
        let copy = try StoreCopy(of: StoreFile(path))
        return Store(path, opened: copy.path, database: try connectToWrite(path, file: copy.path), copy: copy)
    }

    /// Makes a store with the plan of a study and no results.
    ///
    /// The file appears once it is complete and on the disk, so that a run that ends here, or a disk that is full, leaves nothing
    /// behind that looks like a store.
    public static func create(_ path: String, plan: StorePlan) throws(StoreError) -> Store {
        let lock = try lock(path)
        guard !FileManager.default.fileExists(atPath: path) else { throw .exists(path: path) }
        try make(path) { (store: Store) throws(StoreError) in
            try store.change { change in try plan.write(to: change) }
        }
        return try open(path, holding: lock)
    }

    /// Fills a new file beside a path, checks it, and only then gives it that name.
    ///
    /// - Precondition: the caller holds the lock of the path.
    /// - Parameter original: a store to begin with; nil begins with an empty one.
    static func make(
        _ path: String, from original: String? = nil, _ fill: (Store) throws(StoreError) -> Void
    ) throws(StoreError) {
        let temporary = "\(path).\(UInt32.random(in: 0 ... .max)).part"
        do {
            if let original {
                let file = try StoreFile(original)
                let log = file.path + "-wal"
                try FileManager.default.copyItem(atPath: file.path, toPath: temporary)
                if file.usesLog && FileManager.default.fileExists(atPath: log) {
                    try FileManager.default.copyItem(atPath: log, toPath: temporary + "-wal")
                }
            }
            let new = Store(path, opened: temporary, database: try connectToWrite(path, file: temporary))
            try fill(new)
            try new.verify()
            try new.close()
            // A log or a journal that a deleted store left behind would be replayed into this one.
            for suffix in StoreFile.companions where FileManager.default.fileExists(atPath: path + suffix) {
                try FileManager.default.removeItem(atPath: path + suffix)
            }
            try AtomicFile.move(temporary, to: path)
        } catch {
            for suffix in [""] + StoreFile.companions { try? FileManager.default.removeItem(atPath: temporary + suffix) }
            throw error as? StoreError ?? .cannotWrite(path: path, reason: reason(error))
        }
    }

    /// Closes all connections and lets others write.
    public func close() throws(StoreError) {
        do { try database.close() } catch { throw .cannotWrite(path: path, reason: Self.reason(error)) }
        lock.withLock { $0 = nil }
    }

    // MARK: Connections

    static func lock(_ path: String) throws(StoreError) -> FileLock {
        do { return try FileLock(path + ".lock", whileTaken: { () throws -> Void in throw StoreError.inUse(path: path) }) } catch {
            throw error as? StoreError ?? .cannotWrite(path: path, reason: reason(error))
        }
    }

    private static func open(_ path: String, holding lock: FileLock) throws(StoreError) -> Store {
        let file = try StoreFile(path)
        return Store(path, opened: file.path, database: try connectToWrite(path, file: file.path), lock: lock)
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        // Readers and the writer wait for each other, for moments; a report of a large study reads longer than a moment.
        configuration.busyMode = .timeout(120)
        return configuration
    }

    /// Without a write-ahead log: a store is one file whenever nobody is in the middle of a commit, and works on network file systems.
    private static func connectToWrite(_ path: String, file: String) throws(StoreError) -> DatabaseQueue {
        try connect(path) {
            let queue = try DatabaseQueue(path: file, configuration: configuration)
            try queue.writeWithoutTransaction { db in
                let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE")
                guard mode == "delete" else { throw StoreError.inUse(path: path) }
                try db.execute(sql: "PRAGMA synchronous = FULL")
            }
            try StoreSchema.migrator.migrate(queue)
            return queue
        }
    }

    private static func connect<Connection>(_ path: String, _ body: () throws -> Connection) throws(StoreError) -> Connection {
        do { return try body() } catch { throw failure(error, path: path, table: "sqlite_master") }
    }

    // MARK: Access

    func read<T>(_ table: String, _ body: (Database) throws -> T) throws(StoreError) -> T {
        do { return try database.read(body) } catch { throw Self.failure(error, path: path, table: table) }
    }

    /// Ids by place, as they are until the plan changes.
    func places(_ change: StoreChange) throws -> StorePlaces {
        if let known = knownPlaces.withLock({ $0 }) { return known }
        let places = try StorePlaces(change.db)
        knownPlaces.withLock { $0 = places }
        return places
    }

    func forgetPlaces() { knownPlaces.withLock { $0 = nil } }

    /// One transaction, at whose end the checksums of all that changed are written too.
    func change<T>(_ body: (StoreChange) throws -> T) throws(StoreError) -> T {
        do {
            return try database.write { db in
                let change = StoreChange(db)
                let result = try body(change)
                try change.seal()
                return result
            }
        } catch { throw Self.failure(error, path: path, table: nil) }
    }

    /// What an error of SQLite, or of a row that cannot be read, says about a store.
    ///
    /// - Parameter table: that was being read; nil when writing.
    static func failure(_ error: any Error, path: String, table: String?) -> StoreError {
        if let error = error as? StoreError { return error }
        guard let error = error as? DatabaseError else { return .damaged(path: path, table: table ?? "", reason: reason(error)) }
        switch error.resultCode {
        case .SQLITE_NOTADB: return .notAStore(path: path)
        case .SQLITE_BUSY, .SQLITE_LOCKED: return .inUse(path: path)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: return .cannotOpen(path: path, reason: reason(error))
        case .SQLITE_READONLY, .SQLITE_FULL: return .cannotWrite(path: path, reason: reason(error))
        case .SQLITE_IOERR:
            return table == nil ? .cannotWrite(path: path, reason: reason(error)) : .cannotOpen(path: path, reason: reason(error))
        default:
            return .damaged(path: path, table: table ?? "", reason: reason(error))
        }
    }

    /// In one line.
    static func reason(_ error: any Error) -> String {
        let text =
            switch error {
            case let error as DatabaseError: error.message ?? "SQLite error \(error.resultCode.rawValue)"
            case let error as FileFailure: error.reason
            case let error as CocoaError: error.localizedDescription
            default: "\(error)"
            }
        // SQLite quotes what it cannot read.
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// How commits reach the disk: 2 is FULL.
    var synchronous: Int {
        get throws(StoreError) {
            do { return try database.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") ?? -1 } } catch {
                throw Self.failure(error, path: path, table: "sqlite_master")
            }
        }
    }
}
