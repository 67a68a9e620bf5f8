import VitrineEvaluate
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineStore

extension StudyPlan {
    /// Names an image in every random draw.
    func imageName(_ id: Int, _ source: DatasetSource) -> String { "\(source.settings.name)/\(source.sample(id).id)" }

    /// What is explained about an image.
    func target(_ id: Int, _ source: DatasetSource) -> TargetChoice {
        // A data set without labels shows lesions only; class 1 is the lesion in every two-class model of the study.
        let positive = source.positiveLabel ?? 1
        switch file.target {
        case .positive: return .fixed(.logit(positive))
        case .predicted: return .predicted
        case .label: return .fixed(.logit(source.sample(id).label ?? positive))
        case .index(let index): return .fixed(.logit(index))
        }
    }

    /// The map of a control that needs no other mask than those already counted; nil for `mask-prior` and for methods.
    func controlMap(_ methodID: Int, _ id: Int, _ source: DatasetSource, _ input: StudyInput) -> HeatMap? {
        guard case .explainer(let control) = file.methods[methodID] else { return nil }
        let grid = PatchGrid(rows: min(file.controlGrid, input.height), columns: min(file.controlGrid, input.width))
        return control.controlMap(of: input.pixels, grid: grid, name: imageName(id, source), seed: file.seed)
    }

    /// All metrics under all protocols; their order is that of the store's metrics.
    func evaluator() throws(MetricError) -> Evaluator {
        try Evaluator(file.metrics, protocols: file.protocols, seed: file.seed, permutations: file.permutations)
    }

    /// Places of the metrics that ask the model.
    var askingMetrics: Set<Int> {
        guard let evaluator = try? evaluator() else { return [] }
        return Set(evaluator.entries.indices.filter { evaluator.entries[$0].metric is any ModelMetric })
    }

    /// A mask as metrics see it, with the mean of the other patients' masks where one of them asks for it.
    func scoredMask(_ mask: Mask, _ id: Int, _ prior: MaskPrior?) -> ScoredMask {
        guard let others = prior?.map(without: id, mask: mask), others.height == mask.height, others.width == mask.width else {
            return ScoredMask(mask)
        }
        return ScoredMask(mask, others: others.values)
    }

    /// Metrics of one map; a score does not depend on what else is computed with it.
    ///
    /// - Parameters:
    ///   - wanted: places of the metrics; nil is all.
    ///   - mask: nil where the data set has none.
    ///   - questioned: the image under the model behind the map, for metrics that ask it.
    ///   - item: names image and model; with the method it keys the permutations.
    func scores(
        of map: HeatMap, methodID: Int, metrics wanted: [Int]? = nil, on mask: ScoredMask?, _ evaluator: Evaluator,
        questioned: QuestionedImage? = nil, item: String
    ) throws -> [ScoreRecord] {
        let places = wanted ?? Array(evaluator.entries.indices)
        let some = Evaluator(
            places.map { evaluator.entries[$0] }, seed: evaluator.seed, permutations: evaluator.permutations, controls: evaluator.controls)
        var method: ConfiguredMethod?
        if case .explainer(let explainer) = file.methods[methodID] { method = explainer }
        let scores = try some.scores(
            of: ScoredMap(map), on: mask, witness: questioned?.witness(of: method), item: "\(item)/\(file.methods[methodID].name)")
        return zip(places, scores).map { metricID, score in
            ScoreRecord(
                methodID: methodID, metricID: metricID, value: score.value, chance: score.chance, ceiling: score.ceiling,
                status: score.status.rawValue, chanceSource: score.chanceSource?.rawValue, chanceError: score.chanceStandardError,
                reason: score.reason, curve: score.curve, chanceCurve: score.chanceCurve)
        }
    }

