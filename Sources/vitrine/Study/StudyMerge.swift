import ArgumentParser
import Foundation
import VitrineStudy

struct StudyMerge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Joins the results of shards into one file.",
        discussion: "Shards may overlap or be unfinished; exit code 3 when units are missing or failed.")

    @Argument(help: "The shards' .sqlite files.")
    var shards: [String]

    @Option(name: [.customLong("output"), .customShort("o")], help: "The file to write; must not exist.")
    var output: String

    func validate() throws {
        if shards.isEmpty { throw ValidationError("name the shards' files") }
    }

    func run() throws {
        if FileManager.default.fileExists(atPath: output) { throw CommandFailure("\(output) exists; name another file") }
        let store = try Store.merge(shards, into: output)
        let progress = try store.progress()
        try store.close()
        print("\(output): \(progress.done) of \(progress.total) units, \(progress.failed) failed")
        if !progress.isComplete || progress.failed > 0 { throw ExitCode.someItemsFailed }
    }
}
