#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file or a folder that the operating system refused: in the system's words, with what to do about it.
///
/// The one form in which failures of files reach a reader. Foundation's errors never do: they name domains and numbers, not a remedy.
public struct FileFailure: Error, CustomStringConvertible, Equatable, Sendable {
    /// What was tried.
    public enum Action: String, Sendable {
        case read = "cannot be read"
        case write = "cannot be written"
        case list = "cannot be listed"
        case makeFolder = "cannot be made a folder"
        case lock = "cannot be locked"
    }

    public let path: String
    public let action: Action
    /// The system's error number; 0 where only words are known.
    public let code: Int32
    /// The system's words, such as "No space left on device".
    public let reason: String

    /// - Parameter code: as in `errno`.
    public init(_ path: String, _ action: Action, code: Int32) {
        self.path = path
        self.action = action
        self.code = code
        // SAFETY: `strerror` returns a string that stays until the next call in this thread; it is copied at once.
        reason = unsafe String(cString: strerror(code))
    }

    public var description: String { "\(path): \(action.rawValue) (\(reason)); \(remedy)" }

    /// What to do, in a few words.
    public var remedy: String {
        switch code {
        case ENOSPC, EDQUOT: "free some space, or choose another folder"
        case EACCES, EPERM: "check its permissions and those of its folder"
        case EROFS: "choose a folder that can be written to"
        case ENOENT: action == .write ? "make its folder first, or check the path" : "check the path"
        case ENOTDIR, EEXIST: "a file stands where a folder is needed; choose another path, or move it away"
        case EISDIR: "name a file, not a folder"
        case ENAMETOOLONG: "choose a shorter name"
        case ELOOP: "its links go in a circle; name the file itself"
        case EMFILE, ENFILE: "too many files are open; raise the limit (ulimit -n)"
        case ENOSYS, ENOLCK, EOPNOTSUPP: "the file system has no locks; choose a folder on another one"
        default: action == .write ? "check the folder, its permissions and free space" : "check the path and its permissions"
        }
    }
}
