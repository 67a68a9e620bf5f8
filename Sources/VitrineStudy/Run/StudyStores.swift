import VitrineStore
import VitrineTensor

/// The result stores in the output folder of a study: `results.sqlite`, and those of shards, of whatever number the study was cut into.
public struct StudyStores: Sendable {
    public let folder: String
    /// Shards by their number and index; the whole, if it is there, first.
    public let shards: [StudyShard]

    /// - Throws: `FileFailure` for a folder that cannot be listed.
    public init(folder: String) throws(FileFailure) {
        self.folder = folder
        shards = try FileSystem.list(folder).compactMap(Self.shard).sorted { ($0.count, $0.index) < ($1.count, $1.index) }
    }

    public var paths: [String] { shards.map { path($0) } }

    /// Files of shards that should be there beside those that are: such a shard has not begun.
    public var missing: [String] {
        let counts = Set(shards.map(\.count)).subtracting([1])
        return counts.sorted().flatMap { count in (1...count).compactMap { StudyShard(index: $0, count: count) } }
            .filter { !shards.contains($0) }.map(\.fileName)
    }

    private func path(_ shard: StudyShard) -> String { folder + "/" + shard.fileName }

    /// The shard that a file belongs to by its name; nil for other files.
    static func shard(_ name: String) -> StudyShard? {
        if name == StudyShard.whole.fileName { return .whole }
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "results", parts[2] == "of", parts[3].hasSuffix(".sqlite"), let index = Int(parts[1]),
            let count = Int(parts[3].dropLast(".sqlite".count)), let shard = StudyShard(index: index, count: count)
        else { return nil }
        return shard.fileName == name ? shard : nil
    }

    /// Joins all stores of the folder into `results.sqlite`, which is replaced once the new one is whole: what is finished is never deleted.
    ///
    /// - Parameter plan: of the study; a store of another one is refused, by name.
    /// - Returns: how far the study is.
    /// - Throws: `StudyStoresError`, `StoreError`, `FileLock.Taken` while a process still computes.
    public static func merge(_ plan: StudyPlan) throws -> StudyProgress {
        let folder = plan.output
        let trainer = StudyTrainer(plan: plan, results: folder)
        func nothing() -> StudyStoresError {
            let untrained = plan.store.models.filter { plan.trainings[$0.path] != nil && (try? trainer.isFinished($0)) != true }
            return .nothing(folder: folder, untrained: untrained.map { "\(plan.store.datasets[$0.datasetID].name) / \($0.name)" })
        }
        guard FileSystem.isFolder(folder) else { throw nothing() }
        let stores = try StudyStores(folder: folder)
        guard !stores.shards.isEmpty else { throw nothing() }
        let whole = folder + "/" + StudyShard.whole.fileName
        let paths = stores.paths
        for path in paths {
            if let holder = FileLock.holder(of: path + ".lock") {
                throw FileLock.Taken(path: path, work: "is running this study", holder: holder)
            }
            let store = try Store.open(path)
            let differences = try plan.differences(from: store)
            guard differences.isEmpty else { throw StoreError.otherStudy(path: path, differences: differences) }
            if paths == [whole] { return try store.progress() }
            try store.close()
        }
        let merged = try Store.merge(paths, into: whole, plan: plan.store, replacing: true)
        defer { try? merged.close() }
        return try merged.progress()
    }
}

/// Why the stores of a study cannot be joined.
public enum StudyStoresError: Error, Equatable, CustomStringConvertible {
    /// No store is there; models that the study trains and that are not finished are named.
    case nothing(folder: String, untrained: [String])

    public var description: String {
        switch self {
        case .nothing(let folder, let untrained):
            "\(folder): holds no results yet"
                + (untrained.isEmpty
                    ? "; run the study first"
                    : "; these models are not trained yet: \(untrained.joined(separator: ", ")); run the study again")
        }
    }
}

extension StudyProgress {
    /// How far several stores of one study are together; a unit that one of them has finished is finished.
    ///
    /// - Throws: `StoreError.otherStudy` where their plans differ.
    public init(_ stores: [Store]) throws(StoreError) {
        precondition(!stores.isEmpty, "progress needs at least one store")
        let plan = try stores[0].planDigest()
        var models = try stores[0].progress().models
        guard stores.count > 1 else {
            self.init(models: models)
            return
        }
        var done: [Int: Set<Int>] = [:]
        var failed: [Int: Set<Int>] = [:]
        for store in stores {
            guard try store.planDigest() == plan else {
                throw .otherStudy(path: store.path, differences: ["its plan is not that of \(stores[0].path)"])
            }
            for unit in try store.unitStates() {
                switch unit.state {
                case .done: done[unit.model, default: []].insert(unit.sample)
                case .failed: failed[unit.model, default: []].insert(unit.sample)
                case .open: break
                }
            }
        }
        for i in models.indices {
            let finished = done[models[i].modelID] ?? []
            models[i].done = finished.count
            models[i].failed = (failed[models[i].modelID] ?? []).subtracting(finished).count
        }
        self.init(models: models)
    }
}
