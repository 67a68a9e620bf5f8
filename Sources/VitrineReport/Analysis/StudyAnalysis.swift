import VitrineEvaluate
import VitrineStore

/// A finished study, analysed: every number of the report, without a word or a picture.
///
/// Depends on the content of the store alone: not on when, where or in how many pieces the study ran, nor on the number of threads.
public struct StudyAnalysis: Sendable, Equatable {
    /// Family-wise level of all decisions.
    public static let alpha = 0.05

    public var title: String
    public var seed: UInt64
    /// The study file with defaults and overrides.
    public var resolved: String
    public var fingerprint: String
    public var methods: [MethodRecord]
    public var metrics: [MetricRecord]
    /// Images are ranked, split and plotted by this one: the first of the study file, under `corrected` where that was asked for.
    public var primary: MetricRecord
    public var datasets: [DatasetAnalysis]
    /// Data set by data set, model by model; decided together.
    public var verdicts: [MethodVerdict]
    /// How many tests were adjusted together for `verdicts`.
    public var verdictTests: Int { verdicts.tests }
    public var checkpoints: [CheckpointRecord]
    public var arithmetic: [ArithmeticRecord]
    public var failures: [FailureRecord]
    /// What is noted about pictures and masks, a line per kind.
    public let fileNotes: [String]
    /// Bootstrap resamples and sign flips behind every interval and test.
    public var resamples: Int
    public var progress: StudyProgress
    /// Marks metrics that do not beat chance where the truth is planted.
    public var plantedTruth = PlantedTruth.ofTheProduct

    public var protocols: [String] { metrics.map(\.protocolName).reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
    /// The primary metric with its protocol: `iou@20 (corrected)`.
    public var primaryTitle: String { "\(primary.name) (\(primary.protocolName))" }
    public var metricNames: [String] { metrics.map(\.name).reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
    public var explainers: [MethodRecord] { methods.filter { !$0.isControl } }
    public var controls: [MethodRecord] { methods.filter(\.isControl) }

    /// Analyses a store; one that is not complete is analysed as far as it goes.
    ///
    /// - Parameters:
    ///   - resamples: of the bootstrap and of permutation tests; at least 9,999 for published numbers.
    ///   - workers: threads; the result does not depend on it.
    /// - Throws: `StoreError` when the store cannot be read, `StatisticsError` when it holds what no study writes.
    /// - Complexity: O(cells · resamples · patients); memory holds one metric of one data set at a time.
    public init(_ store: Store, resamples: Int = 10_000, workers: Int = 1) throws {
        title = try store.study(StudyKey.title) ?? ""
        seed = UInt64(try store.study(StudyKey.seed) ?? "") ?? 0
        resolved = try store.study(StudyKey.resolved) ?? ""
        fingerprint = try store.study(StudyKey.fingerprint) ?? ""
        methods = try store.methods()
        metrics = try store.metrics()
        let rules = metrics.contains { $0.protocolName == "corrected" } ? "corrected" : metrics.first?.protocolName ?? "corrected"
        guard let primary = metrics.first(where: { $0.protocolName == rules }) else { throw ReportError.noMetrics(path: store.path) }
        self.primary = primary
        self.resamples = resamples
        checkpoints = try store.checkpoints()
        arithmetic = try store.arithmetic()
        failures = try store.failures()
        fileNotes = try FileNotes.lines(store)
        progress = try store.progress()
        let shared = DatasetAnalysis.Shared(
            stabilities: try store.stabilities(), signs: try store.notes(name: "signs-agreeing"), agreementProtocol: rules)
        datasets = []
        verdicts = []
        for record in try store.datasets() {
            let context = try DatasetContext(record, store: store, methods: methods, seed: seed, resamples: resamples, workers: workers)
            let dataset = try DatasetAnalysis(context, store: store, metrics: metrics, primary: primary.id, shared: shared)
            datasets.append(dataset)
            verdicts += dataset.verdicts
        }
        verdicts.decide(level: Self.alpha)
    }

    public func method(_ id: Int) -> MethodRecord? { methods.first { $0.id == id } }
}

/// Why a report cannot be written.
public enum ReportError: Error, Equatable, CustomStringConvertible {
    /// The store belongs to a study without metrics.
    case noMetrics(path: String)
    /// There is no result of a trust run there.
    case noTrust(path: String)

    public var description: String {
        switch self {
        case .noTrust(let path):
            "\(path): is not there, or not what vitrine trust --phantoms writes; name the folder of a run that compared metrics"
        case .noMetrics(let path): "\(path): the study has no metric, so that there is nothing to report"
        }
    }
}
