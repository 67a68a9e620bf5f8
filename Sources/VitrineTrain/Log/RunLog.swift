import Foundation
import VitrineTensor

/// The two logs of a run: `log.jsonl`, one object per step and per epoch, and a TensorBoard event file with the same numbers.
final class RunLog {
    static let eventFolder = "tensorboard"
    private static let jsonName = "log.jsonl"
    private static let eventName = eventFolder + "/events.out.tfevents.0.vitrine"

    private let json: AppendedFile
    private let events: AppendedFile

    /// - Parameter bytes: lengths that a resumed run keeps, by file name.
    init(folder: String, bytes: [String: Int]) throws {
        json = try AppendedFile(path: folder + "/" + Self.jsonName, keeping: bytes[Self.jsonName] ?? 0)
        events = try AppendedFile(path: folder + "/" + Self.eventName, keeping: bytes[Self.eventName] ?? 0)
        if events.count == 0 { try events.append(EventFile.header(wallTime: Date().timeIntervalSince1970)) }
    }

    var bytes: [String: Int] { [Self.jsonName: json.count, Self.eventName: events.count] }

    func step(_ step: Int, epoch: Int, loss: Double, learningRate: Double, gradientNorm: Double) throws {
        struct Line: Encodable { var step: Int, epoch: Int, loss: Double, learningRate: Double, gradientNorm: Double }
        try line(Line(step: step, epoch: epoch, loss: loss, learningRate: learningRate, gradientNorm: gradientNorm))
        try scalars([("step/loss", loss), ("step/learning rate", learningRate), ("step/gradient norm", gradientNorm)], step: step)
    }

    func epoch(_ record: EpochRecord) throws {
        struct Line: Encodable { var epochRecord: EpochRecord }
        try line(Line(epochRecord: record))
        var values = [
            ("training/loss", record.trainingLoss), ("training/accuracy", record.trainingAccuracy),
            ("training/images per second", record.imagesPerSecond),
        ]
        if let v = record.validation {
            values += [("validation/loss", v.loss), ("validation/accuracy", v.accuracy)]
            for (name, value) in [
                ("balanced accuracy", v.balancedAccuracy), ("AUROC", v.auroc), ("sensitivity", v.sensitivity),
                ("specificity", v.specificity),
            ] {
                if let value { values.append(("validation/" + name, value)) }
            }
        }
        try scalars(values, step: record.epoch)
    }

    private func line(_ value: some Encodable) throws {
        try json.append(Array((try JSON.line(value) + "\n").utf8))
    }

    private func scalars(_ values: [(String, Double)], step: Int) throws {
        let now = Date().timeIntervalSince1970
        try events.append(values.flatMap { EventFile.scalar($0.0, $0.1, step: step, wallTime: now) })
    }
}
