#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The three descriptors that every process expects to be open.
public enum StandardStreams {
    /// Opens /dev/null in the place of a standard stream that is closed.
    ///
    /// The next file that is opened would get its number otherwise, and messages would be written into that file. To be called before any
    /// file is opened.
    public static func openMissing() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // The lowest free number, so this one.
            _ = unsafe open("/dev/null", O_RDWR)
        }
    }

    /// Columns of the terminal that standard error is; nil where it is none, or does not say.
    public static var columns: Int? {
        var size = winsize()
        // SAFETY: the request fills one `winsize`.
        guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
