import ArgumentParser
import VitrineStudy

struct StudyStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows how far a study is and what failed.", discussion: "Exit code 3 when something failed.")

    @Argument(help: "The results: a .sqlite file, or the study's output folder.")
    var results: String

    @Flag(help: "Also print the checksum of the content, which is the same for every way of running a study.")
    var digest = false

    func run() throws {
        let store = try Store.open(storePath(results))
        let progress = try store.progress()
        let names = Dictionary(uniqueKeysWithValues: try store.datasets().map { ($0.id, $0.name) })
        let models = Dictionary(uniqueKeysWithValues: try store.models().map { ($0.id, $0.kind == .none ? "(controls)" : $0.name) })
        let titles = progress.models.map { "\(names[$0.datasetID] ?? "") / \(models[$0.modelID] ?? "")" }
        let width = titles.map(\.count).max() ?? 0
        for (title, model) in zip(titles, progress.models) {
            print(
                title + String(repeating: " ", count: width - title.count) + "  \(model.done) of \(model.total)"
                    + (model.failed > 0 ? ", \(model.failed) failed" : ""))
        }
        print(
            "\(progress.done) of \(progress.total) done" + (progress.failed > 0 ? ", \(progress.failed) failed" : "")
                + (progress.isComplete ? "; complete" : "; run the study again to continue"))
        let failures = try store.failures()
        for failure in failures { print("\(failure.stage.rawValue): \(failure.message)") }
        if digest { print(try store.contentDigest()) }
        if !failures.isEmpty { throw ExitCode.someItemsFailed }
    }
}
