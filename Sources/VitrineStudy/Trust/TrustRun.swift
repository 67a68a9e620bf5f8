import Foundation
import Synchronization
import VitrineData
import VitrineEvaluate
import VitrineExplain
import VitrineModel
import VitrineTensor
import VitrineTrain

/// Scores explanation methods against what networks provably use.
///
/// For each task a network is trained until it passes the counterfactual check; its methods' maps are then scored against the planted
/// cause, and metrics against these scores. What the folder holds is not computed again; results do not depend on the workers.
public struct TrustRun: Sendable {
    public let tasks: [TrustTask]
    public let settings: TrustSettings
    /// As they were asked for.
    public let methods: [String]
    /// Names of metrics to be audited; empty for none.
    public let metrics: [String]
    public let output: String
    public var workers = 1
    /// Asked often; true ends the run with `StudyInterruption`.
    public var shouldStop: @Sendable () -> Bool = { false }
    public var news: @Sendable (News) -> Void = { _ in }

    public enum News: Sendable {
        case model(ProvenModel.News)
        case scoring(task: String, images: Int)
        case scored
        case done(task: String)
    }

    /// Every method but the constant map, which says nothing anywhere, and maps of one patch or component that nobody named; those that
    /// draw at random with as many draws as 64 patches need.
    public static var standardMethods: [String] {
        let draws = [
            "rise": "masks=500", "kernel-shap": "samples=400", "leverage-shap": "samples=400", "lime": "samples=400", "hsic": "samples=300",
            "sobol": "samples=8,grid=4", "tis": "masks=256", "owen": "evaluations=256",
        ]
        return Method.all.map(\.identifier).filter { !["constant", "patch-similarity", "patch-pca"].contains($0) }.map { name in
            draws[name].map { "\(name):\($0)" } ?? name
        }
    }

    /// Metrics that ask the network, whatever family, with few draws: the mean over images evens them out.
    public static var standardMetrics: [String] {
        let facts = MetricRegistry.all.map { $0.facts }.filter {
            [.faithfulness, .stability, .randomisation].contains($0.family) && $0.better != .none && $0.identifier != "seed-repeatability"
        }
        // Those that ask the method again, or paint for every map: what they ask is shared by no other map.
        let draws = [
            "draws=10": "draws=3", "samples=10": "samples=4", "segments=100": "segments=25", "percentiles=20,40,60,80": "percentiles=20,60",
        ]
        return facts.map { facts in
            let few = facts.options.compactMap { draws[$0] }
            return facts.name() + (few.isEmpty ? "" : ":" + few.joined(separator: ","))
        }
    }

    public init(tasks: [TrustTask], settings: TrustSettings, methods: [String], metrics: [String], output: String) {
        self.tasks = tasks
        self.settings = settings
        self.methods = methods
        self.metrics = metrics
        self.output = output
    }

    /// Runs what is missing.
    ///
    /// - Throws: `StudyInterruption`; `TrustError`; what training and explaining throw.
    public func run() throws -> TrustResult {
        try CPU.selfTest()
        var results: [TrustResult.Task] = []
        for task in tasks {
            results.append(try run(task))
            news(.done(task: task.name))
            let soFar = try TrustResult(results, metrics: metrics, settings: settings, workers: workers)
            try soFar.write(to: output)
            if results.count == tasks.count { return soFar }
        }
        return try TrustResult([], metrics: metrics, settings: settings, workers: workers)
    }

    /// The task whose network this one starts from: of those of the run that are like it the easiest, if it is not this one.
    private func base(of task: TrustTask) -> TrustTask? {
        tasks.filter { $0 == task || task.isLike($0) }.min { $0.isEasier(than: $1) }.flatMap { $0 == task ? nil : $0 }
    }

    /// The network of a task.
    private func network(of task: TrustTask, locked: (_ folder: String) throws -> FileLock) throws -> (ProvenModel, FileLock) {
        let folder = folder(of: task)
        let base = try base(of: task).map { try network(of: $0, locked: locked).0.model }
        try FileSystem.makeFolder("\(folder)/images")
        let lock = try locked(folder)
        try adopt(folder, task)
        let news = self.news
        let proven = try ProvenModel.made(
            task, settings, folder: folder, base: base, workers: workers, shouldStop: shouldStop, news: { news(.model($0)) })
        return (proven, lock)
    }

