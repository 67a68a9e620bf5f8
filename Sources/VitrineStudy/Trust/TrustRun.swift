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

    /// Methods without draws of their own, and the controls; the constant map says nothing anywhere.
    public static var standardMethods: [String] {
        Method.all.filter { ($0.isControl || !$0.options.contains("seed")) && $0.identifier != "constant" }.map(\.identifier)
    }

    /// Metrics that ask the network, whatever family.
    public static var standardMetrics: [String] {
        MetricRegistry.all.map { $0.facts }.filter {
            [.faithfulness, .stability, .randomisation].contains($0.family) && $0.better != .none && $0.identifier != "seed-repeatability"
        }.map { $0.name() }
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
        }
        return try TrustResult(results, metrics: metrics, settings: settings, workers: workers)
    }

    private func run(_ task: TrustTask) throws -> TrustResult.Task {
        let folder = "\(output)/\(task.folder)"
        try FileSystem.makeFolder("\(folder)/images")
        let lock = try FileLock(folder + "/lock") { holder in
            if shouldStop() { throw StudyInterruption() }
            throw FileLock.Taken(path: folder, work: "is at work here", holder: holder)
        }
        defer { withExtendedLifetime(lock) {} }
        try adopt(folder, task)
        let news = self.news
        let proven = try ProvenModel.made(
            task, settings, folder: folder, workers: workers, shouldStop: shouldStop, news: { news(.model($0)) })
        guard proven.check.passes else { return TrustResult.Task(task, proven, methods: [], leftOut: [], records: []) }
        let (configured, leftOut) = try ConfiguredMethod.expanded(methods, for: proven.model.configuration)
        let images = try scoredImages(proven)
        guard !images.isEmpty else { throw TrustError.nothingToScore(task: task.name) }
        news(.scoring(task: task.name, images: images.count))
        let scorer = try TrustScorer(proven, seed: settings.seed)
        let audit = try Evaluator(metrics, protocol: .corrected, seed: settings.seed)
        let networks = RandomisedNetworks(proven.model, seed: settings.seed)
        let records = Mutex<[Int: TrustRecord]>([:])
        let watch = Watch(isStopped: shouldStop)
        // Images that metrics are asked about first: they take longest.
        do {
            try parallelFor(images.count, workers: workers) { _, i in
                let image = images[i]
                let path = "\(folder)/images/\(image.index).json"
                var record =
                    try TrustRecord.read(path) ?? TrustRecord(index: image.index, label: image.label, parts: image.parts.ordered)
                let before = record
                let workspace = Workspace()
                try scorer.addScores(of: configured, to: &record, image, workspace: workspace, watch: watch)
                if record != before { try record.write(path) }
                if i < settings.audited && !metrics.isEmpty {
                    let before = record
                    try scorer.addMetrics(
                        audit, of: configured, to: &record, image, networks: networks, workspace: workspace, watch: watch)
                    if record != before { try record.write(path) }
                }
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
        // Enough for tasks that score half of their positives, and for some that do not prove themselves.
        let set = try proven.task.set(count: 8 * max(settings.images, 1), seed: settings.seed &+ 2_000_003)
        let classify = ProvenModel.classifier(proven.model, proven.preprocess, workers: workers, shouldStop: shouldStop)
        var images: [TrustImage] = []
        var start = 0
        while images.count < settings.images && start < set.count {
            let piece = start..<min(start + 2 * settings.images, set.count)
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
