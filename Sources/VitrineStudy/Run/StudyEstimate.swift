import VitrineEvaluate
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineStore
import VitrineTensor
import VitrineTrain

/// How large a study is and how long it may take, from one image per data set: in processor time, since what else the machine does
/// while this is measured says nothing of the study.
public struct StudyEstimate: Sendable, Equatable {
    /// One data set.
    public struct Part: Sendable, Equatable {
        public var dataset: String
        /// Images explained and scored, and images only classified.
        public var scored: Int
        public var predicted: Int
        public var models: Int
        /// Seconds of one worker for one explained image under one model; nil when no model could be loaded.
        public var secondsPerExplained: Double?
        public var secondsPerPredicted: Double?
        /// Seconds of one worker for the controls of one image.
        public var secondsPerControls: Double?

        /// Seconds of one worker for the whole data set; what could not be measured counts as nothing.
        public var seconds: Double {
            Double(scored) * (secondsPerControls ?? 0)
                + Double(models) * (Double(scored) * (secondsPerExplained ?? 0) + Double(predicted) * (secondsPerPredicted ?? 0))
        }
    }

    /// One model that is to be trained first.
    public struct Training: Sendable, Equatable {
        public var dataset: String
        public var model: String
        public var recipe: String
        /// The checkpoint it starts from, or `scratch`.
        public var start: String
        public var trainingImages: Int
        public var validationImages: Int
        /// At most; it may stop early.
        public var epochs: Int
        /// Whether it stands finished below the results already.
        public var isFinished: Bool
        /// Seconds of one worker for a training image and for a validation image; nil when the model to start from does not load.
        public var secondsPerTraining: Double?
        public var secondsPerValidation: Double?

        /// Seconds of one worker for all epochs; nothing for what could not be measured or is finished.
        public var seconds: Double {
            guard !isFinished, let secondsPerTraining, let secondsPerValidation else { return 0 }
            return Double(epochs) * (Double(trainingImages) * secondsPerTraining + Double(validationImages) * secondsPerValidation)
        }
    }

    public var parts: [Part]
    /// In the order of the plan.
    public var trainings: [Training]
    /// Of all scores, both protocols.
    public var scores: Int
    /// Bytes of the maps that are stored; nil when no model could be loaded.
    public var mapBytes: Int?

    /// Units of the study: images under models, and images under controls.
    public var units: Int { parts.reduce(0) { $0 + $1.scored + $1.models * ($1.scored + $1.predicted) } }
    public var seconds: Double { parts.reduce(0) { $0 + $1.seconds } + trainingSeconds }
    /// Seconds of one worker for all trainings; every shard waits for them, so that they are not divided by the shards.
    public var trainingSeconds: Double { trainings.reduce(0) { $0 + $1.seconds } }
}

extension StudyPlan {
    /// Runs one image of each data set under its first model that loads, and under the controls; a model that is yet to be trained is
    /// stood in for by the one that its training starts from, and takes one step on one image.
    ///
    /// - Throws: nothing that a run would record; what cannot be measured is left out.
    public func estimate() throws -> StudyEstimate {
        let evaluator = try evaluator()
        let methodCount = file.methods.count { !$0.isControl }
        var estimate = StudyEstimate(parts: [], trainings: [], scores: 0, mapBytes: nil)
        for source in sources {
            let models = store.models.filter { $0.datasetID == source.id && $0.kind != .none }
            let (scored, predicted) = (source.ids(.score), source.ids(.predict))
            var part = StudyEstimate.Part(
                dataset: source.settings.name, scored: scored.count, predicted: predicted.count, models: models.count)
            let controls = file.methods.count { $0.isControl && (source.hasImages || !$0.needsImage) }
            estimate.scores += scored.count * (controls + models.count * methodCount) * store.metrics.count
            part.secondsPerControls = measureControls(source, scored, evaluator)
            if let loaded = models.lazy.compactMap({ loadOrStandIn($0, source) }).first {
                let measured = measure(loaded, source, scored, evaluator)
                part.secondsPerExplained = measured?.explained
                part.secondsPerPredicted = measured?.predicted
                if let measured { estimate.mapBytes = (estimate.mapBytes ?? 0) + measured.mapBytes * scored.count * models.count }
            }
            estimate.parts.append(part)
            for model in models {
                guard let training = trainings[model.path], let entry = entry(model) else { continue }
                estimate.trainings.append(measure(training, entry, model, dataset: source.settings.name))
            }
        }
        return estimate
    }

    /// A model, or the one it is going to be trained from; nil when it does not load.
    private func loadOrStandIn(_ record: ModelRecord, _ source: DatasetSource) -> StudyLoadedModel? {
        if let loaded = try? load(record, of: source, results: output) { return loaded }
        guard let training = trainings[record.path], let entry = entry(record), let model = try? training.startingModel(entry),
            let size = training.preprocess.size, size % model.configuration.patchSize == 0
        else { return nil }
        let sides = size / model.configuration.patchSize
        return StudyLoadedModel(
            model: model.withPositionGrid(PatchGrid(rows: sides, columns: sides)), preprocess: training.preprocess,
            record: CheckpointRecord(
                modelID: record.id, sha256: "", family: "", parameters: 0, classes: model.configuration.classes, architecture: "",
                preprocess: training.preprocess.description, notes: []),
            order: .byIndex(count: model.configuration.classes))
    }