    private func folder(of task: TrustTask) -> String { "\(output)/\(task.folder)" }

    private func run(_ task: TrustTask) throws -> TrustResult.Task {
        let folder = folder(of: task)
        let (proven, lock) = try network(of: task) { folder in
            try FileLock(folder + "/lock") { holder in
                if shouldStop() { throw StudyInterruption() }
                throw FileLock.Taken(path: folder, work: "is at work here", holder: holder)
            }
        }
        defer { withExtendedLifetime(lock) {} }
        guard proven.check.passes else { return TrustResult.Task(task, proven, methods: [], leftOut: [], records: []) }
        let (configured, leftOut) = try ConfiguredMethod.expanded(methods, for: proven.model.configuration)
        let images = try scoredImages(proven)
        guard !images.isEmpty else { throw TrustError.nothingToScore(task: task.name) }
        news(.scoring(task: task.name, images: images.count))
        let scorer = try TrustScorer(proven, seed: settings.seed)
        let audit = try Evaluator(metrics, protocol: .corrected, seed: settings.seed)
        let none = Evaluator([], seed: settings.seed)
        let workspaces = (0..<max(workers, 1)).map { _ in Workspace() }
        let networks = RandomisedNetworks(proven.model, seed: settings.seed)
        let records = Mutex<[Int: TrustRecord]>([:])
        let watch = Watch(isStopped: shouldStop)
        // Images that metrics are asked about first: they take longest.
        do {
            try parallelFor(images.count, workers: workers) { worker, i in
                let image = images[i]
                let path = "\(folder)/images/\(image.index).json"
                var record =
                    try TrustRecord.read(path) ?? TrustRecord(index: image.index, label: image.label, parts: image.parts.ordered)
                let before = record
                try scorer.complete(
                    &record, image, methods: configured, metrics: i < settings.audited ? audit : none, networks: networks,
                    workspace: workspaces[worker], watch: watch)
                if record != before { try record.write(path) }
                if shouldStop() { throw StudyInterruption() }
                records.withLock { [record] in $0[i] = record }
                news(.scored)
            }
        } catch is ExplanationStopped { throw StudyInterruption() }
        let sorted = records.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }
        return TrustResult.Task(task, proven, methods: configured, leftOut: leftOut, records: sorted)
    }

    /// The first images on which the network proves what it uses.
    private func scoredImages(_ proven: ProvenModel) throws -> [TrustImage] {
        // As many whatever is asked for: a picture depends on their number, and those that are known stay known.
        let set = try proven.task.set(count: 20_000, seed: settings.seed &+ 2_000_003)
        // Enough for tasks that score half of their positives, and for some that do not prove themselves.
        let last = min(8 * settings.images, set.count)
        let classify = ProvenModel.classifier(proven.model, proven.preprocess, workers: workers, shouldStop: shouldStop)
        var images: [TrustImage] = []
        var start = 0
        while images.count < settings.images && start < last {
            let piece = start..<min(start + 2 * settings.images, last)
            let found = Mutex<[Int: TrustImage]>([:])
            try parallelFor(piece.count, workers: workers) { worker, i in
                let index = piece.lowerBound + i
                if let image = try TrustImage(index, of: set, proven.task, proven.preprocess, classify: classify, worker: worker) {
                    found.withLock { $0[index] = image }
                }
            }
            images += found.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }
            start = piece.upperBound
        }
        return Array(images.prefix(settings.images))
    }

    /// Makes sure that what the folder holds was made with the same settings; rounds may be added.
    private func adopt(_ folder: String, _ task: TrustTask) throws {
        let path = "\(folder)/run.json"
        var identity = settings.identity
        identity["task"] = task.name
        identity["start"] = base(of: task)?.name ?? "random weights"
        guard let data = FileManager.default.contents(atPath: path) else {
            try AtomicFile.write(Array((try JSON.line(identity) + "\n").utf8), to: path)
            return
        }
        guard let stored = try? JSON.value([String: String].self, data) else { throw TrustError.damaged(path: path) }
        for (field, now) in identity.sorted(by: { $0.key < $1.key }) where stored[field] != now {
            throw TrustError.otherRun(folder: folder, field: field, then: stored[field] ?? "unknown", now: now)
        }
    }
}
