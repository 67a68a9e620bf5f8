#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension AtomicFile {
    /// Gives a finished file its name, in the place of whatever has that name, and waits until the disk has both.
    ///
    /// - Throws: `FileFailure`; the file then keeps its first name, and whatever has the other name stays.
    public static func move(_ temporary: String, to path: String) throws(FileFailure) {
        // SAFETY: the strings live during each call.
        let file = unsafe open(temporary, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileFailure(path, .write, code: errno) }
        defer { close(file) }
        guard fsync(file) == 0, unsafe rename(temporary, path) == 0 else {
            throw FileFailure(path, .write, code: errno)
        }
        // The folder holds the name; a file system that cannot flush one does so by itself.
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let folder = unsafe open(parent, O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            _ = fsync(folder)
            close(folder)
        }
    }
}
