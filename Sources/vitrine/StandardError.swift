import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writes a line to standard error, above the bar that may stand there.
///
/// It stays one line, whatever names it holds.
func complain(_ line: String) { Progress.interrupted { writeToStandardError(Printable.line(line) + "\n") } }

/// Whether standard error is a terminal.
let isInteractive = isatty(STDERR_FILENO) == 1

/// Whether standard output is one.
let outputIsInteractive = isatty(STDOUT_FILENO) == 1

func writeToStandardError(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
}
