import Dispatch
import Foundation
import Synchronization
import VitrineData
import VitrineEvaluate
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineTensor

/// Which part of a study an invocation computes.
public struct StudyShard: Sendable, Equatable, CustomStringConvertible {
    /// From 1.
    public let index: Int
    public let count: Int

    public static let whole = StudyShard(index: 1, count: 1)!

    public init?(index: Int, count: Int) {
        guard count >= 1, (1...count).contains(index) else { return nil }
        self.index = index
        self.count = count
    }

    /// Reads `i/n`.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let index = parts[0], let count = parts[1] else { return nil }
        self.init(index: index, count: count)
    }

    public var description: String { "\(index)/\(count)" }

    /// The file of its results: `results.sqlite`, or `results-2-of-4.sqlite`.
    public var fileName: String { count == 1 ? "results.sqlite" : "results-\(index)-of-\(count).sqlite" }
}

/// Thrown when a run was asked to stop; what was finished is stored.
public struct StudyInterruption: Error, CustomStringConvertible {
    public var description: String { "stopped; run the same command again to continue where it stopped" }
    public init() {}
}

/// Computes what a store does not hold yet.
///
/// Images run in parallel, one worker each; a unit (one image under one model) is stored in one transaction. What a unit holds depends on
/// the study file and the inputs alone: not on the workers, the order, the shard, or what was computed before.
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

    public init(plan: StudyPlan, store: Store) {
        self.plan = plan
        self.store = store
    }

    /// Makes the store of a shard in a folder, or opens it when it is there.
    ///
    /// - Throws: `StoreError.otherStudy` when it holds the results of a different study.
    public static func openStore(_ plan: StudyPlan, folder: String, shard: StudyShard = .whole) throws -> Store {
        let path = folder + "/" + shard.fileName
        if !FileManager.default.fileExists(atPath: path) {
            try FileSystem.makeFolder(folder)
            return try Store.create(path, plan: plan.store)
        }
        let store = try Store.open(path, isReadOnly: false)
        let differences = try plan.differences(from: store)
        guard differences.isEmpty else { throw StoreError.otherStudy(path: path, differences: differences) }
        return store
    }

    /// Units this run may have to compute, those that are stored included.
    public var unitCount: Int {
        plan.store.models.reduce(0) { $0 + chunks(of: $1).joined().count }
    }

    public func run() throws {
        let lock = try FileLock(store.path + ".lock") { throw StoreError.inUse(path: store.path) }
        defer { withExtendedLifetime(lock) {} }
        try CPU.selfTest()
        let provenance = Provenance(files: [:], options: [:])
        let id = try store.beginRun(
            started: Date().ISO8601Format(), shard: shard.description, workers: workers,
            arithmetic: ArithmeticRecord(
                vitrine: provenance.vitrine, cpuPath: provenance.cpuPath, blasCore: provenance.blasCore, blas: provenance.blas))
        for source in plan.sources { try inspect(source) }
        for source in plan.sources {
            let prior = try maskPrior(of: source)
            for model in plan.store.models where model.datasetID == source.id { try run(model, source, prior: prior) }
        }
        try store.endRun(id, ended: Date().ISO8601Format(), peakMemory: Self.peakMemory())
    }

    // MARK: Before the models

    /// Reads every image and mask of the shard once: checksums, sizes, mask quality, and what is damaged.
    private func inspect(_ source: StudyPlan.DatasetSource) throws {
        let finished = Set(try (source.hasImages ? store.images().map(\.sampleID) : store.masks().map(\.sampleID)))
        let masked = Set(try store.masks(dataset: source.id).map(\.sampleID))
        let pending = mine(source).filter { id in
            !finished.contains(id) || (source.roles[id - source.firstSample] == .score && !masked.contains(id))
        }
        try parallelFor(pending.count, workers: workers) { _, i in
            let id = pending[i]
            let found = plan.inspect(id, of: source)
            let failures = found.failure.map {
                [FailureRecord(datasetID: source.id, sampleID: id, modelID: nil, stage: $0.stage, message: $0.message)]
            }
            try stopIfAsked()
            try store.commit(image: found.image, mask: found.mask, failures: failures ?? [], sample: id)
        }
    }

    private func maskPrior(of source: StudyPlan.DatasetSource) throws -> MaskPrior? {
        guard plan.file.methods.contains(where: { if case .maskPrior = $0 { true } else { false } }) else { return nil }
        if let stored = try store.maskPrior(dataset: source.id) { return MaskPrior(stored, plan: plan, source: source) }
        do {
            let record = try MaskPrior.count(plan, source, workers: workers)
            try stopIfAsked()
            try store.commit(record)
            return MaskPrior(record, plan: plan, source: source)
        } catch let failure as InputFailure {
            try store.commit(
                FailureRecord(datasetID: source.id, sampleID: nil, modelID: nil, stage: .prior, message: failure.message))
            return nil
        }
    }

    // MARK: One model

    private func run(_ record: ModelRecord, _ source: StudyPlan.DatasetSource, prior: MaskPrior?) throws {
        let done = Set(try store.units(model: record.id).map(\.sampleID))
        let damaged = Set(try store.failures().filter { $0.datasetID == source.id && $0.modelID == nil }.compactMap(\.sampleID))
        let all = chunks(of: record)
        let pending = all.filter { chunk in chunk.contains { !done.contains($0) && !damaged.contains($0) } }
        advance(all.joined().count - pending.joined().count)
        guard !pending.isEmpty else { return }
        let evaluator = try plan.evaluator()
        guard record.kind != .none else {
            try parallelFor(pending.count, workers: workers) { _, i in
                for id in pending[i] where !done.contains(id) && !damaged.contains(id) {
                    try runControls(id, record, source, prior: prior, evaluator)
                }
                advance(pending[i].count)
            }
            return
        }
        let session: Session
        do { session = try open(record, source, evaluator) } catch {
            if error is StoreError || error is StudyInterruption { throw error }
            try store.commit(
                FailureRecord(datasetID: source.id, sampleID: nil, modelID: record.id, stage: .model, message: "\(error)"))
            advance(pending.joined().count)
            return
        }
        try stopIfAsked()
        try store.commit(session.loaded.record)
        if let left = try trainer.leftOut(record) {
            try store.commit(FailureRecord(datasetID: source.id, sampleID: nil, modelID: record.id, stage: .training, message: left))
        }
        let workspaces = (0..<workers).map { _ in Workspace() }
        try parallelFor(pending.count, workers: workers) { worker, i in
            try run(pending[i].filter { !damaged.contains($0) }, done: done, session, workspace: workspaces[worker])
            advance(pending[i].count)
        }
    }

    private var trainer: StudyTrainer {
        var trainer = StudyTrainer(plan: plan, results: store.folder)
        trainer.workers = workers
        trainer.shouldStop = shouldStop
        trainer.news = news
        return trainer
    }

    /// A loaded model with the passes it is asked for.
    private struct Session: Sendable {
        var record: ModelRecord
        var source: StudyPlan.DatasetSource
        var loaded: StudyLoadedModel
        /// All methods that look at the model.
        var explaining: ExplanationPlan
        /// None: for images that are only classified.
        var predicting: ExplanationPlan
        /// Ids of the methods, in the order of `explaining`.
        var methods: [Int]
        var evaluator: Evaluator
        /// SHA-256 of the images as inspected.
        var digests: [Int: String]
    }

    private func open(_ record: ModelRecord, _ source: StudyPlan.DatasetSource, _ evaluator: Evaluator) throws -> Session {
        if case .randomWeights(let like, _)? = plan.entry(record)?.source,
            let other = plan.store.models.first(where: { $0.datasetID == source.id && $0.name == like })
        {
            try trainer.train(other)
        } else {
            try trainer.train(record)
        }
        let loaded = try plan.load(record, of: source, results: store.folder)
        if let stored = try store.checkpoints().first(where: { $0.modelID == record.id }), stored.sha256 != loaded.record.sha256 {
            throw InputFailure(
                stage: .model,
                message: "\(record.path): has changed since the study began (SHA-256 \(stored.sha256.prefix(12))... then, "
                    + "\(loaded.record.sha256.prefix(12))... now); restore it, or choose another output")
        }
        var methods: [Int] = []
        var configured: [ConfiguredMethod] = []
        for (id, method) in plan.file.methods.enumerated() where !method.isControl {
            guard case .explainer(let explainer) = method else { continue }
            methods.append(id)
            configured.append(explainer)
        }
        let digests = try store.images().map { ($0.sampleID, $0.sha256) }
        return Session(
            record: record, source: source, loaded: loaded,
            explaining: try ExplanationPlan(model: loaded.model, methods: configured, seed: plan.file.seed),
            predicting: try ExplanationPlan(model: loaded.model, methods: [], seed: plan.file.seed), methods: methods,
            evaluator: evaluator, digests: Dictionary(uniqueKeysWithValues: digests))
    }

    /// One chunk under one model.
    ///
    /// The whole chunk runs even where some of it is stored, since the last bits of a matrix product depend on the size of its batch.
    private func run(_ chunk: [Int], done: Set<Int>, _ session: Session, workspace: Workspace) throws {
        var clock = Stopwatch()
        var groups: [[(id: Int, input: StudyInput)]] = []
        for id in chunk {
            do throws(InputFailure) {
                let input = try unchanged(id, session)
                if let last = groups.last?.first, last.input.pixels.shape == input.pixels.shape {
                    groups[groups.count - 1].append((id, input))
                } else {
                    groups.append([(id, input)])
                }
            } catch { try fail(id, session, error.stage, error.message) }
        }
        let prepare = clock.lap() / Double(max(1, chunk.count))
        let order = session.loaded.order
        for whole in groups {
            let isScored = whole[0].input.mask != nil
            var group: [(id: Int, input: StudyInput)] = []
            var subjects: [PreparedImage] = []
            for item in whole {
                let asked = plan.target(item.id, session.source)
                guard let target = session.loaded.model.head == nil ? asked : order.target(asked) else {
                    try fail(
                        item.id, session, .explain,
                        "\(plan.imageName(item.id, session.source)): the model has no logit for this class; "
                            + "one of a single logit speaks for class 1 alone: choose another target")
                    continue
                }
                if let grid = try? session.loaded.model.configuration.grid(height: item.input.height, width: item.input.width) {
                    do { try session.loaded.loaded?.check(grid: grid) } catch {
                        try fail(item.id, session, .explain, "\(StudyPlan.namingKeys(error))")
                        continue
                    }
                }
                group.append(item)
                subjects.append(
                    PreparedImage(name: plan.imageName(item.id, session.source), pixels: item.input.pixels, target: target))
            }
            guard !group.isEmpty else { continue }
            let results: [ImageExplanations]
            do {
                results = try (isScored ? session.explaining : session.predicting).explain(subjects, workspace: workspace)
            } catch let error {
                for item in group where !done.contains(item.id) { try fail(item.id, session, .explain, "\(error)") }
                continue
            }
            let explain = clock.lap() / Double(group.count)
            for (i, item) in group.enumerated() where !done.contains(item.id) {
                if let problem = results[i].problem {
                    try fail(item.id, session, .explain, "\(session.source.sample(item.id).imagePath): \(session.record.path): \(problem)")
                    continue
                }
                var unit = UnitResult(
                    unit: UnitRecord(
                        modelID: session.record.id, sampleID: item.id, maskStatus: isScored ? .scored : .notScored, mask: item.input.mask,
                        height: item.input.height, width: item.input.width),
                    timing: TimingRecord(
                        modelID: session.record.id, sampleID: item.id, prepare: prepare, explain: explain, stability: 0, score: 0))
                unit.addPrediction(results[i], of: session.loaded)
                unit.addMaps(results[i], methods: session.methods)
                if isScored && plan.file.stabilityDraws > 0 && !session.methods.isEmpty {
                    let draws = plan.file.stabilityDraws
                    let stabilities = try session.explaining.stability(
                        of: subjects[i], undisturbed: results[i], greyLevel: session.loaded.preprocess.greyLevel, draws: draws,
                        batch: min(draws, 10), workspace: workspace)
                    unit.addStabilities(stabilities, methods: session.methods)
                    unit.timing.stability = clock.lap()
                }
                if let mask = item.input.mask {
                    let scored = ScoredMask(mask)
                    for map in unit.maps {
                        unit.scores += try plan.scores(
                            of: map.map, methodID: map.methodID, on: scored, session.evaluator,
                            item: "\(plan.imageName(item.id, session.source))/\(session.record.name)")
                    }
                    unit.timing.score = clock.lap()
                }
                try stopIfAsked()
                try store.commit(unit)
                if !results[i].failures.isEmpty {
                    let message = results[i].failures.map { "\($0.method): \($0.message)" }.joined(separator: "; ")
                    try fail(item.id, session, .explain, message)
                }
            }
        }
    }

    /// The input of a sample, if its file is still the one that was inspected.
    private func unchanged(_ id: Int, _ session: Session) throws(InputFailure) -> StudyInput {
        let path = session.source.sample(id).imagePath
        let input = try plan.input(id, of: session.source, preprocess: session.loaded.preprocess)
        guard input.digest == session.digests[id] else {
            throw InputFailure(stage: .image, message: "\(path): has changed since the study began; restore it, or choose another output")
        }
        do {
            try session.explaining.checkMemory(of: input.pixels.shape, batch: max(1, min(plan.file.stabilityDraws, 10)))
        } catch { throw InputFailure(stage: .explain, message: "\(path): \(error)") }
        return input
    }

    private func fail(_ id: Int, _ session: Session, _ stage: FailureRecord.Stage, _ message: String) throws {
        try stopIfAsked()
        try store.commit(
            FailureRecord(
                datasetID: session.source.id, sampleID: id, modelID: session.record.id, stage: stage, message: message))
    }

    // MARK: Controls

    private func runControls(
        _ id: Int, _ record: ModelRecord, _ source: StudyPlan.DatasetSource, prior: MaskPrior?, _ evaluator: Evaluator
    ) throws {
        var clock = Stopwatch()
        let input: StudyInput
        do throws(InputFailure) { input = try plan.input(id, of: source, preprocess: source.preprocess) } catch {
            try stopIfAsked()
            try store.commit(
                FailureRecord(datasetID: source.id, sampleID: id, modelID: record.id, stage: error.stage, message: error.message))
            return
        }
        guard let mask = input.mask else { preconditionFailure("controls run on samples with a mask") }
        let prepare = clock.lap()
        var unit = UnitResult(
            unit: UnitRecord(
                modelID: record.id, sampleID: id, maskStatus: .scored, mask: mask, height: input.height, width: input.width),
            timing: TimingRecord(modelID: record.id, sampleID: id, prepare: prepare, explain: 0, stability: 0, score: 0))
        for (methodID, method) in plan.file.methods.enumerated() where method.isControl {
            if method.needsImage && !source.hasImages { continue }
            let map =
                if case .maskPrior = method { prior?.map(without: id, mask: mask) } else { plan.controlMap(methodID, id, source, input) }
            if let map { unit.maps.append(UnitResult.Map(methodID: methodID, map: map, keepsValues: false)) }
        }
        unit.timing.explain = clock.lap()
        let scored = ScoredMask(mask)
        for map in unit.maps {
            unit.scores += try plan.scores(
                of: map.map, methodID: map.methodID, on: scored, evaluator, item: "\(plan.imageName(id, source))/none")
        }
        unit.timing.score = clock.lap()
        try stopIfAsked()
        try store.commit(unit)
    }

    // MARK: Slices

    /// Images that go through a model together, those of this shard; explained ones first, then those only classified.
    private func chunks(of model: ModelRecord) -> [[Int]] {
        let source = plan.sources[model.datasetID]
        let roles: [SampleRecord.Role] = model.kind == .none ? [.score] : [.score, .predict]
        let all = roles.flatMap { role in
            let ids = source.ids(role)
            return stride(from: 0, to: ids.count, by: plan.file.batch).map { Array(ids[$0..<min($0 + plan.file.batch, ids.count)]) }
        }
        return all.indices.filter { $0 % shard.count == shard.index - 1 }.map { all[$0] }
    }

    /// The samples of this shard, in the order of the plan.
    private func mine(_ source: StudyPlan.DatasetSource) -> [Int] {
        let models = plan.store.models.filter { $0.datasetID == source.id }
        return Set(models.flatMap { chunks(of: $0).joined() }).sorted()
    }

    private func stopIfAsked() throws { if shouldStop() { throw StudyInterruption() } }

    /// Largest resident memory of this process in bytes, where the system tells.
    private static func peakMemory() -> Int? {
        guard let data = FileManager.default.contents(atPath: "/proc/self/status") else { return nil }
        let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropLast().last.flatMap { Int($0) }.map { $0 * 1024 }
    }
}

/// Seconds since the last lap.
struct Stopwatch {
    private var last = DispatchTime.now().uptimeNanoseconds

    mutating func lap() -> Double {
        let now = DispatchTime.now().uptimeNanoseconds
        defer { last = now }
        return Double(now - last) / 1e9
    }
}
