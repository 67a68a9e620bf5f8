import ArgumentParser
import VitrineStore
import VitrineStudy
import VitrineTensor

struct StudyStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows how far a study is and what failed.",
        discussion: """
            Of a folder, results.sqlite and all shards count together, also while they are running. Exit code 4 when the study is not \
            finished, 3 when it is and something failed.
            """)

    @Argument(help: "The results: .sqlite files, or the study's output folder.")
    var results: [String]

    @Flag(help: "Also print the checksum of the content, which is the same for every way of running a study.")
    var digest = false

    func validate() throws {
        if results.isEmpty { throw ValidationError("name the results: a .sqlite file, or the study's output folder") }
    }

    func run() throws {
        let paths = try storePaths(results)
        let stores = try paths.map { try Store.open($0) }
        for store in stores { try store.verify() }
        let first = stores[0]
        let progress = try StudyProgress(stores)
        let names = Dictionary(uniqueKeysWithValues: try first.datasets().map { ($0.id, $0.name) })
        let models = Dictionary(uniqueKeysWithValues: try first.models().map { ($0.id, $0.kind == .none ? "(controls)" : $0.name) })
        Self.table(
            progress.models.map { model in
                (
                    "\(names[model.datasetID] ?? "") / \(models[model.modelID] ?? "")",
                    "\(model.done) of \(model.total)" + (model.failed > 0 ? ", \(model.failed) failed" : "")
                )
            })
        if stores.count > 1 || FileLock.holder(of: first.path + ".lock") != nil {
            Self.table(try stores.map { ($0.path, try Self.standing($0)) })
        }
        for case let folder? in results.map({ FileCollection.isFolder($0) == true ? $0 : nil }) {
            for name in try StudyStores(folder: folder).missing { print("\(folder)/\(name)  not begun") }
        }
        print(
            "\(progress.done) of \(progress.total) done" + (progress.failed > 0 ? ", \(progress.failed) failed" : "")
                + (progress.isComplete ? "; complete" : "; not finished: run the study again to continue"))
        var seen = Set<String>()
        for failure in try stores.flatMap({ try $0.failures() }) where seen.insert(failure.message).inserted {
            print("\(failure.stage.rawValue): \(failure.message)")
        }
        if digest {
            guard stores.count == 1 else { throw CommandFailure("--digest: of one file; join the shards with vitrine study merge") }
            print(try first.contentDigest())
        }
        if !progress.isComplete { throw ExitCode.stopped }
        if !seen.isEmpty { throw ExitCode.someItemsFailed }
    }

    /// What one file holds, and who writes it.
    private static func standing(_ store: Store) throws -> String {
        let progress = try store.progress()
        var text = "\(progress.done) done" + (progress.failed > 0 ? ", \(progress.failed) failed" : "")
        if let holder = FileLock.holder(of: store.path + ".lock") {
            text += "; running, \(holder)"
        } else if let last = try store.runs().last, last.ended == nil {
            text += "; stopped before its end"
        }
        return text
    }

    private static func table(_ rows: [(title: String, text: String)]) {
        let width = rows.map(\.title.count).max() ?? 0
        for row in rows { print(row.title.padded(width) + "  " + row.text) }
    }
}
