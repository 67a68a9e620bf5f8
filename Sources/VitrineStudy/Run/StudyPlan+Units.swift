import VitrineEvaluate
import VitrineExplain
import VitrineImage
import VitrineModel

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

    /// All metrics of one map under all protocols.
    ///
    /// - Parameter item: names image and model; with the method it keys the permutations.
    func scores(of map: HeatMap, methodID: Int, on mask: ScoredMask, _ evaluator: Evaluator, item: String) throws -> [ScoreRecord] {
        let scores = try evaluator.scores(of: ScoredMap(map), on: mask, item: "\(item)/\(file.methods[methodID].name)")
        return scores.enumerated().map { metricID, score in
            ScoreRecord(
                methodID: methodID, metricID: metricID, value: score.value, chance: score.chance, ceiling: score.ceiling,
                status: score.status.rawValue, chanceSource: score.chanceSource?.rawValue, chanceError: score.chanceStandardError)
        }
    }

    /// What differs between this study and the one that a store belongs to, in words.
    func differences(from stored: Store) throws(StoreError) -> [String] {
        guard try stored.study(StudyKey.fingerprint) != file.fingerprint else {
            if try stored.study(StudyKey.training) != store.study[StudyKey.training] {
                let then = Set(try (stored.study(StudyKey.training) ?? "").split(separator: "\n"))
                let new = (store.study[StudyKey.training] ?? "").split(separator: "\n").filter { !then.contains($0) }
                return ["its models are trained otherwise: " + (new.first.map { "now '\($0)'" } ?? "fields were removed")]
            }
            // The same study file; the data sets may have gained or lost images.
            guard try stored.samples() != store.samples else { return [] }
            return ["the images of its data sets are others: \(try stored.samples().count) then, \(store.samples.count) now"]
        }
        let then = Set(try (stored.study(StudyKey.resolved) ?? "").split(separator: "\n").map(String.init))
        let now = file.fingerprintLines
        let new = now.filter { !then.contains($0) }.map { $0.drop { $0 == " " } }
        return new.isEmpty ? ["entries were removed or reordered"] : new.prefix(3).map { "now '\($0)'" }
    }
}

extension UnitRecord {
    init(modelID: Int, sampleID: Int, maskStatus: MaskStatus, mask: Mask?, height: Int, width: Int) {
        self.init(
            modelID: modelID, sampleID: sampleID, maskStatus: maskStatus, maskArea: mask?.area,
            maskComponents: mask?.components(.four).count, height: height, width: width)
    }
}

extension UnitResult {
    /// Logits in the model's order; the predicted class and the probabilities in the data set's.
    mutating func addPrediction(_ result: ImageExplanations, of model: StudyLoadedModel) {
        guard !result.logits.isEmpty else { return }
        let (probabilities, predicted) = model.order.decision(result.logits, model.model.configuration)
        prediction = PredictionRecord(
            modelID: unit.modelID, sampleID: unit.sampleID, target: result.explanations.isEmpty ? nil : result.target?.description,
            predicted: predicted, logits: result.logits, probabilities: probabilities)
    }

    mutating func addMaps(_ result: ImageExplanations, methods: [Int]) {
        for explanation in result.explanations {
            let methodID = methods[explanation.index]
            maps.append(Map(methodID: methodID, map: explanation.map, keepsValues: true))
            for (name, values) in explanation.notes.sorted(by: { $0.key < $1.key }) {
                notes.append(
                    NoteRecord(modelID: unit.modelID, methodID: methodID, name: name, sampleID: unit.sampleID, values: values))
            }
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
