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
        var csv: (before: [UInt8], after: [UInt8])
        var json: (before: [UInt8], after: [UInt8])
    }

    func write(csv: String, jsonl: String) throws {
        var csvFile = try AtomicFile(path: csv)
        var jsonFile = try AtomicFile(path: jsonl)
        var (csvRows, jsonRows) = (Array(CSV.line(Self.columns).utf8), [UInt8]())
        let samples = Dictionary(uniqueKeysWithValues: try store.samples().map { ($0.id, $0) })
        // A store does not answer questions while it is being read through.
        var parts: [Int: [Int: Parts]] = [:]
        for model in models.keys { parts[model] = try self.parts(model, samples) }
        var own: [Int: Parts] = [:]
        var middle: (csv: [UInt8], json: [UInt8]) = ([], [])
        var column = (-1, -1, -1)
        try store.forEachScore { model, sample, score in
            if (model, score.methodID, score.metricID) != column {
                if model != column.0 { own = parts[model] ?? [:] }
                let texts = middleParts(model, score.methodID, score.metricID)
                middle = (Array(texts.csv.utf8), Array(texts.json.utf8))
                column = (model, score.methodID, score.metricID)
            }
            guard let part = own[sample] else { return }
            let (value, chance, ceiling) = (CSV.number(score.value), CSV.number(score.chance), CSV.number(score.ceiling))
            let (source, error) = (score.chanceSource ?? "", CSV.number(score.chanceError))
            csvRows += part.csv.before
            csvRows += middle.csv
            for (i, text) in [value, chance, ceiling, score.status, source, error].enumerated() {
                if i > 0 { csvRows.append(UInt8(ascii: ",")) }
                csvRows += text.utf8
            }
            csvRows += part.csv.after
            func field(_ name: String, _ text: String, isQuoted: Bool = false) {
                jsonRows += name.utf8
                if isQuoted { jsonRows.append(UInt8(ascii: "\"")) }
                jsonRows += text.isEmpty && !isQuoted ? "null".utf8 : text.utf8
                if isQuoted { jsonRows.append(UInt8(ascii: "\"")) }
            }
            jsonRows += part.json.before
            jsonRows += middle.json
            field(",\"value\":", value)
            field(",\"chance\":", chance)
            field(",\"ceiling\":", ceiling)
            field(",\"status\":", score.status, isQuoted: true)
            field(",\"chance_source\":", source, isQuoted: !source.isEmpty)
            field(",\"chance_error\":", error)
            jsonRows += part.json.after
            if csvRows.count > 1 << 20 {
                try csvFile.write(csvRows)
                try jsonFile.write(jsonRows)
                csvRows.removeAll(keepingCapacity: true)
                jsonRows.removeAll(keepingCapacity: true)
            }
        }
        try csvFile.write(csvRows)
        try jsonFile.write(jsonRows)
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
            let csv = (names.map { CSV.field($0.1) } + [label, CSV.field(split)]).joined(separator: ",") + ","
            let jsonNames = names.map { "\"\($0.0)\":\($0.1.isEmpty ? "null" : HTML.json($0.1))" }.joined(separator: ",")
            let jsonLabel = label.isEmpty ? "null" : label
            let jsonSplit = split.isEmpty ? "null" : HTML.json(split)
            let jsonFacts = facts.map { ",\"\($0.0)\":\($0.1.isEmpty ? "null" : $0.1)" }.joined()
            parts[unit.sampleID] = Parts(
                csv: (Array(csv.utf8), Array(",\(facts.map(\.1).joined(separator: ","))\n".utf8)),
                json: (
                    Array("{\(jsonNames),\"label\":\(jsonLabel),\"split\":\(jsonSplit)".utf8), Array("\(jsonFacts)}\n".utf8)
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
