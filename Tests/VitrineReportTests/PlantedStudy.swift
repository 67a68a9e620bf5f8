import Foundation
import VitrineImage
import VitrineTensor

@testable import VitrineStore
@testable import VitrineStudy

/// A small finished study whose scores are planted, in a folder that goes when the test ends.
final class PlantedStudy: Sendable {
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("vitrine-report-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func file(_ name: String) -> String { folder + "/" + name }

    /// Names as an attacker or a careless user writes them.
    static let hostile = "<script>alert(1)</script>\"'&\u{1}.png"

    static let images = 24
    static let chance = 0.25

    /// A patient whose name turns the direction of what follows.
    static let reversed = "a\u{202E}b"

    /// Three images per patient. `good` scores far above chance and the centre; `centred` exactly as the centre control; `blind` at chance.
    static func value(method: Int, image: Int) -> Double {
        let wobble = 0.02 * Double(image % 5) - 0.04
        switch method {
        case 0: return 0.8 + wobble
        case 1: return 0.5 + wobble
        case 2: return chance + (image % 2 == 0 ? 0.03 : -0.03)
        default: return 0.5 + wobble
        }
    }

    static let plan = StorePlan(
        study: [StudyKey.title: "<b>T</b>", StudyKey.resolved: "title: <b>T</b>\n", StudyKey.seed: "3", StudyKey.fingerprint: "f"],
        datasets: [
            DatasetRecord(
                id: 0, name: "=d&<i>", kind: "csv", title: "D", citation: "c", path: "nowhere", hasImages: true,
                classNames: ["healthy", "lesion"], positiveLabel: 1, positiveClass: "lesion")
        ],
        samples: (0..<images).map { i in
            SampleRecord(
                id: i, datasetID: 0, name: i == 0 ? hostile : "image\(i).png", role: .score, label: 1,
                patient: i < 3 ? hostile : "p\(i / 3)",
                split: "test", imagePath: "nowhere/\(i)", maskPath: "m")
        }
            + (0..<4).map { i in
                SampleRecord(id: images + i, datasetID: 0, name: "n\(i).png", role: .predict, label: 0, patient: "q\(i)", imagePath: "x")
            },
        models: [
            ModelRecord(id: 0, datasetID: 0, name: "none", kind: .none, path: ""),
            ModelRecord(id: 1, datasetID: 0, name: "m</td>", kind: .checkpoint, path: "m.pth"),
        ],
        methods: ["good", "centred", "blind"].enumerated().map { i, name in
            MethodRecord(id: i, name: name, identifier: name, summary: "s", citation: "c", isControl: false, isClassSpecific: true)
        } + [
            MethodRecord(id: 3, name: "centre", identifier: "centre", summary: "s", citation: "c", isControl: true, isClassSpecific: false)
        ],
        metrics: [
            MetricRecord(id: 0, name: "iou@20", protocolName: "study", summary: "s", citation: "c"),
            MetricRecord(id: 1, name: "iou@20", protocolName: "corrected", summary: "s", citation: "c"),
        ])

    /// - Parameter blind: what `blind` scores on every image instead.
    func store(blind: Double? = nil) throws -> Store {
        let store = try Store.create(file("results.sqlite"), plan: Self.plan)
        for i in 0..<Self.images {
            let mask = MaskRecord(
                sampleID: i, sha256: "0", storedWidth: 32, storedHeight: 32, area: Self.chance, components: 1, isRectangle: true,
                greyLevels: 2,
                isEmpty: i == 5, isFull: false)
            try store.commit(
                image: ImageRecord(sampleID: i, sha256: "0", storedWidth: 32, storedHeight: 32), mask: mask, failures: [], sample: i)
        }
        for model in 0...1 {
            for i in 0..<Self.images + (model == 1 ? 4 : 0) { try store.commit(unit(model: model, image: i, blind: blind)) }
        }
        try store.commit(
            FailureRecord(
                datasetID: 0, sampleID: nil, modelID: 1, stage: .model,
                message: "failed: <img src=x onerror=alert(1)> \(Self.reversed)"))
        return store
    }

    private func unit(model: Int, image: Int, blind: Double?) -> UnitResult {
        let isScored = image < Self.images
        var unit = UnitResult(
            unit: UnitRecord(
                modelID: model, sampleID: image, maskStatus: isScored ? .scored : .notScored, maskArea: isScored ? Self.chance : nil,
                maskComponents: isScored ? 1 : nil, height: 32, width: 32),
            timing: TimingRecord(modelID: model, sampleID: image, prepare: 1, explain: 2, stability: 3, score: 4))
        if model == 1 {
            let probability: Float = isScored ? 0.9 : 0.2
            unit.prediction = PredictionRecord(
                modelID: 1, sampleID: image, target: "logit 1", predicted: isScored ? 1 : 0, logits: [0, 1],
                probabilities: [1 - probability, probability])
        }
        guard isScored else { return unit }
        for method in model == 0 ? 3...3 : 0...2 {
            for metric in 0...1 {
                let planted = Self.value(method: method, image: image)
                let value = method == 2 ? blind ?? planted : planted
                // An empty mask has no corrected score.
                let isUndefined = metric == 1 && image == 5
                unit.scores.append(
                    ScoreRecord(
                        methodID: method, metricID: metric, value: isUndefined ? nil : value,
                        chance: isUndefined ? nil : Self.chance, ceiling: isUndefined ? nil : 1, status: isUndefined ? "empty-mask" : "ok",
                        chanceSource: isUndefined ? nil : "exact", chanceError: 0))
            }
        }
        return unit
    }
}
