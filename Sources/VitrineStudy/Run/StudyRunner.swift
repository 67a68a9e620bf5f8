import Foundation
import VitrineStore
import VitrineTensor

/// Thrown when a run was asked to stop; what was finished is stored.
public struct StudyInterruption: Error, CustomStringConvertible {
    public var description: String { "stopped; run the same command again to continue where it stopped" }
    public init() {}
}

/// Computes what a store does not hold yet.
///
/// First every image and mask is compared with what the store knows of it, then what is missing under each model is computed: maps, with
/// the model; scores of maps that are there, without it. Images run in parallel, one worker each, and what one image lacks is stored in one
/// transaction. What a store then holds depends on the study file and the inputs alone: not on the workers, the order, the shard, or what was
/// computed before.
public struct StudyRunner: Sendable {
    public let plan: StudyPlan
    public let store: Store
    public var shard = StudyShard.whole
    public var workers = 1
    /// Asked before every commit; true stops the run with `StudyInterruption`.
    public var shouldStop: @Sendable () -> Bool = { false }
    /// Told how trainings go.
    public var news: @Sendable (StudyTrainingNews) -> Void = { _ in }
    /// Told how many units were finished or given up.
    public var advance: @Sendable (Int) -> Void = { _ in }
    /// Told, after every pass through a network, how many images took part; gradients and relevance belong to the pass they follow.
    public var passed: @Sendable (Int) -> Void = { _ in }
    /// Told, in a line each, what has changed since it was used, so that what was made from it is made again.
    public var changed: @Sendable (String) -> Void = { _ in }

    /// Told what was assumed about pictures and masks, or may be wrong with them: each kind once, with the number of files.
    public var noted: @Sendable (String) -> Void = { _ in }

    public init(plan: StudyPlan, store: Store) {
        self.plan = plan
        self.store = store
    }

    /// Makes the store of a shard in a folder, or opens it when it is there and lets it grow to what the plan wants.
    ///
    /// No other process may write it until it is closed.
    ///
    /// - Throws: `StoreError.otherStudy` when it holds the results of a different study; `.inUse`; `.damaged`.
    public static func openStore(_ plan: StudyPlan, folder: String, shard: StudyShard = .whole) throws -> Store {
        let path = folder + "/" + shard.fileName
        if !FileManager.default.fileExists(atPath: path) {
            try FileSystem.makeFolder(folder)
            return try Store.create(path, plan: plan.store)
        }
        let store = try Store.open(path, isReadOnly: false)
        try store.verify()
        let differences = try plan.differences(from: store)
        guard differences.isEmpty else { throw StoreError.otherStudy(path: path, differences: differences) }
        let then = try? StudyFile.parse(store.study(StudyKey.resolved) ?? "", path: "study.resolved.yaml")
        try store.adopt(plan.store)
        try plan.fillOrigins(in: store, madeBy: then)
        return store
    }

    /// Units this run may have to compute, those that are stored included.
    public var unitCount: Int {
        plan.store.models.reduce(0) { $0 + plan.samples(of: $1, shard: shard).count }
    }

    public func run() throws {
        try CPU.selfTest()
        let provenance = Provenance(files: [:], options: [:])
        let id = try store.beginRun(
            started: Date().ISO8601Format(), shard: shard.description, workers: workers,
            studyFolder: StudyFolder.relative(plan.folder.isEmpty ? "." : plan.folder, to: store.folder),
            arithmetic: ArithmeticRecord(
                vitrine: provenance.vitrine, cpuPath: provenance.cpuPath, blasCore: provenance.blasCore, blas: provenance.blas))
        for source in plan.sources { try inspect(source) }
        try plan.fillMasks(in: store)
        for note in try FileNotes.lines(store) { noted(note) }
        for source in plan.sources {
            let prior = try maskPrior(of: source)
            for model in plan.store.models where model.datasetID == source.id {
                if model.kind == .none { try runControls(model, source, prior) } else { try run(model, source, prior) }
            }
        }
        try store.endRun(id, ended: Date().ISO8601Format(), peakMemory: Self.peakMemory())
    }

    func stopIfAsked() throws { if shouldStop() { throw StudyInterruption() } }

    // MARK: What is left

    /// What is missing of this shard under a model, but for images that are damaged.
    func pending(_ model: ModelRecord, _ source: StudyPlan.DatasetSource) throws -> [StudyWork] {
        let all = plan.samples(of: model, shard: shard)
        let damaged = Set(try store.failures().filter { $0.datasetID == source.id && $0.modelID == nil }.compactMap(\.sampleID))
        return try plan.missing(model, among: all.filter { !damaged.contains($0) }, in: store)
    }

    /// Counts everything as done that is not to be done.
    func advancePast(_ work: [StudyWork], _ model: ModelRecord) {
        advance(plan.samples(of: model, shard: shard).count - work.count)
    }

    // MARK: This machine

    /// Largest resident memory of this process in bytes, where the system tells.
    private static func peakMemory() -> Int? {
        guard let data = FileManager.default.contents(atPath: "/proc/self/status") else { return nil }
        let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropLast().last.flatMap { Int($0) }.map { $0 * 1024 }
    }
}
