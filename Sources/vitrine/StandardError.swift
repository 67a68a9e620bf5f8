import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writes a line to standard error.
func complain(_ line: String) { writeToStandardError(line + "\n") }

/// Whether standard error is a terminal.
let isInteractive = isatty(STDERR_FILENO) == 1

func writeToStandardError(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
}
