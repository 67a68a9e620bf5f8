import Foundation

/// Why a training run could not start or go on; one line that says what to do.
public enum TrainingError: Error, CustomStringConvertible, Equatable, Sendable {
    case unknownField(name: String, source: String, known: [String])
    case badField(name: String, value: String, allowed: String)
    case unknownRecipe(name: String, known: [String])
    case unreadableRecipe(path: String, reason: String)
    case unknownModel(text: String, known: [String])
    case badModel(text: String, reason: String)
    case needsCheckpoint(recipe: String, initialisation: String)
    /// The preprocessing keeps images at their own sizes.
    case noImageSize(preprocess: String)
    case imageSize(size: Int, patch: Int)
    case unlabelled(sample: String)
    case tooFewClasses(found: Int)
    /// A class without an image to train on.
    case emptyClass(name: String, samples: Int)
    /// A picture on two sides of the split, under one path or two.
    case imageOnBothSides(path: String, other: String)
    case differentClasses(training: [String], validation: [String])
    case classWeights(count: Int, classes: Int)
    /// `--strict` and at least one image that cannot be read.
    case unreadableImages(count: Int, first: String)
    case headCount(pooling: String)
    case outputExists(folder: String)
    case unwritable(path: String, reason: String)
    case resumeMismatch(field: String, stored: String, given: String)
    case damagedState(path: String, reason: String)
    /// The loss or the gradient is no number any more.
    ///
    /// `keptEpoch`, from 1: the epoch whose model stays in the folder; nil when none was finished.
    case diverged(epoch: Int, step: Int, loss: Double, learningRate: Double, keptEpoch: Int?)

    /// A failure of Foundation, with its reason as the operating system gave it.
    static func unwritable(path: String, _ error: any Error) -> TrainingError {
        let error = error as NSError
        let reason = error.localizedFailureReason ?? error.localizedDescription
        return .unwritable(path: path, reason: reason.hasSuffix(".") ? String(reason.dropLast()) : reason)
    }

    public var description: String {
        switch self {
        case .unknownField(let name, let source, let known):
            return "\(source): '\(name)' is no field of a recipe; the fields are \(known.joined(separator: ", "))"
        case .badField(let name, let value, let allowed): return "\(name): '\(value)' is not \(allowed)"
        case .unknownRecipe(let name, let known): return "recipe '\(name)' is none of \(known.joined(separator: ", "))"
        case .unreadableRecipe(let path, let reason): return "\(path): \(reason)"
        case .unknownModel(let text, let known):
            return
                "model '\(text)' is none of \(known.joined(separator: ", ")), no file, and no list such as patch=16,width=192,depth=6,heads=3"
        case .badModel(let text, let reason): return "model '\(text)': \(reason)"
        case .needsCheckpoint(let recipe, let initialisation):
            return "recipe '\(recipe)' starts from \(initialisation) weights; name their file with --init"
        case .noImageSize(let preprocess):
            return "preprocessing '\(preprocess)' keeps images at their own sizes; training needs one size, such as resize:224"
        case .imageSize(let size, let patch):
            return "images of \(size) pixels cannot be cut into patches of \(patch); choose a multiple of \(patch)"
        case .unlabelled(let sample): return "'\(sample)' has no label; label it or leave it out"
        case .tooFewClasses(let found): return "the data has \(found) class\(found == 1 ? "" : "es"); training needs at least two"
        case .emptyClass(let name, let samples):
            return "class '\(name)' has no image to train on (\(samples) in the other splits); add images or another split"
        case .imageOnBothSides(let path, let other):
            return
                path == other
                ? "\(path): is on two sides of the split; take it out of one of them"
                : "\(path) and \(other) are the same picture, one to validate on and one among the others; take one of them out"
        case .differentClasses(let training, let validation):
            return
                "the classes differ: \(training.joined(separator: ", ")) to train on, \(validation.joined(separator: ", ")) to validate on"
        case .classWeights(let count, let classes):
            return "\(count) class weights for \(classes) classes; give one per class, balanced or none"
        case .unreadableImages(let count, let first):
            return count == 1
                ? "\(first); repair it or leave out --strict"
                : "\(count) unreadable images, the first: \(first); repair them or leave out --strict"
        case .headCount(let pooling): return "linear probing needs one head, but pooling '\(pooling)' has two; fine-tune instead"
        case .outputExists(let folder): return "\(folder): holds a run already; go on with --resume or choose another folder"
        case .unwritable(let path, let reason):
            return "\(path): cannot be written (\(reason)); check the folder, its permissions and free space"
        case .resumeMismatch(let field, let stored, let given):
            return "\(field): the run to resume has \(stored), this command \(given); repeat the first command or choose another folder"
        case .damagedState(let path, let reason): return "\(path): is no state of a run (\(reason)); remove it to start again"
        case .diverged(let epoch, let step, let loss, let rate, let kept):
            let found = loss.isNaN ? "not a number" : "\(loss)"
            return
                "the loss became \(found) in epoch \(epoch + 1), step \(step + 1), at a learning rate of \(rate); lower it, warm up or clip; "
                + (kept.map { "the model of epoch \($0) and the last checkpoint are intact" }
                    ?? "no epoch was finished, so no model is kept")
        }
    }
}
