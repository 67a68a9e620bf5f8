#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the commands do with folders, with failures a reader can use.
public enum FileSystem {
    /// Makes a folder and those above it; one that is there already is left alone.
    public static func makeFolder(_ path: String) throws(FileFailure) {
        if isFolder(path) { return }
        let code = make(path)
        guard code != 0 && !isFolder(path) else { return }
        if code == ENOENT, let slash = path.lastIndex(where: { $0 != "/" }).flatMap({ path[..<$0].lastIndex(of: "/") }),
            slash != path.startIndex
        {
            try makeFolder(String(path[..<slash]))
            let again = make(path)
            if again == 0 || isFolder(path) { return }
            throw FileFailure(path, .makeFolder, code: again)
        }
        throw FileFailure(path, .makeFolder, code: code)
    }

    /// 0, or the error number.
    private static func make(_ path: String) -> Int32 { unsafe mkdir(path, 0o777) == 0 ? 0 : errno }

    /// Whether a path is a folder, or a link to one.
    public static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// The names in a folder, hidden ones too, in the order of their bytes: the same on every machine.
    public static func list(_ path: String) throws(FileFailure) -> [String] {
        guard let stream = unsafe opendir(path) else { throw FileFailure(path, .list, code: errno) }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            // SAFETY: the entry is valid until the next call; its name ends with a zero and is copied here.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 1) { unsafe String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Gives a file another name, in the place of what has it now; done at once or not at all.
    public static func rename(_ path: String, to other: String) throws(FileFailure) {
        guard unsafe moveFile(path, other) == 0 else { throw FileFailure(other, .write, code: errno) }
    }

    /// Removes a file; one that is not there is no failure.
    public static func remove(_ path: String) throws(FileFailure) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw FileFailure(path, .write, code: errno) }
    }

    /// The first bytes of a small file as text; nil where it cannot be read.
    static func head(_ path: String, count: Int = 4096) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        // SAFETY: the call writes at most `count` bytes into the array.
        let n = unsafe bytes.withUnsafeMutableBytes { unsafe readSome(descriptor, $0.baseAddress!, count) }
        return n < 0 ? nil : String(decoding: bytes[..<n], as: UTF8.self)
    }
}

/// The system calls, out of reach of the methods of the same names.
@unsafe private func moveFile(_ path: String, _ other: String) -> Int32 { unsafe rename(path, other) }
@unsafe private func readSome(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    unsafe read(descriptor, bytes, count)
}
