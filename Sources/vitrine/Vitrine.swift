import ArgumentParser
import VitrineStudy

@main
struct Vitrine: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vitrine",
        abstract: "Explains vision transformers on medical images, and measures which explanations deserve trust.",
        discussion: """
            Exit codes: 0 done; 1 nothing could be done, with one line that says why; 3 done, but some items had a problem \
            (each is named); 4 stopped by a signal after a checkpoint (train --resume, or the same study command, goes on); 64 the command line is wrong.
            """,
        version: Provenance.version,
        subcommands: [
            Inspect.self, Explain.self, Evaluate.self, AuditMasks.self, Figure.self, PhantomCommand.self, DataCommand.self, Train.self,
            Study.self,
        ])
}

/// Exit codes beyond those of ArgumentParser.
extension ExitCode {
    /// The run went to its end, but some items failed; each was named.
    static let someItemsFailed = ExitCode(3)
}
