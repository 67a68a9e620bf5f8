import ArgumentParser
import VitrineStore
import VitrineStudy
import VitrineTensor

struct StudyMerge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Joins the results of shards into one file.",
        discussion: """
            With --study, all stores in the study's output folder are joined into its results.sqlite, which is replaced once the new one is \
            whole; a store of another study is refused. Else the files named go into --output.

            Shards may overlap or be unfinished. Exit code 4 when units are missing, 3 when none is and some failed.
            """)

    @Argument(help: "The shards' .sqlite files.")
    var shards: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("The study file, and overrides as for vitrine study run.", valueName: "file"))
    var study: [String] = []

    @Option(name: [.customLong("output"), .customShort("o")], help: "The file to write; must not exist.")
    var output: String?

    func validate() throws {
        if shards.isEmpty == study.isEmpty { throw ValidationError("name the shards' files, or the study with --study") }
        if study.isEmpty != (output != nil) {
            throw ValidationError(
                study.isEmpty ? "name the file to write with --output" : "--output: with --study the results go into the study's own folder"
            )
        }
    }

    func run() throws {
        if let file = study.first {
            let plan = try StudyPlan.read(file, overrides: Array(study.dropFirst()))
            return try Self.end(try StudyStores.merge(plan), path: plan.output + "/" + StudyShard.whole.fileName)
        }
        guard let output else { return }
        if FileSystem.exists(output) { throw CommandFailure("\(output): exists; name another file with --output") }
        let store = try Store.merge(shards, into: output)
        let progress = try store.progress()
        try store.close()
        try Self.end(progress, path: output)
    }

    private static func end(_ progress: StudyProgress, path: String) throws {
        let failed = progress.failed > 0 ? ", \(progress.failed) failed" : ""
        guard progress.isComplete else {
            print("\(path): not finished, \(progress.done) of \(progress.total) units\(failed); run the study again to continue")
            throw ExitCode.stopped
        }
        print("\(path): complete, \(progress.done) of \(progress.total) units\(failed)")
        if progress.failed > 0 { throw ExitCode.someItemsFailed }
    }
}
