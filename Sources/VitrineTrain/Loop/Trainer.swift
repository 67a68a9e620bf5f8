import Dispatch
import Foundation
import VitrineData
import VitrineModel
import VitrineTensor

/// What a run does besides training: files, interruptions, news.
public struct TrainingOptions: Sendable {
    /// Folder of the results; made where it does not exist.
    public var output: String
    public var workers = 1
    /// Whether to go on with the run that the folder holds; without one the run starts from its beginning.
    public var resumes = false
    /// Minutes between checkpoints inside an epoch.
    public var checkpointMinutes = 10.0
    /// Whether `model.pth` is written beside `model.safetensors`.
    public var writesPyTorch = false
    /// Text stored in the model's metadata, by key; must be the same when the run is resumed.
    public var metadata: [String: String] = [:]
    /// Where the weights come from, what of a checkpoint was taken and what was not: lines of the report.
    public var initialisation: [String] = []
    /// The lock of the folder (`Trainer.lockName`), where the caller holds it already; else the trainer takes it.
    public var lock: FileLock?
    var isStopped: @Sendable () -> Bool = { false }
    var progress: @Sendable (_ images: Int) -> Void = { _ in }
    var epochEnded: @Sendable (EpochRecord) -> Void = { _ in }

    public init(output: String) { self.output = output }
}

/// How a run ended.
public struct TrainingResult: Sendable {
    /// False when it was asked to stop; `--resume` goes on.
    public let isFinished: Bool
    public let records: [EpochRecord]
    /// The epoch, from 1, whose model was kept.
    public let bestEpoch: Int?
    /// Metrics of the kept model, by split, once the run is finished.
    public let metrics: [String: ClassificationMetrics]
    /// 95 % intervals on the test split; empty without one.
    public let testIntervals: [MetricInterval]
}

/// A training run: its weights, and where it stands.
public struct Trainer {
    public static let modelName = "model.safetensors"
    public static let pyTorchName = "model.pth"
    public static let stateName = "state.safetensors"
    /// Held while a process trains in the folder: two would cut off each other's logs and checkpoints.
    public static let lockName = "lock"

    let recipe: Recipe
    let set: TrainingSet
    let store: ImageStore
    private var options: TrainingOptions
    let loss: CrossEntropy
    private var state: TrainingState

    /// - Parameters:
    ///   - model: with a head of as many classes as the data has.
    /// - Throws: `TrainingError` for a recipe that does not fit the model or the data; `FileFailure` for a folder that cannot be used;
    ///   `FileLock.Taken` while another process trains there; `MemoryShortage` where one image needs more memory than there is.
    public init(recipe: Recipe, set: TrainingSet, store: ImageStore, model: VisionTransformer, options: TrainingOptions) throws {
        self.recipe = recipe
        self.set = set
        self.store = store
        self.options = options
        let c = model.configuration
        precondition(c.classes == set.classNames.count, "the head has as many classes as the data")
        guard recipe.frozenBlocks <= c.depth else {
            throw TrainingError.badField(
                name: "freeze-blocks", value: "\(recipe.frozenBlocks)", allowed: "at most \(c.depth), the model's blocks")
        }
        guard !recipe.isLinearProbe || c.pooling != .distilled else { throw TrainingError.headCount(pooling: c.pooling.rawValue) }
        guard store.size % c.patchSize == 0 else { throw TrainingError.imageSize(size: store.size, patch: c.patchSize) }
        loss = CrossEntropy(classWeights: try recipe.classWeights.values(counts: set.counts), labelSmoothing: recipe.labelSmoothing)
        let sides = store.size / c.patchSize
        let tokens = c.prefixTokens + sides * sides
        try model.checkMemory(
            height: store.size, width: store.size, batch: BatchGradient.microBatchSize(images: recipe.batch, tokens: tokens),
            blocks: recipe.isLinearProbe ? 1 : c.depth - recipe.frozenBlocks)
        let start = model.withPositionGrid(PatchGrid(rows: sides, columns: sides))
        var position = TrainingState.Position()
        position.identity = Dictionary(uniqueKeysWithValues: RecipeField.all.map { ($0.name, $0.get(recipe)) })
        position.identity["data"] = set.fingerprint
        position.identity["classes"] = set.classNames.joined(separator: ", ")
        position.identity["architecture"] = try JSON.line(start.configuration)
        state = TrainingState(model: start, optimizer: Optimizer(recipe.optimizerSettings, for: start), position: position)
        try prepareFolder()
    }

