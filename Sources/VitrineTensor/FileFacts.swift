#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the file system says about a path, links followed: its kind, its size, and which file it is.
public struct FileFacts: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case regular, folder
        /// A pipe, a socket or a device: reading it may never end.
        case other
    }

    public let kind: Kind
    /// Length in bytes.
    public let size: Int
    /// Two paths with the same identity are one file, however they are spelled or linked.
    public let identity: Identity

    public struct Identity: Sendable, Hashable {
        let device: UInt64
        let number: UInt64
    }

    /// Nil when there is nothing at the path, or a link leads nowhere or in a circle.
    public init?(of path: String) {
        var status = stat()
        // SAFETY: the structure is ours and lives during the call; Swift passes the path as a C string.
        guard unsafe stat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .folder
        default: kind = .other
        }
        size = Int(status.st_size)
        identity = Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    }
}
