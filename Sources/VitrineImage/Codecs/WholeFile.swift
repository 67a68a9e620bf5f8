#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The bytes of a file, read whole; not mapped, so that a file that another program cuts off ends in words and not in SIGBUS.
///
/// - Parameter first: no more than this many bytes from the start, where only they are wanted.
/// - Throws: `ImageError` for a file that cannot be read, is empty, exceeds the limit, or changes its size while it is read.
func wholeFile(_ path: String, limits: ImageLimits, first: Int? = nil) throws(ImageError) -> [UInt8] {
    // Devices and pipes would block: they are opened without waiting, and refused below.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: unsafe String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
        throw .unreadable(path: path, reason: unsafe String(cString: strerror(errno)))
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(path: path, reason: "it is not a regular file") }
    let size = Int(status.st_size)
    guard size > 0 else { throw .unreadable(path: path, reason: "it is empty") }
    guard size <= limits.fileBytes else { throw .fileTooLarge(source: path, bytes: size, limit: limits.fileBytes) }
    let count = min(size, first ?? size)
    var failure: ImageError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        while filled < count {
            // SAFETY: the rest of the buffer, which has room for `count` bytes.
            let n = unsafe read(descriptor, buffer.baseAddress! + filled, count - filled)
            if n < 0 && errno == EINTR { continue }
            guard n > 0 else {
                failure =
                    n < 0
                    ? .unreadable(path: path, reason: unsafe String(cString: strerror(errno)))
                    : .unreadable(path: path, reason: "it was cut from \(count) to \(filled) bytes while it was read")
                return
            }
            filled += n
        }
    }
    if let failure { throw failure }
    return bytes
}
