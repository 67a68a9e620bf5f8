/// How far a study is; a unit is one image under one model.
public struct StudyProgress: Sendable, Equatable {
    /// One model of one data set.
    public struct Model: Sendable, Equatable {
        public var datasetID: Int
        public var modelID: Int
        public var total: Int
        public var done: Int
        /// Units that were tried and failed.
        public var failed: Int
    }

    /// In the order of the plan.
    public var models: [Model]

    package init(models: [Model]) { self.models = models }

    public var total: Int { models.reduce(0) { $0 + $1.total } }
    public var done: Int { models.reduce(0) { $0 + $1.done } }
    public var failed: Int { models.reduce(0) { $0 + $1.failed } }
    public var isComplete: Bool { done + failed == total }
}

/// One image under one model.
package struct UnitState {
    package enum State {
        case open
        case done
        case failed
    }

    package var model: Int
    package var sample: Int
    package var state: State
}

extension Store {
    /// Counts finished and failed units.
    ///
    /// A unit is finished when every method of the plan that runs there has every score of the plan; it failed when its image or mask failed,
    /// when its model did not load, or when the network or a method refused the image. Controls run on samples to be scored only.
    public func progress() throws(StoreError) -> StudyProgress {
        let units = Dictionary(grouping: try unitStates(), by: \.model)
        return StudyProgress(
            models: try models().map { model in
                let own = units[model.id] ?? []
                return StudyProgress.Model(
                    datasetID: model.datasetID, modelID: model.id, total: own.count, done: own.count { $0.state == .done },
                    failed: own.count { $0.state == .failed })
            })
    }

    /// Every unit of the plan.
    package func unitStates() throws(StoreError) -> [UnitState] {
        let (datasets, methods, metrics) = (try datasets(), try methods(), try metrics())
        let samples = Dictionary(grouping: try samples(), by: \.datasetID)
        let failures = Dictionary(grouping: try failures().filter { $0.stage != .training }, by: \.datasetID)
        var states: [UnitState] = []
        for model in try models() {
            guard let dataset = datasets.first(where: { $0.id == model.datasetID }) else { continue }
            let hasPrior = try maskPrior(dataset: dataset.id) != nil
            let run = methods.filter { $0.runs(under: model, of: dataset, hasPrior: hasPrior) }
            var scores: [Int: Int] = [:]
            for (map, count) in try scoreCounts(model: model.id) { scores[map.sample, default: 0] += count }
            let units = Set(try units(model: model.id).map(\.sampleID))
            let failed = (failures[dataset.id] ?? []).filter { $0.modelID == nil || $0.modelID == model.id }
            let failedSamples = Set(failed.compactMap(\.sampleID))
            let isFailed = failed.contains { $0.sampleID == nil && $0.stage != .prior }
            for sample in samples[dataset.id] ?? [] where model.kind != .none || sample.role == .score {
                var unit = UnitState(model: model.id, sample: sample.id, state: .open)
                let wanted = sample.role == .score ? run.count * metrics.count : 0
                if units.contains(sample.id) && scores[sample.id, default: 0] >= wanted {
                    unit.state = .done
                } else if isFailed || failedSamples.contains(sample.id) {
                    unit.state = .failed
                }
                states.append(unit)
            }
        }
        return states
    }
}

extension MethodRecord {
    /// Whether a method has maps under a model: methods under models, controls under the pseudo-model.
    package func runs(under model: ModelRecord, of dataset: DatasetRecord, hasPrior: Bool) -> Bool {
        guard model.kind == .none else { return !isControl }
        return isControl && (dataset.hasImages || !needsImage) && (hasPrior || identifier != Self.maskPrior)
    }

    /// Whether it looks at the pixels of the image, which masks alone do not have.
    public var needsImage: Bool { !isControl || identifier == "edge" }

    /// The control that a study makes from all masks.
    public static let maskPrior = "mask-prior"
}
