import VitrineData
import VitrineEvaluate
import VitrineModel

/// The study behind a verdict on one model and its images: every method by the primary metric of every question, with chance and controls.
///
/// Without masks it asks what the model alone can answer, and needs no controls, which know no model.
public struct VerdictStudy: Sendable {
    /// The checkpoint and the images, as seen from the folder of the study file.
    public var model: String
    public var data: String
    /// Kind of the data, by `Datasets.kind`, and options of its adapter.
    public var kind: String
    public var options: [String: String] = [:]
    /// Experts' masks, where the data does not bring them.
    public var masks: String?
    /// Whether there are any.
    public var hasMasks = true
    public var preprocess: String?
    public var target = StudyTarget.positive
    /// Methods as a study file writes them; the controls stand beside them.
    public var methods = Self.standardMethods
    /// Metrics beside those of the verdict.
    public var metrics: [String] = []
    /// Images at most.
    public var limit = 24
    public var seed: UInt64 = 0
    /// What the checkpoint does not show.
    public var settings: [LoadSetting: String] = [:]

    /// Methods that draw nothing at random and ask for a few passes each.
    public static let standardMethods = ["attention", "rollout", "gradcam", "generic-attention", "chefer-stable"]
    /// What every map is compared with.
    public static let controls = ["centre", "random-patch"]
    /// In the order of the questions; the first is the one that says where a map points.
    public static let standardMetrics = [
        "average-precision", "pointing-game", "deletion", "insertion", "parameter-randomisation", "class-sensitivity",
        "quantisation-stability", "gini",
    ]

    /// Names of the column and of the data set.
    public var modelName: String
    public var dataName: String

    public init(model: String, data: String, kind: String) {
        self.model = model
        self.data = data
        self.kind = kind
        modelName = Self.name(model)
        dataName = Self.name(data)
    }

    private var everyMetric: [String] {
        let standard = Self.standardMetrics.filter { hasMasks || MetricRegistry.facts($0)?.family != .localisation }
        return standard + metrics.filter { !standard.contains($0) }
    }

    /// The study file.
    public var text: String {
        var lines = [
            "# Written by vitrine trust; the results beside it go on from where they are.",
            "title: \(quoted("Which maps of \(modelName) deserve trust on \(dataName)"))", "seed: \(seed)", "target: \(target)",
            "protocols: [corrected]",
            list("metrics", everyMetric),
            list("methods", hasMasks ? methods.filter { !Self.controls.contains($0) } + Self.controls : methods),
            "datasets:", "  \(quoted(dataName)):", "    kind: \(kind)", "    path: \(quoted(data))", "    limit: \(limit)",
        ]
        if let masks { lines += ["    annotations: \(quoted(masks))", "    annotation-format: masks"] }
        if let preprocess { lines.append("    preprocess: \(quoted(preprocess))") }
        lines += options.sorted { $0.key < $1.key }.map { "    \($0.key): \(quoted($0.value))" }
        lines += ["models:", "  - name: \(quoted(modelName))", "    path: \(quoted(model))"]
        for setting in LoadSetting.allCases {
            if let text = settings[setting] { lines.append("    \(setting.rawValue): \(quoted(text))") }
        }
        return (lines + ["output: results"]).joined(separator: "\n") + "\n"
    }

    private func list(_ key: String, _ items: [String]) -> String { "\(key): [\(items.map(quoted).joined(separator: ", "))]" }

    /// The last part of a path without its ending, in letters that every file system takes.
    public static func name(_ path: String) -> String {
        let last = path.split(separator: "/").last { $0 != "." && $0 != ".." } ?? "data"
        // A table or a model of a usual name says less than its folder.
        let parts = path.split(separator: "/").filter { $0 != "." && $0 != ".." }
        let usual: Set<Substring> = ["labels.csv", "model.safetensors", "images"]
        let chosen = usual.contains(last) && parts.count > 1 ? parts[parts.count - 2] : last
        let stem = chosen.lastIndex(of: ".").map { $0 > chosen.startIndex ? chosen[..<$0] : chosen } ?? chosen
        let safe = stem.map { $0.isLetter || $0.isNumber || "-_".contains($0) ? $0 : "-" }
        return safe.allSatisfy { $0 == "-" } ? "data" : String(safe)
    }
}