    /// What keeps this study from going on with the results of a store, in words; empty when nothing does.
    ///
    /// Methods, metrics, protocols, models and data sets may come and go: a store keeps what was computed under their names. What every
    /// result depends on may not change, nor may the images of a data set be others altogether.
    func differences(from stored: Store) throws(StoreError) -> [String] {
        let then = Set(try (stored.study(StudyKey.resolved) ?? "").split(separator: "\n").map(String.init))
        let now = file.commonLines.filter { !then.contains($0) }
        guard now.isEmpty else { return now.map { "now '\($0)'" } }
        let trained = try Self.fields(stored.study(StudyKey.training))
        for (name, value) in Self.fields(store.study[StudyKey.training]).sorted(by: { $0.key < $1.key }) {
            guard let before = trained[name], before != value else { continue }
            return ["its models are trained otherwise: now '\(name): \(value)'"]
        }
        let datasets = try stored.datasets()
        guard datasets.contains(where: { dataset in store.datasets.contains { $0.name == dataset.name } }) else {
            let names = (datasets.map(\.name).joined(separator: ", "), store.datasets.map(\.name).joined(separator: ", "))
            return ["its data sets are others: \(names.0) then, \(names.1) now"]
        }
        for dataset in store.datasets {
            guard let before = datasets.first(where: { $0.name == dataset.name }) else { continue }
            let old = try stored.samples(dataset: before.id).map(\.name)
            let new = store.samples.filter { $0.datasetID == dataset.id }.map(\.name)
            if Set(old).isDisjoint(with: new) {
                return ["the images of data set '\(dataset.name)' are others: '\(old.first ?? "")' then, '\(new.first ?? "")' now"]
            }
        }
        return []
    }

    /// Fields of trainings by model and name.
    private static func fields(_ text: String?) -> [String: String] {
        var fields: [String: String] = [:]
        for line in (text ?? "").split(separator: "\n") {
            guard let colon = line.range(of: ": ") else { continue }
            fields[String(line[..<colon.lowerBound])] = String(line[colon.upperBound...])
        }
        return fields
    }
}

extension UnitRecord {
    init(modelID: Int, sampleID: Int, input: StudyInput, fingerprint: String?) {
        self.init(
            modelID: modelID, sampleID: sampleID, maskStatus: input.mask == nil ? .notScored : .scored, maskArea: input.mask?.area,
            maskComponents: input.mask?.components(.four).count, height: input.height, width: input.width, fingerprint: fingerprint,
            maskDigest: input.maskDigest)
    }
}

extension UnitResult {
    /// Logits in the model's order; the predicted class and the probabilities in the data set's.
    ///
    /// - Parameter isAsked: metrics ask about maps that were explained before, so that the target stays.
    mutating func addPrediction(_ result: ImageExplanations, of model: StudyLoadedModel, isAsked: Bool) {
        guard !result.logits.isEmpty else { return }
        let (probabilities, predicted) = model.order.decision(result.logits, model.model.configuration)
        prediction = PredictionRecord(
            modelID: unit.modelID, sampleID: unit.sampleID,
            target: result.explanations.isEmpty && !isAsked ? nil : result.target?.description,
            predicted: predicted, logits: result.logits, probabilities: probabilities)
    }

    mutating func addMaps(_ result: ImageExplanations, methods: [Int]) {
        for explanation in result.explanations {
            let methodID = methods[explanation.index]
            maps.append(Map(methodID: methodID, map: explanation.map, keepsValues: true, errors: explanation.error?.values))
            for (name, values) in explanation.notes.sorted(by: { $0.key < $1.key }) {
                notes.append(
                    NoteRecord(modelID: unit.modelID, methodID: methodID, name: name, sampleID: unit.sampleID, values: values))
            }
        }
    }

    /// Methods that could not serve this image; the next run asks them again.
    mutating func addFailures(_ result: ImageExplanations, methods: [Int], dataset: Int) {
        failures += result.failures.map { failure in
            FailureRecord(
                datasetID: dataset, sampleID: unit.sampleID, modelID: unit.modelID, methodID: methods[failure.index], stage: .explain,
                message: "\(failure.method): \(failure.message)")
        }
    }

    mutating func addStabilities(_ results: [Int: Stability], methods: [Int]) {
        stabilities = results.sorted { $0.key < $1.key }.map { m, result in
            StabilityRecord(
                modelID: unit.modelID, methodID: methods[m], sampleID: unit.sampleID, draws: result.draws,
                pearsonMean: result.pearsonMean, pearsonMinimum: result.pearsonMinimum, spearmanMean: result.spearmanMean,
                spearmanMinimum: result.spearmanMinimum)
        }
    }
}
