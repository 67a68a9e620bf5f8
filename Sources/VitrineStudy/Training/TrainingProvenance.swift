import Foundation
import VitrineStore
import VitrineTensor
import VitrineTrain

/// Where a trained model comes from: `provenance.json` beside it, begun before the first step and completed after the last one.
struct TrainingProvenance: Codable, Equatable {
    static let fileName = "provenance.json"

    /// Of `PlannedTraining`.
    var identity: [String: String]
    /// SHA-256 over the names and contents of all images, in their order.
    var images: String
    /// SHA-256 of the checkpoint that training started from; nil for random weights.
    var checkpoint: String?
    /// Images to train and to validate on, those that cannot be read left out.
    var trainingImages: Int
    var validationImages: Int
    /// A line for each image that was left out.
    var unreadable: [String]
    /// Nil until the model is finished.
    var result: Result?

    struct Result: Codable, Equatable {
        /// SHA-256 of the model.
        var model: String
        /// The epoch whose weights were kept, from 1, and epochs run.
        var keptEpoch: Int
        var epochs: Int
        var validation: ClassificationMetrics?
    }

    /// Nil where there is none yet.
    static func read(_ folder: String) throws -> TrainingProvenance? {
        let path = folder + "/" + fileName
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        do {
            var found = try JSONDecoder().decode(TrainingProvenance.self, from: data)
            found.identity = RecipeField.completed(found.identity)
            return found
        } catch {
            throw InputFailure(
                stage: .model, message: "\(path): says nothing about the model beside it; remove \(folder) to train it again")
        }
    }

    func write(_ folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try AtomicFile.write([UInt8](try encoder.encode(self)) + [10], to: folder + "/" + Self.fileName)
    }

    /// What differs between the training that left this and the one that is wanted, in words; nil when nothing does.
    func difference(from identity: [String: String]) -> String? {
        for (name, wanted) in identity.sorted(by: { $0.key < $1.key }) where self.identity[name] != wanted {
            return "\(name) was \(self.identity[name] ?? "not there") then, is \(wanted) now"
        }
        return nil
    }

    /// Sentences for the store, and through it the report.
    func notes(recipe: String) -> [String] {
        var notes = ["trained by this study, recipe \(recipe), from \(identity["init"] ?? "scratch"), seed \(identity["seed"] ?? "0")"]
        if let checkpoint { notes.append("SHA-256 of the weights it started from: \(checkpoint)") }
        notes.append("\(trainingImages) images to train and \(validationImages) to validate on, SHA-256 of all: \(images)")
        if let result {
            var text = "kept epoch \(result.keptEpoch) of \(result.epochs)"
            if let v = result.validation {
                text += String(format: ", validation loss %.4f", v.loss)
                if let balanced = v.balancedAccuracy { text += String(format: ", balanced accuracy %.4f", balanced) }
            }
            notes.append(text)
        }
        return notes
    }
}
