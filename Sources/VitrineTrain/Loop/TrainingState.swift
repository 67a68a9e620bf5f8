import Foundation
import VitrineModel
import VitrineTensor

/// Everything that a run needs to go on as if nothing had happened, between two steps.
struct TrainingState: Sendable {
    /// What is not a tensor.
    struct Position: Sendable, Equatable, Codable {
        /// The epoch under way, from 0.
        var epoch = 0
        /// Steps of the epoch that are done.
        var step = 0
        /// Steps of the optimiser since the beginning.
        var optimizerSteps = 0
        /// Sums over the steps of the epoch.
        var loss = 0.0
        var weight = 0.0
        var images = 0
        var correct = 0
        var seconds = 0.0
        /// Epoch (from 0) and loss of the best model.
        var bestEpoch: Int?
        var bestLoss: Double?
        var records: [EpochRecord] = []
        var isFinished = false
        /// Bytes of the logs that belong to this state, by file name.
        var logBytes: [String: Int] = [:]
        /// Fields of the recipe, the model and the data; a resumed run must have the same.
        var identity: [String: String] = [:]
    }

    var model: VisionTransformer
    var optimizer: Optimizer
    var position: Position

    private static let positionKey = "vitrine.training-state"

    /// Writes the state; the file is replaced once it is complete.
    func save(to path: String) throws {
        var tensors: [String: Tensor] = [:]
        for (i, parameter) in model.parameters.enumerated() {
            tensors["weight." + parameter.info.name] = parameter.tensor
            if let first = optimizer.first[i] { tensors["first." + parameter.info.name] = first }
            if let second = optimizer.second[i] { tensors["second." + parameter.info.name] = second }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let text = String(decoding: try encoder.encode(position), as: UTF8.self)
        try Safetensors.write(tensors, metadata: [Self.positionKey: text], to: path)
    }

    /// Reads a state into a run that was set up in the same way.
    ///
    /// - Throws: `TrainingError.resumeMismatch` naming the first thing that differs, `.damagedState`, `CheckpointError`.
    mutating func load(_ path: String) throws {
        let file = try Checkpoint.open(path)
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        guard let text = file.metadata[Self.positionKey], let stored = try? decoder.decode(Position.self, from: Data(text.utf8)) else {
            throw TrainingError.damagedState(path: path, reason: "it has no \(Self.positionKey)")
        }
        let identity = RecipeField.completed(stored.identity)
        for (field, given) in position.identity.sorted(by: { $0.key < $1.key }) where identity[field] != given {
            throw TrainingError.resumeMismatch(field: field, stored: identity[field] ?? "nothing", given: given)
        }
        func tensor(_ name: String, like shape: Shape) throws -> Tensor {
            let stored = try file.tensor(named: name)
            guard stored.shape == shape else { throw TrainingError.damagedState(path: path, reason: "'\(name)' has shape \(stored.shape)") }
            return stored
        }
        for (i, parameter) in model.parameters.enumerated() {
            let (name, shape) = (parameter.info.name, parameter.tensor.shape)
            if optimizer.first[i] != nil { optimizer.first[i] = try tensor("first." + name, like: shape) }
            if optimizer.second[i] != nil { optimizer.second[i] = try tensor("second." + name, like: shape) }
        }
        try model.forEachParameter { info, weight in weight = try tensor("weight." + info.name, like: weight.shape) }
        optimizer.steps = stored.optimizerSteps
        position = stored
        position.identity = identity
    }
}
