import Foundation
import Synchronization
import VitrineStore
import VitrineTensor
import VitrineTrain

/// News of a training, for whoever watches.
public enum StudyTrainingNews: Sendable {
    /// Images from here to the last epoch.
    case began(dataset: String, model: String, images: Int)
    case advanced(images: Int)
    case epoch(EpochRecord, of: Int)
}

/// Trains the models of a study, each in a folder of its own below the results.
///
/// A finished model is reused, an interrupted training goes on bit for bit, and several processes may ask for the same model: one trains,
/// the others wait. What a model is depends on the study file and the inputs alone.
public struct StudyTrainer: Sendable {
    let plan: StudyPlan
    /// Folder of the results.
    let results: String
    public var workers = 1
    /// Asked between micro-batches; true ends a training, after a checkpoint, with `StudyInterruption`.
    public var shouldStop: @Sendable () -> Bool = { false }
    public var news: @Sendable (StudyTrainingNews) -> Void = { _ in }

    public init(plan: StudyPlan, results: String) {
        self.plan = plan
        self.results = results
    }

    /// Trains every model that is not trained yet.
    ///
    /// - Returns: a line for each model that could not be trained, and for each that was trained without some images.
    /// - Throws: `StudyInterruption`.
    public func trainAll() throws -> [String] {
        try CPU.selfTest()
        var problems: [String] = []
        for record in plan.store.models where plan.trainings[record.path] != nil {
            do {
                try train(record)
                if let left = try leftOut(record) { problems.append(left) }
            } catch let stop as StudyInterruption { throw stop } catch { problems.append("\(error)") }
        }
        return problems
    }

    /// Makes sure that a model is there, if the study trains it.
    ///
    /// - Throws: `StudyInterruption`; what is wrong, in one line.
    func train(_ record: ModelRecord) throws {
        guard let training = plan.trainings[record.path], let entry = plan.entry(record) else { return }
        let folder = self.folder(record)
        if try isFinished(record) { return }
        try FileSystem.makeFolder(folder)
        let lock = try FileLock(folder + "/" + Trainer.lockName) { _ in if shouldStop() { throw StudyInterruption() } }
        defer { withExtendedLifetime(lock) {} }
        // Another process may have trained it while this one waited.
        if try isFinished(record) { return }

        let images = try ImageStore(preprocess: training.preprocess)
        var set = training.set
        let digest = try self.digest(set)
        try set.leaveOutUnreadable(store: images, workers: workers, isStrict: false)
        var provenance = TrainingProvenance(
            identity: training.identity, images: digest, checkpoint: try training.checkpoint.map { try sha256(ofFile: $0) },
            trainingImages: set.training.count, validationImages: set.validation.count, unreadable: set.unreadable)
        if let begun = try TrainingProvenance.read(folder) {
            guard begun == provenance else {
                throw InputFailure(
                    stage: .model,
                    message: "\(folder): its images or the weights it starts from have changed since training began; "
                        + "restore them, or remove the folder to train again")
            }
        } else {
            try provenance.write(folder)
        }

        var options = TrainingOptions(output: folder)
        options.workers = workers
        options.resumes = true
        options.lock = lock
        options.metadata["vitrine.training-images"] = digest
        options.metadata["vitrine.init-sha256"] = provenance.checkpoint
        let news = self.news
        let epochs = training.recipe.epochs
        var trainer = try Trainer(
            recipe: training.recipe, set: set, store: images, model: training.startingModel(entry), options: options)
        trainer.stop(when: shouldStop)
        trainer.report(progress: { news(.advanced(images: $0)) }, epochEnded: { news(.epoch($0, of: epochs)) })
        news(.began(dataset: plan.store.datasets[record.datasetID].name, model: record.name, images: trainer.imagesLeft))
        let result = try trainer.run()
        guard result.isFinished, let kept = result.bestEpoch else { throw StudyInterruption() }
        provenance.result = .init(
            model: try sha256(ofFile: folder + "/" + Trainer.modelName), keptEpoch: kept, epochs: result.records.count,
            validation: result.metrics["validation"])
        try provenance.write(folder)
    }

    /// What a training had to leave out, in one line; nil when nothing was, or the model was not trained here.
    func leftOut(_ record: ModelRecord) throws -> String? {
        guard plan.trainings[record.path] != nil, let unreadable = try TrainingProvenance.read(folder(record))?.unreadable,
            let first = unreadable.first
        else { return nil }
        let dataset = plan.store.datasets[record.datasetID].name
        let what = unreadable.count == 1 ? "an unreadable image" : "\(unreadable.count) unreadable images, the first"
        return "data set '\(dataset)', model '\(record.name)': trained without \(what): \(first)"
    }

    /// Whether the model is there, is what its provenance says, and is what the study wants.
    func isFinished(_ record: ModelRecord) throws -> Bool {
        let folder = self.folder(record)
        guard let training = plan.trainings[record.path], let provenance = try TrainingProvenance.read(folder) else { return false }
        if let difference = provenance.difference(from: training.identity) {
            throw InputFailure(
                stage: .model, message: "\(folder): holds a model that was trained otherwise (\(difference)); choose another output")
        }
        guard let result = provenance.result else { return false }
        let path = folder + "/" + Trainer.modelName
        guard try sha256(ofFile: path) == result.model else {
            throw InputFailure(
                stage: .model,
                message: "\(path): is not the model that was trained here, by its SHA-256; remove \(folder) to train it again")
        }
        return true
    }

    /// The folder of a model, with its log, its report and where it comes from.
    private func folder(_ record: ModelRecord) -> String { StudyPlan.parent(results + "/" + record.path) }

    /// SHA-256 over the names and contents of all images of a training; what cannot be read counts by its name.
    private func digest(_ set: TrainingSet) throws -> String {
        let samples = set.training + set.validation
        let digests = Mutex([String](repeating: "", count: samples.count))
        try parallelFor(samples.count, workers: workers) { _, i in
            let digest = (try? sha256(ofFile: samples[i].imagePath)) ?? "unreadable"
            digests.withLock { $0[i] = digest }
        }
        var hash = SHA256()
        for (sample, digest) in zip(samples, digests.withLock { $0 }) { hash.update(Array("\(sample.id)\u{0}\(digest)\u{0}".utf8)) }
        return hash.hexadecimal()
    }
}
