import GRDB

/// What a study is going to compute: the tables that are written before any result, equal in every shard.
public struct StorePlan: Sendable, Equatable {
    /// Facts about the study by name; `StudyKey` lists those that are always there.
    public var study: [String: String]
    public var datasets: [DatasetRecord]
    public var samples: [SampleRecord]
    public var models: [ModelRecord]
    public var methods: [MethodRecord]
    public var metrics: [MetricRecord]

    public init(
        study: [String: String], datasets: [DatasetRecord], samples: [SampleRecord], models: [ModelRecord], methods: [MethodRecord],
        metrics: [MetricRecord]
    ) {
        self.study = study
        self.datasets = datasets
        self.samples = samples
        self.models = models
        self.methods = methods
        self.metrics = metrics
    }

    func insert(into db: Database) throws {
        for (name, value) in study.sorted(by: { $0.key < $1.key }) {
            try db.execute(sql: "INSERT INTO study VALUES (?, ?)", arguments: [name, value])
        }
        for d in datasets {
            try db.execute(
                sql: "INSERT INTO dataset VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    d.id, d.name, d.kind, d.title, d.citation, d.path, d.hasImages, StoreText.list(d.classNames), d.positiveLabel,
                    d.positiveClass,
                ])
        }
        let insertSample = try db.makeStatement(sql: "INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        for s in samples {
            try insertSample.execute(arguments: [
                s.id, s.datasetID, s.name, s.role.rawValue, s.label, s.patient, s.split, s.imagePath, s.maskPath,
            ])
        }
        for m in models {
            try db.execute(
                sql: "INSERT INTO model VALUES (?, ?, ?, ?, ?)", arguments: [m.id, m.datasetID, m.name, m.kind.rawValue, m.path])
        }
        for m in methods {
            try db.execute(
                sql: "INSERT INTO method VALUES (?, ?, ?, ?, ?, ?, ?)",
                arguments: [m.id, m.name, m.identifier, m.summary, m.citation, m.isControl, m.isClassSpecific])
        }
        for m in metrics {
            try db.execute(
                sql: "INSERT INTO metric VALUES (?, ?, ?, ?, ?)", arguments: [m.id, m.name, m.protocolName, m.summary, m.citation])
        }
    }
}

/// Names in the table `study`.
public enum StudyKey {
    /// The resolved study file, as text.
    public static let resolved = "resolved"
    /// SHA-256 of what determines the results: the resolved file without workers, output and the like.
    public static let fingerprint = "fingerprint"
    /// The title of the report.
    public static let title = "title"
    /// What decides the weights of the models that the study trains, a line for each field; absent where it trains none.
    public static let training = "training"
    /// Seed of all random draws.
    public static let seed = "seed"
}

/// Lists of text as a store holds them: a JSON array.
enum StoreText {
    static func list(_ items: [String]) -> String {
        "[" + items.map { quoted($0) }.joined(separator: ",") + "]"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
