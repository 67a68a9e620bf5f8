import VitrineEvaluate
import VitrineStore

/// What all analyses of one data set share: its models, which cells are controls, and who is whose patient.
final class DatasetContext {
    let dataset: DatasetRecord
    let models: [ModelRecord]
    let methods: [MethodRecord]
    /// All images of the data set, in the order of the plan.
    let samples: [SampleRecord]
    /// By sample id.
    let positions: [Int: Int]
    /// The pseudo-model of the controls.
    let noneID: Int
    /// The control `centre` with its own settings, where it ran.
    let centreID: Int?
    /// By position: a patient, or the image itself where the patient is unknown.
    private let patients: [String]
    private let controlModels: Set<Int>
    private let controlMethods: Set<Int>
    private let seed: UInt64
    private let workers: Int
    private let resampleCount: Int
    private var resamplesByCount: [Int: ClusterResamples] = [:]
    private var clustersBySamples: [[Int]: Clusters] = [:]

    init(
        _ dataset: DatasetRecord, store: Store, methods: [MethodRecord], seed: UInt64, resamples: Int, workers: Int
    ) throws(StoreError) {
        self.dataset = dataset
        self.methods = methods
        self.seed = seed
        self.workers = workers
        resampleCount = resamples
        models = try store.models(dataset: dataset.id)
        samples = try store.samples(dataset: dataset.id)
        positions = Dictionary(uniqueKeysWithValues: samples.enumerated().map { ($1.id, $0) })
        noneID = models.first { $0.kind == .none }?.id ?? -1
        centreID = methods.first { $0.identifier == "centre" }?.id
        // An image cannot be mistaken for a patient of the same name.
        patients = samples.map { $0.patient.map { "patient \($0)" } ?? "image \($0.name)" }
        controlModels = Set(models.filter { $0.kind == .none || $0.kind == .randomWeights }.map(\.id))
        controlMethods = Set(methods.filter(\.isControl).map(\.id))
    }

    func isControl(_ model: Int, _ method: Int) -> Bool { controlModels.contains(model) || controlMethods.contains(method) }

    /// The cells that methods are compared with: the controls, then methods under random weights.
    func controlKeys(_ keys: [MetricScores.Key]) -> [MetricScores.Key] { keys.filter { isControl($0.model, $0.method) } }

    /// The patients of some images, by position, and the resamples over them.
    func clusters(of positions: [Int]) throws -> (Clusters, ClusterResamples) {
        let clusters: Clusters
        if let known = clustersBySamples[positions] {
            clusters = known
        } else {
            clusters = Clusters(positions.map { patients[$0] })
            clustersBySamples[positions] = clusters
        }
        if let known = resamplesByCount[clusters.count] { return (clusters, known) }
        let resamples = try ClusterResamples(clusters: clusters.count, count: resampleCount, seed: seed, workers: workers)
        // The draws of the largest number of patients are the ones asked for again and again.
        if resamplesByCount.count >= 4 { resamplesByCount.removeAll() }
        resamplesByCount[clusters.count] = resamples
        return (clusters, resamples)
    }
}
