import Foundation
import VitrineImage
import VitrineTensor

@testable import VitrineStore
@testable import VitrineStudy

/// A finished study with metrics of every family, whose verdicts are known: what each method scores is planted.
struct PlantedVerdict {
    enum Method: String, CaseIterable {
        /// Equal to the mask, and to what the network used.
        case mask
        /// One value everywhere: no metric has a value.
        case constant
        /// Worse than chance and random orders; the same for every network and class; noise changes it.
        case fails
        /// As random maps score.
        case random
        /// As `mask`, but NaN on every other image.
        case holes
        /// Points at the lesion even better, but the network did not use it.
        case anatomy
        case centre
    }

    static let images = 24
    static let models = ["none", "sup-seed1", "sup-seed2"]
    static let metrics = [
        "average-precision", "deletion:steps=10", "insertion", "parameter-randomisation", "class-sensitivity", "quantisation-stability",
        "gini",
    ]

    /// A rule under which nothing is told from chance, in studies that ask for it.
    static let blurred = "deletion:steps=10,removal=blur"

    static func wobble(_ method: Method, _ metric: Int, _ image: Int, spread: Double = 0.02) -> Double {
        var random = Philox(seed: 9, name: "\(method)/\(metric)", index: UInt64(image))
        return spread * random.normal()
    }

    /// Nil where the metric is undefined.
    static func value(_ method: Method, _ metric: Int, _ image: Int) -> Double? {
        func around(_ centre: Double) -> Double { centre + wobble(method, metric, image) }
        switch method {
        case .mask: return around([0.9, 0.2, 0.8, 0.1, 0.0, 0.98, 0.8, 0.5][metric])
        case .constant: return nil
        case .fails: return around([0.05, 0.7, 0.3, 0.95, 0.98, 0.4, 0.3, 0.5][metric])
        case .random: return around([0.25, 0.5, 0.5, 0.5, 0.5, 0.9, 0.5, 0.5][metric])
        case .holes: return image % 2 == 0 ? nil : value(.mask, metric, image)
        case .anatomy: return around([0.97, 0.5, 0.5, 0.1, 0.0, 0.98, 0.8, 0.5][metric])
        case .centre: return metric == 0 ? around(0.4) : nil
        }
    }

    /// Of random orders, for the metric that has curves.
    static func randomCurve(_ image: Int) -> [Float] { [image == 3 ? 0.02 : 0, 0.4 + 0.01 * Float(image), 1] }

    static let chance = [0.25, 0.5, 0.5, 0.06, 0, 0, 0.4, 0.5]

    static let methods = Method.allCases.enumerated().map { i, method in
        MethodRecord(
            id: i, name: method.rawValue, identifier: method.rawValue, summary: "s", citation: "c", isControl: method == .centre,
            isClassSpecific: method != .centre)
    }

    /// - Parameter metrics: their names, of `Self.metrics` and `Self.blurred`.
    static func store(_ path: String, metrics names: [String] = Self.metrics, hasCentre: Bool = true, patients: Int = 24) throws -> Store {
        let methods = Self.methods.filter { hasCentre || $0.name != "centre" }
        let plan = StorePlan(
            study: [StudyKey.title: "Planted", StudyKey.resolved: "", StudyKey.seed: "1", StudyKey.fingerprint: "f"],
            datasets: [
                DatasetRecord(
                    id: 0, name: "data", kind: "csv", title: "D", citation: "c", path: "nowhere", hasImages: true,
                    classNames: ["healthy", "lesion"], positiveLabel: 1, positiveClass: "lesion")
            ],
            samples: (0..<images).map { i in
                SampleRecord(
                    id: i, datasetID: 0, name: "image\(i).png", role: .score, label: 1, patient: "p\(i % patients)",
                    imagePath: "nowhere/\(i)")
            },
            models: models.enumerated().map { i, name in
                ModelRecord(id: i, datasetID: 0, name: name, kind: i == 0 ? .none : .checkpoint, path: name)
            },
            methods: methods,
            metrics: names.enumerated().map { i, name in
                MetricRecord(id: i, name: name, protocolName: "corrected", summary: "s", citation: "c")
            })
        let store = try Store.create(path, plan: plan)
        for image in 0..<images {
            for model in models.indices { try store.commit(unit(model, image, methods, names)) }
        }
        return store
    }

    private static func unit(_ model: Int, _ image: Int, _ methods: [MethodRecord], _ names: [String]) -> UnitResult {
        var unit = UnitResult(
            unit: UnitRecord(
                modelID: model, sampleID: image, maskStatus: .scored, maskArea: 0.25, maskComponents: 1, height: 32, width: 32),
            timing: TimingRecord(modelID: model, sampleID: image, prepare: 1, explain: 2, stability: 3, score: 4))
        for (m, method) in Method.allCases.enumerated() where m < methods.count && (method == .centre) == (model == 0) {
            for (k, name) in names.enumerated() {
                let metric = (Self.metrics + [Self.blurred]).firstIndex(of: name)!
                let value = Self.value(method, metric, image)
                unit.scores.append(
                    ScoreRecord(
                        methodID: m, metricID: k, value: value, chance: value.map { _ in Self.chance[metric] },
                        status: value == nil ? "undefined" : "ok",
                        chanceSource: value == nil ? nil : "exact", chanceError: 0,
                        reason: value == nil ? "the map says the same of every patch" : nil,
                        curve: value.flatMap { name == "insertion" ? [0, Float($0), 1] : nil },
                        chanceCurve: value.flatMap { _ in name == "insertion" ? Self.randomCurve(image) : nil }))
            }
            guard method != .centre else { continue }
            // The two training runs agree about `mask` and contradict each other about `fails`.
            let slope: Float = method == .fails && model == 2 ? -1 : 1
            let values = (0..<16).map {
                method == .constant ? 1 : slope * Float($0) + Float(wobble(method, 90 + model, 100 * image + $0, spread: 0.5))
            }
            unit.maps.append(
                UnitResult.Map(
                    methodID: m, map: HeatMap(rows: 4, columns: 4, values: values, height: 32, width: 32, display: .attention),
                    keepsValues: true))
        }
        return unit
    }
}
