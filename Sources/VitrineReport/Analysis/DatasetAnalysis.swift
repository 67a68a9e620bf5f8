import VitrineEvaluate
import VitrineStore

/// Everything a report says about one data set.
public struct DatasetAnalysis: Sendable, Equatable {
    /// Whether the metrics rank the methods of one model alike.
    public struct Agreement: Sendable, Equatable {
        public var modelID: Int
        public var metricIDs: [Int]
        public var agreement: RankAgreement
    }

    public var dataset: DatasetRecord
    /// The pseudo-model `none` first.
    public var models: [ModelRecord]
    /// Images to be scored, those only classified, and patients among the former; nil where no patient is known.
    public var scored: Int
    public var predicted: Int
    public var patients: Int?
    public var masks: MaskAnalysis
    /// In the order of the metrics of the study, the protocols of each side by side.
    public var metrics: [MetricAnalysis]
    public var predictions: [PredictionAnalysis]
    /// Model by model, metric by metric.
    public var curves: [CurveAnalysis]
    /// Under the study's primary metric.
    public var strata: [StrataAnalysis]
    public var agreements: [Agreement]
    /// Before their p-values are adjusted: `StudyAnalysis.verdicts` are the decided ones.
    var verdicts: [MethodVerdict]
    /// Of trained models.
    public var families: [FamilyAgreement]
    public var stabilities: [StabilityAnalysis]
    public var signs: [SignAnalysis]
    /// Of each Grad-CAM variant with plain Grad-CAM, and of Chefer's relevance with its stabilised form.
    public var mapAgreements: [MapAgreement]

    public func metric(_ name: String, _ rules: String) -> MetricAnalysis? {
        metrics.first { $0.metric.name == name && $0.metric.protocolName == rules }
    }

    public func model(_ id: Int) -> ModelRecord? { models.first { $0.id == id } }

    /// Models that were trained: what the tables have columns for.
    public var columns: [ModelRecord] { models.filter { $0.kind != .none } }

    init(_ context: DatasetContext, store: Store, metrics records: [MetricRecord], primary: Int, shared: Shared) throws {
        dataset = context.dataset
        models = context.models
        let own = context.samples.filter { $0.role == .score }
        scored = own.count
        predicted = context.samples.count - own.count
        patients = own.contains { $0.patient != nil } ? Set(own.map { $0.patient ?? "/\($0.name)" }).count : nil
        let names = Dictionary(uniqueKeysWithValues: context.samples.map { ($0.id, $0.name) })
        masks = MaskAnalysis(try store.masks(dataset: dataset.id), names: names)

        let modelIDs = Set(models.map(\.id))
        let columns = models.filter { $0.kind != .none }
        var (metrics, strata): ([MetricAnalysis], [StrataAnalysis]) = ([], [])
        var judged = try VerdictScores(context, store: store, stabilities: shared.stabilities)
        var rows: [Int: [(metric: Int, ratios: [MetricScores.Key: (samples: [Int], values: [Double])])]] = [:]
        for record in records {
            let scores = try MetricScores(record, store: store, models: models, methods: context.methods, positions: context.positions)
            metrics.append(try MetricAnalysis(scores, context: context))
            judged.add(scores, rules: shared.agreementProtocol)
            if record.id == primary {
                for model in columns where model.kind != .randomWeights {
                    let facts = try StrataAnalysis.Facts(model, store: store, context: context)
                    strata += try StrataAnalysis.all(scores.columns.keys.sorted().filter { $0.model == model.id }, scores, facts, context)
                }
            }
            guard record.protocolName == shared.agreementProtocol, let sign = record.better.sign else { continue }
            for model in columns {
                let keys = scores.columns.keys.filter { $0.model == model.id }
                var entry: [MetricScores.Key: (samples: [Int], values: [Double])] = [:]
                for key in keys { entry[key] = scores.columns[key].map { ($0.samples, $0.values.map { sign * $0 }) } }
                rows[model.id, default: []].append((record.id, entry))
            }
        }
        (self.metrics, self.strata) = (metrics, strata)
        agreements = try columns.compactMap { try Self.agreement($0.id, rows[$0.id] ?? [], context) }
        verdicts = try VerdictAnalysis(judged).verdicts()
        families = try columns.filter { $0.kind != .randomWeights }.compactMap { try FamilyAgreement(judged, model: $0.id) }
        predictions = try columns.compactMap { try PredictionAnalysis($0, store: store, context: context) }
        curves = try columns.flatMap { model in
            try records.compactMap { try CurveAnalysis($0, model: model, store: store, context: context) }
        }
        stabilities = StabilityAnalysis.all(shared.stabilities.filter { modelIDs.contains($0.modelID) })
        signs = SignAnalysis.all(shared.signs.filter { modelIDs.contains($0.modelID) })
        mapAgreements = try columns.flatMap { model in
            try Self.comparedMaps(context.methods).compactMap {
                try MapAgreement(model.id, $0.0, $0.1, samples: own.map(\.id), store: store)
            }
        }
    }

    /// What is read once for all data sets.
    struct Shared {
        let stabilities: [StabilityRecord]
        let signs: [NoteRecord]
        /// The protocol whose metrics are compared: `corrected` where it was asked for.
        let agreementProtocol: String
    }

    /// Pairs of methods whose maps would be alike if the choice between them did not matter.
    private static func comparedMaps(_ methods: [MethodRecord]) -> [(Int, Int)] {
        func ids(_ identifier: String) -> [Int] { methods.filter { $0.identifier == identifier }.map(\.id) }
        let variants = ["gradcam-augmented", "gradcam-eigen", "gradcam-study"].flatMap(ids)
        let plain = ids("gradcam").first.map { plain in variants.map { ($0, plain) } } ?? []
        let stable = ids("chefer").first.map { chefer in ids("chefer-stable").map { (chefer, $0) } } ?? []
        return plain + stable
    }

    private static func agreement(
        _ model: Int, _ rows: [(metric: Int, ratios: [MetricScores.Key: (samples: [Int], values: [Double])])], _ context: DatasetContext
    ) throws -> Agreement? {
        guard rows.count >= 2, let all = rows.first?.ratios.keys.sorted(), rows.allSatisfy({ $0.ratios.count == all.count }) else {
            return nil
        }
        // A method that a metric is undefined for on every image has no place in any order.
        let keys = all.filter { key in rows.allSatisfy { !($0.ratios[key]?.samples.isEmpty ?? true) } }
        guard keys.count >= 2 else { return nil }
        let columns = rows.flatMap { row in keys.compactMap { row.ratios[$0]?.samples } }
        guard var shared = columns.first else { return nil }
        for samples in columns where samples != shared {
            let members = Set(samples)
            shared = shared.filter(members.contains)
        }
        guard !shared.isEmpty else { return nil }
        let (clusters, resamples) = try context.clusters(of: shared)
        guard clusters.count >= 2 else { return nil }
        let ratios = try rows.map { row in
            try keys.map { key in
                let (samples, values) = row.ratios[key]!
                var kept = values
                if samples != shared {
                    let members = Set(shared)
                    kept = zip(samples, values).filter { members.contains($0.0) }.map(\.1)
                }
                return try ClusterRatio.mean(kept, clusters: clusters)
            }
        }
        return Agreement(modelID: model, metricIDs: rows.map(\.metric), agreement: try RankAgreement(ratios, resamples: resamples))
    }
}
