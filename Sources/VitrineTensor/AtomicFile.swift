import CVitrineKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file that appears under its name only once it is complete: written beside it, flushed to the disk, then renamed.
///
/// A crash or a full disk leaves what was there before. A file not committed is removed when its writer goes.
public struct AtomicFile: ~Copyable {
    public let path: String
    /// Bytes written so far.
    public private(set) var count = 0
    private let temporaryPath: String
    private var descriptor: Int32

    public typealias Failure = FileFailure

    /// - Throws: `Failure` when no file can be created in that folder.
    public init(path: String) throws(Failure) {
        self.path = path
        // Not the name itself with an ending: that may be too long already.
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        temporaryPath = "\(folder).\(getpid()).\(UInt32.random(in: 0 ... .max)).part"
        // SAFETY: the path is a string that lives through the call.
        descriptor = unsafe open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure(path, .write, code: errno) }
    }

    /// Writes a whole file at once; complete or absent after a crash of the program, but not flushed against a power cut.
    public static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        var file = try AtomicFile(path: path)
        try file.write(bytes)
        try file.commit(flushing: false)
    }

    deinit {
        if descriptor >= 0 {
            close(descriptor)
            _ = unsafe unlink(temporaryPath)
        }
    }

    public mutating func write(_ bytes: [UInt8]) throws(Failure) {
        try unsafe bytes.span.bytes.withUnsafeBytes { (buffer) throws(Failure) in try unsafe writeAll(buffer) }
    }

    /// Writes the elements of a tensor in row-major order, little-endian.
    ///
    /// - Parameter type: `.float32`, bit for bit, or `.float16`, rounded to nearest even.
    public mutating func write(_ tensor: Tensor, as type: ElementType = .float32) throws(Failure) {
        precondition(type == .float32 || type == .float16, "tensors are written as float32 or float16")
        if type == .float16 {
            let halves = tensor.halfPrecisionBits
            try unsafe halves.span.bytes.withUnsafeBytes { (buffer) throws(Failure) in try unsafe writeAll(buffer) }
        } else {
            try tensor.withSpan { (span) throws(Failure) in
                try unsafe span.bytes.withUnsafeBytes { (buffer) throws(Failure) in try unsafe writeAll(buffer) }
            }
        }
    }

    /// Renames; the file is then complete under its name.
    ///
    /// - Parameter flushing: waits until the disk has the bytes, so that not even a power cut leaves a part of them.
    public consuming func commit(flushing: Bool = true) throws(Failure) {
        guard !flushing || fsync(descriptor) == 0, unsafe rename(temporaryPath, path) == 0 else {
            throw Failure(path, .write, code: errno)
        }
        close(descriptor)
        descriptor = -1
    }

    // SAFETY: the callers hold the memory of `bytes` during the call.
    @unsafe private mutating func writeAll(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let n = unsafe writeSome(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if n < 0 && errno == EINTR { continue }
            guard n > 0 else { throw Failure(path, .write, code: errno) }
            done += n
        }
        count += done
    }
}

/// The system call, out of reach of the methods called `write`.
@unsafe private func writeSome(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    unsafe write(descriptor, bytes, count)
}
