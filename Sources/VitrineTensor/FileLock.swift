#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Keeps other processes out while one of them works: on a store, or in the folder of a training.
///
/// The system keeps the lock (`flock`) and gives it back when the process ends, however it ends. Where a file system has no locks (Lustre
/// mounted without `flock`, NFS without its lock daemon) a file made for the purpose, PATH.owner, stands for it: it names host and process,
/// the next process on that host removes what a dead one left, and on another host a person must.
public final class FileLock: Sendable {
    /// Who holds a lock.
    public struct Holder: Sendable, Equatable, CustomStringConvertible {
        public let host: String
        public let process: Int32
        /// The file to remove when that process is gone and could not do so; nil where the system keeps the lock.
        public let marker: String?

        public var description: String {
            "process \(process)" + (host.isEmpty ? "" : " on \(host)") + (marker.map { "; if it is gone, remove \($0)" } ?? "")
        }
    }

    /// Somebody else works there.
    public struct Taken: Error, CustomStringConvertible, Equatable {
        public let path: String
        /// What that process does, such as "is training here".
        public let work: String
        public let holder: Holder?

        public init(path: String, work: String, holder: Holder?) {
            self.path = path
            self.work = work
            self.holder = holder
        }

        public var description: String {
            "\(path): another process \(work); wait for it, or stop it first" + (holder.map { " (\($0))" } ?? "")
        }
    }

    private let path: String
    private let descriptor: Int32
    /// The file that stands for the lock, where the system has none.
    private let marker: String?

    /// - Parameters:
    ///   - path: of the lock's own file; it stays.
    ///   - whileTaken: asked every second while somebody else holds the lock, with who it is as far as known; throws to end the waiting.
    /// - Throws: `FileFailure`, and what `whileTaken` throws.
    public convenience init(_ path: String, whileTaken: (Holder?) throws -> Void) throws {
        try self.init(path, systemLock: { flock($0, LOCK_EX | LOCK_NB) == 0 ? 0 : errno }, whileTaken: whileTaken)
    }

    /// The same for those who do not ask who it is.
    public convenience init(_ path: String, whileTaken: () throws -> Void) throws { try self.init(path) { _ in try whileTaken() } }

    /// - Parameter systemLock: takes the lock of an open file; 0, or the error number.
    package init(_ path: String, systemLock: (Int32) -> Int32, whileTaken: (Holder?) throws -> Void) throws {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileFailure(path, .lock, code: errno) }
        do {
            while true {
                let code = systemLock(descriptor)
                if code == 0 {
                    marker = nil
                    break
                }
                if code == EINTR { continue }
                if code == EWOULDBLOCK {
                    try whileTaken(Self.holder(in: path, marker: nil))
                } else if [ENOSYS, ENOLCK, EOPNOTSUPP, EINVAL].contains(code) {
                    let file = path + ".owner"
                    if try Self.claim(file) {
                        marker = file
                        break
                    }
                    try whileTaken(Self.holder(in: file, marker: file))
                } else {
                    throw FileFailure(path, .lock, code: code)
                }
                sleep(1)
            }
        } catch {
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
        // Says who it is to those who find the lock taken.
        if marker == nil {
            _ = ftruncate(descriptor, 0)
            _ = Self.write(Self.own, to: descriptor)
        }
    }

    deinit {
        if let marker {
            _ = unsafe unlink(marker)
        } else {
            _ = ftruncate(descriptor, 0)
            // Said aloud: closing alone leaves the lock to a child that was started before the file was marked to close.
            flock(descriptor, LOCK_UN)
        }
        close(descriptor)
    }

    /// Who works there now; nil when nobody does, or when the system does not say.
    ///
    /// Takes no lock where that can be helped: for a moment the holder-to-be would find it taken.
    public static func holder(of path: String) -> Holder? {
        let marker = path + ".owner"
        if let claimed = holder(in: marker, marker: marker), fate(marker) != .gone { return claimed }
        guard let named = holder(in: path, marker: nil) else { return nil }
        switch fate(path) {
        case .gone: return nil
        case .alive: return named
        case .unknown: break
        }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK ? named : nil
    }

    // MARK: The file that stands for a lock

    /// Makes the file, after removing one that a dead process of this host left.
    ///
    /// - Returns: false while somebody else has it.
    private static func claim(_ file: String) throws(FileFailure) -> Bool {
        if try create(file) { return true }
        guard fate(file) == .gone else { return false }
        // One process at a time looks again and removes it: two that do so might remove each other's new file.
        let guardFile = file + ".removing"
        guard try create(guardFile) else { return false }
        defer { _ = unsafe unlink(guardFile) }
        if fate(file) == .gone { _ = unsafe unlink(file) }
        return try create(file)
    }

    /// Makes a file that must not be there yet, with host and process in it; false when it is there.
    private static func create(_ file: String) throws(FileFailure) -> Bool {
        let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        if descriptor < 0 {
            guard errno == EEXIST else { throw FileFailure(file, .lock, code: errno) }
            return false
        }
        let isWritten = write(own, to: descriptor)
        let code = errno
        close(descriptor)
        guard isWritten else {
            _ = unsafe unlink(file)
            throw FileFailure(file, .lock, code: code)
        }
        return true
    }

    /// What became of the process that a file names; unknown on another host, in another container, and where no process is named.
    private static func fate(_ file: String) -> Fate {
        guard let fields = fields(of: file), fields.count == 4, fields[0] == host, fields[3] == processSpace,
            let process = Int32(fields[1]), process > 0
        else { return .unknown }
        if kill(process, 0) != 0 && errno == ESRCH { return .gone }
        // Another process may have the number by now.
        return startTime(process) == fields[2] ? .alive : .gone
    }

    private enum Fate { case alive, gone, unknown }

    private static func holder(in file: String, marker: String?) -> Holder? {
        guard let fields = fields(of: file), fields.count == 4, let process = Int32(fields[1]) else { return nil }
        return Holder(host: fields[0], process: process, marker: marker)
    }

    /// Host, process, its start, and the space that its number belongs to.
    private static func fields(of file: String) -> [String]? {
        FileSystem.head(file)?.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
    }

    private static var own: String { "\(host) \(getpid()) \(startTime(getpid())) \(processSpace)\n" }

    private static let host =
        FileSystem.head("/proc/sys/kernel/hostname")?.split(separator: "\n").first.map { $0.replacing(" ", with: "-") } ?? "unknown-host"

    /// When a process began, in ticks since the system started; "-" where the system does not tell.
    private static func startTime(_ process: Int32) -> String {
        // The name, field 2, stands in brackets and may hold blanks; the start is field 22.
        guard let text = FileSystem.head("/proc/\(process)/stat"), let bracket = text.lastIndex(of: ")") else { return "-" }
        let rest = text[bracket...].split(separator: " ")
        return rest.count > 20 ? String(rest[20]) : "-"
    }

    /// Containers number their processes each on their own.
    private static let processSpace: String = {
        var status = stat()
        return unsafe stat("/proc/self/ns/pid", &status) == 0 ? "\(status.st_ino)" : "-"
    }()

    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        let bytes = Array(text.utf8)
        // SAFETY: the call reads the bytes of the array while it is held.
        return unsafe bytes.withUnsafeBytes { unsafe writeAll(descriptor, $0.baseAddress!, bytes.count) } == bytes.count
    }
}

/// The system call, out of reach of the method called `write`.
@unsafe private func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    unsafe write(descriptor, bytes, count)
}
