import VitrineStore
import VitrineTensor

/// `scores.csv` and `scores.jsonl`: one row per image, model, method, metric and protocol.
///
/// Columns: `dataset`, `image`, `patient`, `label`, `split`, `model`, `model_kind`, `method`, `is_control`, `metric`, `protocol`, `value`,
/// `chance`, `ceiling`, `status`, `chance_source`, `chance_error`, `mask_area`, `lesions`, `predicted`, `probability` (of the positive
/// class). Empty (`null`) where unknown or undefined. Read by `pandas.read_csv("scores.csv")`.
struct ScoresTable {
    static let columns = [
        "dataset", "image", "patient", "label", "split", "model", "model_kind", "method", "is_control", "metric", "protocol", "value",
        "chance",
        "ceiling", "status", "chance_source", "chance_error", "mask_area", "lesions", "predicted", "probability",
    ]

    private let store: Store
    private let datasets: [Int: DatasetRecord]
    private let models: [Int: ModelRecord]
    private let methods: [Int: MethodRecord]
    private let metrics: [Int: MetricRecord]

    init(_ store: Store) throws(StoreError) {
        self.store = store
        datasets = Dictionary(uniqueKeysWithValues: try store.datasets().map { ($0.id, $0) })
        models = Dictionary(uniqueKeysWithValues: try store.models().map { ($0.id, $0) })
        methods = Dictionary(uniqueKeysWithValues: try store.methods().map { ($0.id, $0) })
        metrics = Dictionary(uniqueKeysWithValues: try store.metrics().map { ($0.id, $0) })
    }

    /// What is equal in all rows of an image under a model, ready to be written.
    private struct Parts {
        var csv: (before: String, after: String)
        var json: (before: String, after: String)
    }

    func write(csv: String, jsonl: String) throws {
        var csvFile = try AtomicFile(path: csv)
        var jsonFile = try AtomicFile(path: jsonl)
        var (csvRows, jsonRows) = (CSV.line(Self.columns), "")
        let samples = Dictionary(uniqueKeysWithValues: try store.samples().map { ($0.id, $0) })
        // A store does not answer questions while it is being read through.
        var parts: [Int: [Int: Parts]] = [:]
        for model in models.keys { parts[model] = try self.parts(model, samples) }
        var middles: [Int: (csv: String, json: String)] = [:]
        var middlesModel = (-1, -1)
        try store.forEachScore { model, sample, score in
            if (model, score.methodID) != middlesModel {
                middles = [:]
                middlesModel = (model, score.methodID)
            }
            guard let part = parts[model]?[sample] else { return }
            let middle = middles[score.metricID] ?? middleParts(model, score.methodID, score.metricID)
            middles[score.metricID] = middle
            let numbers = [score.value, score.chance, score.ceiling].map(CSV.number)
            let (source, error) = (score.chanceSource ?? "", CSV.number(score.chanceError))
            csvRows +=
                part.csv.before + middle.csv + numbers[0] + "," + numbers[1] + "," + numbers[2] + "," + score.status + "," + source + ","
                + error + part.csv.after
            func null(_ text: String) -> String { text.isEmpty ? "null" : text }
            jsonRows +=
                part.json.before + middle.json + ",\"value\":" + null(numbers[0]) + ",\"chance\":" + null(numbers[1]) + ",\"ceiling\":"
                + null(numbers[2]) + ",\"status\":\"" + score.status + "\",\"chance_source\":" + (source.isEmpty ? "null" : "\"\(source)\"")
                + ",\"chance_error\":" + null(error) + part.json.after
            if csvRows.utf8.count > 1 << 20 {
                try csvFile.write(Array(csvRows.utf8))
                try jsonFile.write(Array(jsonRows.utf8))
                (csvRows, jsonRows) = ("", "")
            }
        }
        try csvFile.write(Array(csvRows.utf8))
        try jsonFile.write(Array(jsonRows.utf8))
        try csvFile.commit(flushing: false)
        try jsonFile.commit(flushing: false)
    }

    private func parts(_ model: Int, _ samples: [Int: SampleRecord]) throws(StoreError) -> [Int: Parts] {
        let predictions = Dictionary(uniqueKeysWithValues: try store.predictions(model: model).map { ($0.sampleID, $0) })
        var parts: [Int: Parts] = [:]
        for unit in try store.units(model: model) {
            guard let sample = samples[unit.sampleID], let dataset = datasets[sample.datasetID] else { continue }
            let prediction = predictions[unit.sampleID]
            let probability = dataset.positiveLabel.flatMap { label in
                prediction.flatMap { label < $0.probabilities.count ? Double($0.probabilities[label]) : nil }
            }
            let facts = [
                ("mask_area", CSV.number(unit.maskArea)), ("lesions", unit.maskComponents.map(String.init) ?? ""),
                ("predicted", prediction.map { "\($0.predicted)" } ?? ""), ("probability", CSV.number(probability)),
            ]
            let names = [("dataset", dataset.name), ("image", sample.name), ("patient", sample.patient ?? "")]
            let label = sample.label.map(String.init) ?? ""
            let split = sample.split ?? ""
            parts[unit.sampleID] = Parts(
                csv: (
                    (names.map { CSV.field($0.1) } + [label, CSV.field(split)]).joined(separator: ",") + ",",
                    "," + facts.map(\.1).joined(separator: ",") + "\n"
                ),
                json: (
                    "{" + names.map { "\"\($0.0)\":\($0.1.isEmpty ? "null" : HTML.json($0.1))" }.joined(separator: ",") + ",\"label\":"
                        + (label.isEmpty ? "null" : label) + ",\"split\":" + (split.isEmpty ? "null" : HTML.json(split)),
                    facts.map { ",\"\($0.0)\":\($0.1.isEmpty ? "null" : $0.1)" }.joined() + "}\n"
                ))
        }
        return parts
    }

    private func middleParts(_ model: Int, _ method: Int, _ metric: Int) -> (csv: String, json: String) {
        guard let model = models[model], let method = methods[method], let metric = metrics[metric] else { return (",,,,,,", "") }
        return (
            [
                CSV.field(model.name), model.kind.rawValue, CSV.field(method.name), method.isControl ? "1" : "0", CSV.field(metric.name),
                metric.protocolName, "",
            ].joined(separator: ","),
            ",\"model\":\(HTML.json(model.name)),\"model_kind\":\"\(model.kind.rawValue)\",\"method\":\(HTML.json(method.name)),\"is_control\":"
                + "\(method.isControl),\"metric\":\(HTML.json(metric.name)),\"protocol\":\"\(metric.protocolName)\""
        )
    }
}
