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

/// Notes about files: the first of each kind whole, and how many more there are. A kind is what notes say up to their first figure.
func complainOnce(_ notes: [(file: String, note: String)]) {
    var kinds: [(kind: String, first: (file: String, note: String), count: Int)] = []
    for note in notes {
        let kind = note.note.filter { !$0.isNumber }
        if let i = kinds.firstIndex(where: { $0.kind == kind }) { kinds[i].count += 1 } else { kinds.append((kind, note, 1)) }
    }
    for kind in kinds {
        let others = kind.count > 1 ? " (and \(kind.count - 1) more files like it)" : ""
        complain("note: \(kind.first.file): \(kind.first.note)\(others)")
    }
}

/// Whether standard error is a terminal.
let isInteractive = isatty(STDERR_FILENO) == 1

/// Whether standard output is one.
let outputIsInteractive = isatty(STDOUT_FILENO) == 1

func writeToStandardError(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
}
