import Foundation
import VitrineData
import VitrineImage
import VitrineModel
import VitrineTensor
import VitrineTrain

/// A network that was trained on phantoms until it provably uses the planted cause, or until the rounds were over.
public struct ProvenModel: Sendable {
    public let task: TrustTask
    public let model: VisionTransformer
    public let preprocess: Preprocess
    public let check: CounterfactualCheck
    /// Rounds of training it took.
    public let rounds: Int

    static let checkName = "check.json"

    /// News of the making, for whoever watches.
    public enum News: Sendable {
        case training(task: String, round: Int, images: Int)
        case advanced(images: Int)
        case checked(task: String, round: Int, CounterfactualCheck)
    }

    /// Trains a model, or reads the one that the folder holds.
    ///
    /// Each round goes on from the weights of the round before with phantoms of its own; the check draws others, which no round sees.
    /// Weights depend on the task, the settings and the base alone. A killed training goes on where its last checkpoint was.
    ///
    /// - Parameters:
    ///   - folder: of the task.
    ///   - base: where the first round starts, if not from random weights.
    /// - Throws: `StudyInterruption` when it is asked to stop.
    static func made(
        _ task: TrustTask, _ settings: TrustSettings, folder: String, base: VisionTransformer?, workers: Int,
        shouldStop: @escaping @Sendable () -> Bool,
        news: @escaping @Sendable (News) -> Void
    ) throws -> ProvenModel {
        let preprocess = try Preprocess(parsing: settings.recipe(round: 0).preprocess, defaultSize: TrustSettings.imageSize)
        var last: ProvenModel?
        for round in 0..<max(settings.rounds, 1) {
            let place = "\(folder)/round-\(round + 1)"
            if let known = try finished(place) {
                let model = try VisionTransformer.load("\(place)/\(Trainer.modelName)").model
                last = ProvenModel(task: task, model: model, preprocess: preprocess, check: known, rounds: round + 1)
            } else {
                let model = try trained(
                    task, settings, round: round,
                    from: last?.model ?? base?.withFreshHead(classes: task.classNames.count, seed: settings.seed), preprocess,
                    folder: place, workers: workers,
                    shouldStop: shouldStop,
                    news: news)
                let set = try task.set(count: 2 * settings.checked, seed: settings.seed &+ 1_000_003)
                let check = try CounterfactualCheck(
                    task, set, pairs: settings.checked, model: try sha256(ofFile: "\(place)/\(Trainer.modelName)"), workers: workers,
                    classify: classifier(model, preprocess, workers: workers, shouldStop: shouldStop))
                try AtomicFile.write(Array((try JSON.line(check) + "\n").utf8), to: "\(place)/\(checkName)")
                last = ProvenModel(task: task, model: model, preprocess: preprocess, check: check, rounds: round + 1)
            }
            if let last {
                news(.checked(task: task.name, round: round + 1, last.check))
                if last.check.passes { return last }
            }
        }
        guard let last else { preconditionFailure("there is a round") }
        return last
    }

    /// The check of a round that is finished, if its model is still the one that was checked.
    private static func finished(_ folder: String) throws -> CounterfactualCheck? {
        let path = "\(folder)/\(checkName)"
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        guard let check = try? JSON.value(CounterfactualCheck.self, data) else { throw TrustError.damaged(path: path) }
        let model = "\(folder)/\(Trainer.modelName)"
        guard try sha256(ofFile: model) == check.model else {
            throw InputFailure(stage: .model, message: "\(model): is not the model that was checked; remove \(folder) to train it again")
        }
        return check
    }

    private static func trained(
        _ task: TrustTask, _ settings: TrustSettings, round: Int, from start: VisionTransformer?, _ preprocess: Preprocess, folder: String,
        workers: Int, shouldStop: @escaping @Sendable () -> Bool, news: @escaping @Sendable (News) -> Void
    ) throws -> VisionTransformer {
        let recipe = settings.recipe(round: round, isFresh: start == nil)
        let set = try task.set(count: settings.count, seed: settings.seed &+ UInt64(round + 1))
        let samples = (0..<set.count).map { i -> Sample in
            // A set of its own tests the model, so that nobody's test images are lost.
            Sample(
                id: set.fileName(of: i), imagePath: "\(task.name)/\(i)", label: task.label(set.parts(of: i)),
                patient: "\(set.patient(of: i))", split: set.split(of: i) == .validation ? .validation : .train)
        }
        let images = try ImageStore(preprocess: preprocess) { sample in
            guard let index = sample.imagePath.split(separator: "/").last.flatMap({ Int($0) }) else {
                preconditionFailure("phantoms are named by their number")
            }
            return set.phantom(at: index).image
        }
        let training = try TrainingSet(
            samples: samples, classNames: task.classNames, positiveLabel: 1, validationShare: 0, testShare: 0, splitSeed: recipe.splitSeed)
        let configuration = try ModelPresets.configuration(
            recipe.model, imageSize: TrustSettings.imageSize, classes: task.classNames.count)
        var options = TrainingOptions(output: folder)
        options.workers = workers
        options.resumes = true
        var trainer = try Trainer(
            recipe: recipe, set: training, store: images,
            model: start ?? VisionTransformer.scratch(configuration, seed: recipe.seed, weights: recipe.scratch ?? .timm),
            options: options)
        trainer.stop(when: shouldStop)
        trainer.report(progress: { news(.advanced(images: $0)) }, epochEnded: { _ in })
        news(.training(task: task.name, round: round + 1, images: trainer.imagesLeft))
        guard try trainer.run().isFinished else { throw StudyInterruption() }
        return try VisionTransformer.load("\(folder)/\(Trainer.modelName)").model
    }

    /// What a network calls images.
    static func classifier(
        _ model: VisionTransformer, _ preprocess: Preprocess, workers: Int, shouldStop: @escaping @Sendable () -> Bool = { false }
    ) -> @Sendable (_ worker: Int, _ images: [Image]) throws -> [Int] {
        let workspaces = (0..<max(workers, 1)).map { _ in Workspace() }
        return { worker, images in
            if shouldStop() { throw StudyInterruption() }
            let tensors = try images.map { preprocess.tensor(fromPrepared: try preprocess.prepared($0)) }
            var batch = Tensor(Shape([tensors.count] + tensors[0].shape.dimensions))
            for (i, tensor) in tensors.enumerated() { batch.replace(from: i * tensor.count, with: tensor) }
            let logits = try model(batch, workspace: workspaces[worker])
            return tensors.indices.map { i in
                guard case .logit(let predicted) = TargetChoice.predicted.resolved(logits: logits[i].values) else { return 0 }
                return predicted
            }
        }
    }
}
