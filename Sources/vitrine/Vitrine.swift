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

            Completion of commands, options, methods and metrics: vitrine --generate-completion-script bash (or zsh, fish).
            """,
        version: Provenance.version,
        subcommands: [
            Inspect.self, Methods.self, Explain.self, Evaluate.self, AuditMasks.self, Figure.self, PhantomCommand.self, DataCommand.self,
            Train.self, Trust.self,
            Study.self,
        ])

    /// Runs what the command line asks for; every message leaves through `print` and `complain`.
    static func main() {
        StandardStreams.openMissing()
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            if let mistake = CommandLineMistake.command(arguments, Self.self) { throw ValidationError(mistake) }
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch {
            if exitCode(for: error) == .validationFailure, let mistake = CommandLineMistake.option(arguments, Self.self) {
                end(ValidationError(mistake), arguments)
            }
            end(error, arguments)
        }
    }

    private static func end(_ error: any Error, _ arguments: [String]) -> Never {
        let code = exitCode(for: error)
        switch error {
        case let file as StudyFileError:
            for (i, mistake) in file.mistakes.enumerated() {
                complain((i == 0 ? "Error: " : "") + StudyFileError(path: file.path, mistakes: [mistake]).description)
            }
        case is ExitCode: break
        case _ where code == .success:
            let page = fullMessage(for: error)
            print(page.hasPrefix("OVERVIEW:") ? page + HelpText.examples(CommandLineMistake.path(arguments, Self.self)) : page)
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
