import Foundation

/// What the first bytes of a store's file and the files beside it tell, before SQLite is asked.
struct StoreFile {
    /// With symbolic links followed, since SQLite looks for what stands beside the file itself.
    let path: String
    /// Whether it is written with a write-ahead log, as stores of version 1 were.
    let usesLog: Bool
    /// `PRAGMA user_version`.
    let version: Int

    /// What SQLite puts beside a file.
    static let companions = ["-wal", "-shm", "-journal"]

    /// - Throws: `StoreError` when there is no file, it is no store, it is one of a newer version, or a log that is not its own lies beside it.
    init(_ path: String) throws(StoreError) {
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: resolved) else { throw .missing(path: path) }
        // A pipe or a device would keep us waiting.
        guard attributes[.type] as? FileAttributeType == .typeRegular else { throw .notAStore(path: path) }
        guard let handle = FileHandle(forReadingAtPath: resolved) else {
            throw .cannotOpen(path: path, reason: "no permission to read it")
        }
        let head: [UInt8]
        do { head = [UInt8](try handle.read(upToCount: 100) ?? Data()) } catch {
            throw .cannotOpen(path: path, reason: Store.reason(error))
        }
        // https://www.sqlite.org/fileformat2.html#the_database_header
        guard head.count == 100, head.starts(with: Array("SQLite format 3\0".utf8)) else { throw .notAStore(path: path) }
        func word(_ offset: Int) -> Int { head[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
        guard word(68) == StoreSchema.applicationID, word(60) >= 1 else { throw .notAStore(path: path) }
        guard word(60) <= StoreSchema.version else {
            throw .version(path: path, found: word(60), expected: StoreSchema.version)
        }
        self.path = resolved
        version = word(60)
        usesLog = head[18] == 2 || head[19] == 2
        // SQLite would replay any log of that name into the file; a store that keeps none can only meet a stranger's.
        if !usesLog && FileManager.default.fileExists(atPath: resolved + "-wal") { throw .foreignLog(path: path) }
    }
}
