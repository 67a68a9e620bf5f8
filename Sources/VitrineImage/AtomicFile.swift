import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writing a whole file at once: under a temporary name beside the target, then renamed over it.
public enum AtomicFile {
    public struct Failure: Error, CustomStringConvertible, Equatable {
        public let path: String
        public let reason: String
        public var description: String { "\(path): cannot be written (\(reason))" }
    }

    private static let counter = Atomic<Int>(0)

    /// - Throws: `Failure` when the folder is missing or not writable, or the disk is full; no temporary file is left behind.
    public static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        let temporary = "\(path).\(getpid()).\(counter.wrappingAdd(1, ordering: .relaxed).oldValue).partial"
        func failure() -> Failure { Failure(path: path, reason: unsafe String(cString: strerror(errno))) }
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure() }
        var written = 0
        while written < bytes.count {
            // SAFETY: the rest of the array, `written` bytes from its start.
            let n = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written) }
            if n < 0 && errno == EINTR { continue }
            guard n > 0 else {
                let error = failure()
                close(descriptor)
                unsafe unlink(temporary)
                throw error
            }
            written += n
        }
        guard close(descriptor) == 0, unsafe rename(temporary, path) == 0 else {
            let error = failure()
            unsafe unlink(temporary)
            throw error
        }
    }
}
