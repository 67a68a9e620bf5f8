import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Keeps other processes out while one of them works: on a store, or on a model that several shards of a study want.
///
/// The system gives the lock back when the process ends, however it ends.
final class FileLock: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let path: String
        let reason: String
        var description: String {
            "\(path): cannot be locked (\(reason)); where the file system has no locks, train on one machine first: vitrine study train"
        }
    }

    private let handle: FileHandle

    /// - Parameter whileTaken: asked every second while somebody else holds the lock; throws to end the waiting.
    init(_ path: String, whileTaken: () throws -> Void) throws {
        // Never in the place of a file that is there already: two that ask first would lock two files of one name.
        try? Data().write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
        guard let handle = FileHandle(forUpdatingAtPath: path) else { throw Failure(path: path, reason: "it cannot be written") }
        self.handle = handle
        // A child process would hold the lock with its copy of the file.
        _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC)
        while flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            guard code == EWOULDBLOCK || code == EINTR else { throw Failure(path: path, reason: "error \(code)") }
            try whileTaken()
            sleep(1)
        }
    }

    deinit {
        // Said aloud: closing alone leaves the lock to a child that was started before the mark above was set.
        flock(handle.fileDescriptor, LOCK_UN)
        try? handle.close()
    }
}
