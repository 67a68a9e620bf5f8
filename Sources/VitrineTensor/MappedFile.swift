#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file mapped read-only into memory: its pages are read when touched and dropped when memory is short.
///
/// SAFETY: the mapping is private, read-only and lives as long as this object. A file that another program truncates while it is
/// mapped raises SIGBUS, as for every program that maps files.
@safe public final class MappedFile: @unchecked Sendable {
    public let path: String
    /// Length of the file in bytes.
    public let count: Int
    let base: UnsafeRawPointer

    public enum Failure: Error, CustomStringConvertible, Equatable {
        case cannotOpen(path: String, reason: String)
        case notARegularFile(path: String)
        case empty(path: String)

        public var description: String {
            switch self {
            case .cannotOpen(let path, let reason): "\(path): cannot be read (\(reason)); check the path and its permissions"
            case .notARegularFile(let path): "\(path): is not a regular file; name a file, not a folder or a device"
            case .empty(let path): "\(path): is empty (0 bytes); copy or download it again"
            }
        }
    }

    /// - Throws: `Failure` when the file cannot be opened, is no regular file, or is empty.
    public init(path: String) throws(Failure) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .cannotOpen(path: path, reason: unsafe String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw .cannotOpen(path: path, reason: unsafe String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notARegularFile(path: path) }
        guard status.st_size > 0 else { throw .empty(path: path) }
        count = Int(status.st_size)
        // SAFETY: a private read-only mapping of the whole file; checked against MAP_FAILED below, unmapped in `deinit`.
        let memory = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard unsafe memory != MAP_FAILED, let memory = unsafe memory else {
            throw .cannotOpen(path: path, reason: unsafe String(cString: strerror(errno)))
        }
        unsafe base = UnsafeRawPointer(memory)
        self.path = path
    }

    deinit {
        // SAFETY: mapped in `init` with this length, unmapped once.
        unsafe _ = munmap(UnsafeMutableRawPointer(mutating: base), count)
    }

    /// The bytes of a range, which must lie inside the file.
    public func withBytes<R: ~Copyable, E: Error>(
        _ range: Range<Int>? = nil, _ body: (borrowing RawSpan) throws(E) -> R
    ) throws(E) -> R {
        let range = range ?? 0..<count
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "bytes outside the mapped file")
        // SAFETY: the range was checked; the mapping outlives the call.
        let buffer = unsafe UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
        return try unsafe body(RawSpan(_unsafeBytes: buffer))
    }

    /// A copy of the bytes of a range.
    public func bytes(_ range: Range<Int>) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "bytes outside the mapped file")
        // SAFETY: the range was checked.
        return unsafe [UInt8](UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    /// Takes the pages that lie wholly within `byteCount` bytes from `start` out of memory until they are read again.
    @unsafe func forget(_ start: UnsafeRawPointer, byteCount: Int) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = unsafe (start - base + page - 1) / page * page
        let end = unsafe (start - base + byteCount) / page * page
        guard end > first else { return }
        // SAFETY: inside the mapping, which is private and never written: the next reader gets the file's bytes again.
        unsafe _ = madvise(UnsafeMutableRawPointer(mutating: base + first), end - first, Int32(MADV_DONTNEED))
    }

    /// A tensor that reads its Float32 values straight from the file, without a copy.
    ///
    /// - Parameter byteOffset: a multiple of four; `shape.count` little-endian floats follow it inside the file.
    public func tensor(byteOffset: Int, shape: Shape) -> Tensor {
        Tensor(storage: TensorStorage(file: self, byteOffset: byteOffset, count: shape.count), offset: 0, shape: shape)
    }
}
