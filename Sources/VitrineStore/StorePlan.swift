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
