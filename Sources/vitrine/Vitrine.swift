import ArgumentParser
import Foundation
import VitrineStudy
import VitrineTensor

@main
struct Vitrine: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vitrine",
        abstract: "Explains vision transformers on medical images, and measures which explanations deserve trust.",
        discussion: """
            Exit codes: 0 done; 1 nothing could be done, with one line that says why; 3 done, but some items had a problem \
            (each is named); 4 not finished, and the same command goes on (after a signal; train with --resume); 64 the command line is wrong.
            """,
        version: Provenance.version,
        subcommands: [
            Inspect.self, Methods.self, Explain.self, Evaluate.self, AuditMasks.self, Figure.self, PhantomCommand.self, DataCommand.self,
            Train.self,
            Study.self,
        ])

    /// Runs what the command line asks for; every message leaves through `print` and `complain`.
    static func main() {
        StandardStreams.openMissing()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch { end(error) }
    }

    private static func end(_ error: any Error) -> Never {
        let code = exitCode(for: error)
        switch error {
        case let file as StudyFileError:
            for (i, mistake) in file.mistakes.enumerated() {
                complain((i == 0 ? "Error: " : "") + StudyFileError(path: file.path, mistakes: [mistake]).description)
            }
        case is ExitCode: break
        case _ where code == .success: print(fullMessage(for: error))
        case _ where code == .validationFailure:
            // The mistake in one line, then how the command is used.
            let mistake = message(for: error)
            if !mistake.isEmpty { complain("Error: \(mistake)") }
            for line in fullMessage(for: error).split(separator: "\n").dropFirst(mistake.split(separator: "\n").count) {
                complain(String(line))
            }
        default: complain("Error: \(SystemError.line(error))")
        }
        Foundation.exit(code.rawValue)
    }
}

/// Exit codes beyond those of ArgumentParser.
extension ExitCode {
    /// The run went to its end, but some items failed; each was named.
    static let someItemsFailed = ExitCode(3)
}
