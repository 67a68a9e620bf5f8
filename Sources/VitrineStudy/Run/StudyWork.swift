import VitrineData
import VitrineStore

/// What a store lacks of one image under one model.
public struct StudyWork: Sendable, Equatable {
    public var modelID: Int
    public var sampleID: Int
    /// Methods whose maps are to be made.
    public var methods: [Int] = []
    /// Metrics that maps in the store have no score of, by method.
    public var scores: [Int: [Int]] = [:]
    /// Whether the model has to look at the image; what is only to be scored needs no model.
    public var asksModel = false
}

extension StudyPlan {
    /// What is left to be done, in the order of the plan.
    ///
    /// It is found from the store alone: what it knows of images, masks and checkpoints is taken for granted.
    public func missing(in store: Store, shard: StudyShard = .whole) throws(StoreError) -> [StudyWork] {
        var work: [StudyWork] = []
        for model in self.store.models { work += try missing(model, among: samples(of: model, shard: shard), in: store) }
        return work
    }

    /// The images of a shard under a model; explained ones first, then those only classified.
    func samples(of model: ModelRecord, shard: StudyShard) -> [Int] {
        let source = sources[model.datasetID]
        let all = source.ids(.score) + (model.kind == .none ? [] : source.ids(.predict))
        return all.indices.filter { $0 % shard.count == shard.index - 1 }.map { all[$0] }
    }

    func missing(_ model: ModelRecord, among samples: [Int], in store: Store) throws(StoreError) -> [StudyWork] {
        let source = sources[model.datasetID]
        let fingerprints = try StudyFingerprints(self, model, source, store: store)
        let hasPrior = try store.maskPrior(dataset: source.id) != nil
        let dataset = self.store.datasets[source.id]
        let methods = self.store.methods.filter { $0.runs(under: model, of: dataset, hasPrior: hasPrior) }.map(\.id)
        let metrics = self.store.metrics.map(\.id)
        // Where there is no model, metrics that ask it say so at once.
        let asking = model.kind == .none ? [] : askingMetrics
        let units = Dictionary(try store.units(model: model.id).map { ($0.sampleID, $0) }) { $1 }
        let maps = try store.mapStates(model: model.id)
        let counts = try store.scoreCounts(model: model.id)
        var work: [StudyWork] = []
        for sample in samples {
            var lacking = StudyWork(modelID: model.id, sampleID: sample)
            let unit = units[sample]
            lacking.asksModel = unit?.fingerprint == nil || unit?.fingerprint != fingerprints.unit(sample)
            var isScoredAnew = false
            if source.roles[sample - source.firstSample] == .score {
                for method in methods {
                    let key = MapKey(method: method, sample: sample)
                    guard let map = maps[key], map.fingerprint == fingerprints.map(sample, method) else {
                        lacking.methods.append(method)
                        continue
                    }
                    if map.scored != fingerprints.scored(sample, method) {
                        lacking.scores[method] = metrics
                    } else if counts[key, default: 0] < metrics.count {
                        let known = try store.scoredMetrics(model: model.id, method: method, sample: sample)
                        lacking.scores[method] = metrics.filter { !known.contains($0) }
                    }
                }
                isScoredAnew = unit?.maskDigest != fingerprints.mask(sample)
            }
            let asks = lacking.scores.values.contains { !asking.isDisjoint(with: $0) }
            if !lacking.methods.isEmpty || asks { lacking.asksModel = true }
            if lacking.asksModel || !lacking.scores.isEmpty || isScoredAnew { work.append(lacking) }
        }
        return work
    }
}
