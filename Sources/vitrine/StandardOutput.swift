import ArgumentParser
import Foundation
import VitrineTensor

/// Writes a line to standard output, in the place of Swift's own `print`.
///
/// A line that cannot be written (a full disk) ends the command with exit code 1; what names carry never controls the terminal.
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {
    let text = items.map { "\($0)" }.joined(separator: separator)
    let line = Data((Printable.text(text) + terminator).utf8)
    do {
        if outputIsInteractive {
            try Progress.interrupted { try FileHandle.standardOutput.write(contentsOf: line) }
        } else {
            try FileHandle.standardOutput.write(contentsOf: line)
        }
    } catch {
        complain("Error: \(FileFailure("standard output", .write, code: SystemError.code(of: error) ?? 0))")
        Foundation.exit(ExitCode.failure.rawValue)
    }
}
