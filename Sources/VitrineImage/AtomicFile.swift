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
        // SAFETY: paths pass as strings that live through each call; strerror's text is copied at once.
        func failure() -> Failure { Failure(path: path, reason: unsafe String(cString: strerror(errno))) }
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure() }
        let isWritten = writeAll(bytes, to: descriptor)
        let error = failure()
        guard close(descriptor) == 0 && isWritten else {
            unsafe unlink(temporary)
            throw isWritten ? failure() : error
        }
        guard unsafe rename(temporary, path) == 0 else {
            let error = failure()
            unsafe unlink(temporary)
            throw error
        }
    }
}

/// False, with `errno` set, when not all bytes could be written.
private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var written = 0
    while written < bytes.count {
        // SAFETY: the rest of the array, from `written` to its end; a non-empty array has a base address.
        let n = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress! + written, bytes.count - written) }
        if n < 0 && errno == EINTR { continue }
        guard n > 0 else { return false }
        written += n
    }
    return true
}