    private func measure(
        _ training: PlannedTraining, _ entry: StudyModel, _ record: ModelRecord, dataset: String
    ) -> StudyEstimate.Training {
        var result = StudyEstimate.Training(
            dataset: dataset, model: record.name, recipe: training.recipe.name, start: training.recipe.initialisation,
            trainingImages: training.set.training.count, validationImages: training.set.validation.count, epochs: training.recipe.epochs,
            isFinished: (try? StudyTrainer(plan: self, results: output).isFinished(record)) == true)
        guard !result.isFinished, let loaded = loadOrStandIn(record, sources[record.datasetID]),
            let sample = training.set.training.first, let image = try? Image(contentsOf: sample.imagePath),
            let pixels = try? training.preprocess(image), let size = training.preprocess.size
        else { return result }
        let images = pixels.reshaped([1, 3, size, size])
        let workspace = Workspace()
        var gradients = WeightGradients(like: loaded.model)
        // A linear probe runs the blocks once and the head ever after; its epochs are next to nothing.
        let steps = training.recipe.isLinearProbe ? 1 / Double(training.recipe.epochs) : 1
        for _ in 0..<2 {
            var clock = Stopwatch(.processor)
            guard (try? loaded.model(images, workspace: workspace)) != nil else { return result }
            result.secondsPerValidation = steps * clock.lap()
            _ = try? loaded.model.weightGradient(
                of: images, frozenBlocks: training.recipe.frozenBlocks, into: &gradients, workspace: workspace
            ) { Tensor($0.shape) }
            result.secondsPerTraining = training.recipe.isLinearProbe ? result.secondsPerValidation : clock.lap()
        }
        return result
    }

    private func measure(
        _ loaded: StudyLoadedModel, _ source: DatasetSource, _ ids: [Int], _ evaluator: Evaluator
    ) -> (explained: Double, predicted: Double, mapBytes: Int)? {
        let methods = file.methods.compactMap { method in
            if case .explainer(let explainer) = method, !method.isControl { explainer } else { nil }
        }
        guard let explaining = try? ExplanationPlan(model: loaded.model, methods: methods, seed: file.seed),
            let predicting = try? ExplanationPlan(model: loaded.model, methods: [], seed: file.seed)
        else { return nil }
        let workspace = Workspace()
        // The first image also pays for touching the weights, so the second one is measured.
        var warm = false
        for id in ids.prefix(8) {
            var clock = Stopwatch(.processor)
            guard let input = try? input(id, of: source, preprocess: loaded.preprocess),
                (try? explaining.checkMemory(of: input.pixels.shape)) != nil
            else { continue }
            let prepare = clock.lap()
            let subject = PreparedImage(
                name: imageName(id, source), pixels: input.pixels, target: target(id, source), scale: loaded.preprocess.scale)
            guard (try? predicting.explain([subject], workspace: workspace)) != nil else { return nil }
            let predicted = clock.lap()
            guard let result = try? explaining.explain([subject], workspace: workspace).first else { return nil }
            if !warm && ids.count > 1 {
                warm = true
                continue
            }
            _ = clock.lap()
            guard (try? explaining.explain([subject], workspace: workspace)) != nil else { return nil }
            let explain = clock.lap() * Double(1 + file.stabilityDraws)
            let scored = input.mask.map { ScoredMask($0) }
            var questioned: QuestionedImage?
            if evaluator.needsWitness && loaded.model.head != nil {
                let networks = RandomisedNetworks(loaded.model, seed: file.seed)
                // Their weights are drawn once for all images.
                if evaluator.entries.contains(where: { type(of: $0.metric).facts.family == .randomisation }) {
                    _ = networks.network(0..<networks.layers, draw: 0)
                    _ = clock.lap()
                }
                questioned = try? QuestionedImage(
                    subject, scale: loaded.preprocess.scale, model: loaded.model, networks: networks, seed: file.seed,
                    methodSeed: file.seed, workspace: workspace)
            }
            for explanation in result.explanations {
                _ = try? scores(
                    of: explanation.map, methodID: explanation.index, on: scored, evaluator, questioned: questioned, item: "estimate")
            }
            let bytes = result.explanations.reduce(0) { $0 + 4 * $1.map.values.count }
            return (prepare + explain + clock.lap(), prepare + predicted, bytes)
        }
        return nil
    }

    private func measureControls(_ source: DatasetSource, _ ids: [Int], _ evaluator: Evaluator) -> Double? {
        let controls = file.methods.indices.filter { file.methods[$0].isControl && (source.hasImages || !file.methods[$0].needsImage) }
        guard !controls.isEmpty else { return 0 }
        for id in ids.prefix(8) {
            var clock = Stopwatch(.processor)
            guard let input = try? input(id, of: source, preprocess: source.preprocess) else { continue }
            let scored = input.mask.map { ScoredMask($0) }
            for methodID in controls {
                guard let map = controlMap(methodID, id, source, input) else { continue }
                _ = try? scores(of: map, methodID: methodID, on: scored, evaluator, item: "estimate")
            }
            return clock.lap()
        }
        return nil
    }
}