    private func path(_ name: String) -> String { options.output + "/" + name }

    private func lockFolder() throws -> FileLock {
        try FileLock(path(Self.lockName)) { throw FileLock.Taken(path: options.output, work: "is training here", holder: $0) }
    }

    private mutating func prepareFolder() throws {
        try FileSystem.makeFolder(path(RunLog.eventFolder))
        if options.lock == nil { options.lock = try lockFolder() }
        if options.resumes {
            // What a killed run was writing.
            for name in try FileSystem.list(options.output) where name.hasSuffix(".part") { try FileSystem.remove(path(name)) }
            if FileSystem.exists(path(Self.stateName)) { try state.load(path(Self.stateName)) }
        } else if FileSystem.exists(path(Self.stateName)) || FileSystem.exists(path(Self.modelName)) {
            throw TrainingError.outputExists(folder: options.output)
        }
        try AtomicFile.write(Array(recipeText.utf8), to: path("recipe.yaml"))
    }

    /// The recipe as a file that `--config` reads.
    private var recipeText: String {
        RecipeField.all.map { field in
            let value = field.get(recipe)
            return "\(field.name): "
                + (value.allSatisfy { $0.isLetter || $0.isNumber || "._/-".contains($0) } ? value : "'\(value.replacing("'", with: "''"))'")
        }.joined(separator: "\n") + "\n"
    }

    /// Has `progress` told after every step how many images it had, and `epochEnded` after every epoch.
    public mutating func report(
        progress: @escaping @Sendable (_ images: Int) -> Void, epochEnded: @escaping @Sendable (EpochRecord) -> Void
    ) {
        options.progress = progress
        options.epochEnded = epochEnded
    }

    /// Has `isStopped` asked between micro-batches; true ends the run with a checkpoint.
    public mutating func stop(when isStopped: @escaping @Sendable () -> Bool) { options.isStopped = isStopped }

    /// Epochs that are done, and steps of the one under way; both 0 at the beginning of a run.
    public var position: (epochs: Int, steps: Int) { (state.position.epoch, state.position.step) }

    /// Training images from here to the last epoch.
    public var imagesLeft: Int {
        let p = state.position
        return p.isFinished ? 0 : (recipe.epochs - p.epoch) * set.training.count - p.images
    }

    // MARK: The loop

    /// Trains until the end, an early stop, or a request to stop.
    ///
    /// - Throws: `TrainingError.diverged`; what reading and writing throws. The last checkpoint is then intact.
    public mutating func run() throws -> TrainingResult {
        // Given back when the run ends, not when the trainer goes.
        let lock = try options.lock ?? lockFolder()
        options.lock = nil
        defer { withExtendedLifetime(lock) {} }
        let log = try RunLog(folder: options.output, bytes: state.position.logBytes)
        if !state.position.isFinished {
            do { try train(log) } catch is Interrupted {
                try checkpoint(log)
                return result(isFinished: false)
            }
        }
        return try finish()
    }

    private mutating func train(_ log: RunLog) throws {
        let gradient = BatchGradient(model: state.model, workers: options.workers)
        let features = recipe.isLinearProbe ? try probeFeatures() : nil
        var lastCheckpoint = DispatchTime.now().uptimeNanoseconds
        let steps = stepsPerEpoch
        while state.position.epoch < recipe.epochs {
            let epoch = state.position.epoch
            let order = self.order(epoch: epoch)
            while state.position.step < steps {
                let step = state.position.step
                let began = DispatchTime.now().uptimeNanoseconds
                let factor = recipe.schedule.factor(
                    epoch: epoch, step: step, stepsPerEpoch: steps, epochs: recipe.epochs, warmup: recipe.warmup)
                let batches = microBatches(order: order, step: step)
                let outcome = try self.gradient(batches, epoch: epoch, gradient: gradient, features: features)
                let stepLoss = outcome.loss / outcome.weight
                guard stepLoss.isFinite else { throw diverged(stepLoss, factor: factor) }
                let norm = gradient.withSum { state.optimizer.step(&state.model, gradients: $0, factor: factor, threads: options.workers) }
                guard norm.isFinite else { throw diverged(norm, factor: factor) }
                state.position.step += 1
                state.position.optimizerSteps += 1
                state.position.loss += outcome.loss
                state.position.weight += outcome.weight
                state.position.images += outcome.images
                state.position.correct += outcome.correct
                let now = DispatchTime.now().uptimeNanoseconds
                state.position.seconds += Double(now - began) / 1e9
                try log.step(
                    state.position.optimizerSteps, epoch: epoch + 1, loss: stepLoss, learningRate: recipe.learningRate * factor,
                    gradientNorm: norm)
                options.progress(outcome.images)
                if Double(now - lastCheckpoint) >= options.checkpointMinutes * 60e9 {
                    try checkpoint(log)
                    lastCheckpoint = DispatchTime.now().uptimeNanoseconds
                }
            }
            let isLast = try endEpoch(log, features: features)
            try checkpoint(log)
            lastCheckpoint = DispatchTime.now().uptimeNanoseconds
            options.epochEnded(state.position.records[state.position.records.count - 1])
            if isLast { break }
        }
    }

    private func diverged(_ value: Double, factor: Double) -> TrainingError {
        .diverged(
            epoch: state.position.epoch, step: state.position.step, loss: value, learningRate: recipe.learningRate * factor,
            keptEpoch: state.position.bestEpoch.map { $0 + 1 })
    }

    /// Steps of the optimiser in an epoch; the last batch and the last step may be smaller.
    var stepsPerEpoch: Int {
        let perStep = recipe.batch * recipe.accumulation
        return (set.training.count + perStep - 1) / perStep
    }

    /// The training images in the order of an epoch: a shuffle (Fisher and Yates) that depends on seed and epoch alone, of images or,
    /// where patients stay together, of patients with their images in order.
    private func order(epoch: Int) -> [Int] {
        var groups = set.groups(byPatient: recipe.keepsPatientsTogether)
        var generator = Philox(seed: recipe.seed, name: "training order", index: UInt64(epoch))
        for i in stride(from: groups.count - 1, to: 0, by: -1) { groups.swapAt(i, generator.below(i + 1)) }
        return groups.flatMap { $0 }
    }

    /// The pieces of a step, each scaled so that the gradients of its batches are averaged.
    private func microBatches(order: [Int], step: Int) -> [MicroBatch] {
        let perStep = recipe.batch * recipe.accumulation
        let range = step * perStep..<min((step + 1) * perStep, order.count)
        let batchStarts = Array(stride(from: range.lowerBound, to: range.upperBound, by: recipe.batch))
        let c = state.model.configuration
        return batchStarts.flatMap { start in
            let end = min(start + recipe.batch, range.upperBound)
            let samples = order[start..<end].map { set.training[$0] }
            let scale = 1 / (loss.denominator(samples.map { $0.label! }) * Double(batchStarts.count))
            let size =
                recipe.isLinearProbe
                ? samples.count : BatchGradient.microBatchSize(images: samples.count, tokens: c.prefixTokens + c.positionGrid.count)
            return stride(from: 0, to: samples.count, by: size).map { piece in
                MicroBatch(samples: Array(samples[piece..<min(piece + size, samples.count)]), scale: scale)
            }
        }
    }

    private func gradient(
        _ batches: [MicroBatch], epoch: Int, gradient: BatchGradient, features: [String: Tensor]?
    ) throws -> StepOutcome {
        let (model, loss, store, recipe, isStopped) = (state.model, self.loss, self.store, self.recipe, options.isStopped)
        return try gradient(batches, fromLayer: recipe.isLinearProbe ? model.blocks.count + 1 : recipe.optimizerSettings.firstTrainedLayer)
        {
            batch, gradients, workspace in
            if isStopped() { throw Interrupted() }
            let labels = batch.samples.map { $0.label! }
            var outcome = StepOutcome(weight: loss.denominator(labels), images: labels.count)
            func logitGradient(_ logits: Tensor) -> Tensor {
                let (losses, gradient) = loss(logits: logits, labels: labels, scale: batch.scale)
                outcome.loss = losses.reduce(0, +)
                outcome.correct = labels.indices.count { predictedClass(logits[$0].values) == labels[$0] }
                return gradient
            }
            if let features {
                var rows = workspace.tensor([labels.count, model.configuration.featureWidth])
                for (b, sample) in batch.samples.enumerated() {
                    rows.replace(from: b * model.configuration.featureWidth, with: features[sample.id]!)
                }
                gradients.addHead(of: model, features: rows, workspace: workspace, logitGradient: logitGradient)
            } else {
                let images = try store.tensor(
                    batch.samples[...], changes: TrainingChanges(recipe, epoch: epoch), workspace: workspace)
                _ = try model.weightGradient(
                    of: images, frozenBlocks: recipe.frozenBlocks, into: &gradients, workspace: workspace, logitGradient: logitGradient)
            }
            return outcome
        }
    }

    /// What the head reads of every image, computed once: the blocks below do not change.
    private func probeFeatures() throws -> [String: Tensor] {
        let samples = set.training + set.validation
        let rows = try Predictions.features(
            state.model, samples: samples, store: store, workers: options.workers, isStopped: options.isStopped)
        return Dictionary(uniqueKeysWithValues: zip(samples, rows).map { ($0.id, Tensor([$1.count], $1)) })
    }

    private func validate(features: [String: Tensor]?) throws -> ClassificationMetrics? {
        guard !set.validation.isEmpty else { return nil }
        let predictions: Predictions
        if let features, let head = state.model.head {
            predictions = Predictions(samples: set.validation, logits: set.validation.map { head.logits(features[$0.id]!) })
        } else {
            predictions = try Predictions.make(
                state.model, samples: set.validation, store: store, workers: options.workers, isStopped: options.isStopped)
        }
        return try predictions.metrics(loss: loss, positiveLabel: set.positiveLabel)
    }

    /// Validates, keeps the best model, and opens the next epoch.
    ///
    /// - Returns: whether the run ends here.
    private mutating func endEpoch(_ log: RunLog, features: [String: Tensor]?) throws -> Bool {
        let began = DispatchTime.now().uptimeNanoseconds
        let validation = try validate(features: features)
        if let validation, !validation.loss.isFinite { throw diverged(validation.loss, factor: 1) }
        var p = state.position
        let epoch = p.epoch
        // Without validation images the last epoch is kept.
        let isBest = validation.map { v in p.bestLoss.map { v.loss < $0 } ?? true } ?? true
        if isBest {
            p.bestEpoch = epoch
            p.bestLoss = validation?.loss
            try saveModel(epoch: epoch)
        }
        let record = EpochRecord(
            epoch: epoch + 1, steps: p.optimizerSteps,
            learningRate: recipe.learningRate
                * recipe.schedule.factor(epoch: epoch, step: 0, stepsPerEpoch: stepsPerEpoch, epochs: recipe.epochs, warmup: recipe.warmup),
            trainingLoss: p.loss / p.weight, trainingAccuracy: Double(p.correct) / Double(p.images), validation: validation, isBest: isBest,
            seconds: p.seconds + Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9,
            imagesPerSecond: Double(p.images) / max(p.seconds, 1e-9))
        try log.epoch(record)
        p.records.append(record)
        (p.loss, p.weight, p.images, p.correct, p.seconds, p.step) = (0, 0, 0, 0, 0, 0)
        p.epoch += 1
        let isOutOfPatience = recipe.patience > 0 && epoch - (p.bestEpoch ?? epoch) >= recipe.patience
        p.isFinished = p.epoch == recipe.epochs || isOutOfPatience
        state.position = p
        return p.isFinished
    }

    // MARK: Files

    private mutating func checkpoint(_ log: RunLog) throws {
        state.position.logBytes = log.bytes
        try state.save(to: path(Self.stateName))
    }

    private func saveModel(epoch: Int) throws {
        let model = state.model.withTimmPositions()
        var metadata = options.metadata
        metadata[VisionTransformer.configurationKey] = try JSON.line(model.configuration)
        metadata[Preprocess.metadataKey] = store.preprocess.description
        metadata["vitrine.classes"] = try JSON.line(set.classNames)
        metadata["vitrine.positive-class"] = set.classNames[set.positiveLabel]
        metadata["vitrine.recipe"] = try JSON.line(Dictionary(uniqueKeysWithValues: RecipeField.all.map { ($0.name, $0.get(recipe)) }))
        metadata["vitrine.split-seed"] = "\(recipe.splitSeed)"
        metadata["vitrine.epoch"] = "\(epoch + 1)"
        if options.writesPyTorch { try TorchArchive.write(model.timmTensors(), to: path(Self.pyTorchName)) }
        try Safetensors.write(model.timmTensors(), metadata: metadata, to: path(Self.modelName))
    }

    // MARK: The end

    private func result(
        isFinished: Bool, metrics: [String: ClassificationMetrics] = [:], intervals: [MetricInterval] = []
    ) -> TrainingResult {
        TrainingResult(
            isFinished: isFinished, records: state.position.records, bestEpoch: state.position.bestEpoch.map { $0 + 1 }, metrics: metrics,
            testIntervals: intervals)
    }

    /// Looks at the kept model once more and writes report, figure and predictions.
    private func finish() throws -> TrainingResult {
        let model = try VisionTransformer.load(path(Self.modelName)).model
        var metrics: [String: ClassificationMetrics] = [:]
        var intervals: [MetricInterval] = []
        var all: [(split: Split, predictions: Predictions)] = []
        for (split, samples) in [(Split.validation, set.validation), (.test, set.test)] where !samples.isEmpty {
            let predictions: Predictions
            do {
                predictions = try Predictions.make(
                    model, samples: samples, store: store, workers: options.workers, isStopped: options.isStopped)
            } catch is Interrupted { return result(isFinished: false) }
            metrics[split.rawValue] = try predictions.metrics(loss: loss, positiveLabel: set.positiveLabel)
            all.append((split, predictions))
            if split == .test {
                intervals = try MetricInterval.all(
                    probabilities: predictions.probabilities, labels: predictions.labels, positiveLabel: set.positiveLabel,
                    patients: samples.map { $0.patient.map { "patient \($0)" } ?? "image \($0.id)" }, seed: recipe.splitSeed)
            }
        }
        let result = self.result(isFinished: true, metrics: metrics, intervals: intervals)
        try TrainingReport(
            recipe: recipe, set: set, configuration: model.configuration, initialisation: options.initialisation, result: result
        ).write(folder: options.output, predictions: all)
        return result
    }
}

extension Linear {
    /// The logits of one image's features.
    fileprivate func logits(_ features: Tensor) -> [Float] {
        var y = Tensor([1, outputs])
        multiply(features.reshaped([1, inputs]).matrix, weight.matrix.transposed, into: &y)
        if let bias { add(bias, to: &y) }
        return y.values
    }
}
