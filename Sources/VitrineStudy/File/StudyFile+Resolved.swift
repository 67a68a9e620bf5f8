import VitrineEvaluate
import VitrineModel
import VitrineTensor

extension StudyFile {
    /// The study as YAML with every default spelled out; reading it gives the same study.
    public var resolved: String { yaml(isFingerprint: false) }

    /// As `resolved`, without what differs between shards and machines (batch, workers, output).
    var resolvedForStore: String { yaml(isFingerprint: false, namesRun: false) }

    /// SHA-256 of what determines the results: the resolved study without title, batch, workers and output.
    public var fingerprint: String { sha256(of: Array(yaml(isFingerprint: true).utf8)) }

    /// What every result depends on, a line per value.
    var commonLines: [String] {
        [
            "seed: \(seed)", "target: \(target)", "permutations: \(permutations)", "stability: \(stabilityDraws)",
            "control-grid: \(controlGrid)",
        ]
    }

    private func yaml(isFingerprint: Bool, namesRun: Bool = true) -> String {
        var lines: [String] = []
        if !isFingerprint { lines.append("title: \(quoted(title))") }
        let common = commonLines
        lines += common[..<2]
        lines.append("protocols: [\(protocols.map(\.rawValue).joined(separator: ", "))]")
        lines += common[2...]
        if !isFingerprint && namesRun {
            lines.append("batch: \(batch)")
            lines.append("workers: \(workers)")
            lines.append("output: \(quoted(output))")
        }
        lines.append("metrics:")
        lines += metrics.map { "  - \(quoted($0))" }
        lines.append("methods:")
        lines += methods.map { "  - \(quoted($0.name))" }
        lines.append("datasets:")
        for dataset in datasets {
            lines.append("  \(quoted(dataset.name)):")
            lines += dataset.resolvedLines(isFingerprint: isFingerprint).map { "    " + $0 }
        }
        if models.isEmpty { lines.append("models: []") } else { lines.append("models:") }
        for model in models {
            let inner = model.resolvedLines
            lines += inner.enumerated().map { ($0 == 0 ? "  - " : "    ") + $1 }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension StudyFile {
    /// What decides how a model is loaded, beside its file.
    func loading(_ model: StudyModel) -> [String] {
        var lines = model.resolvedLines.filter { line in !["name: ", "pattern: ", "datasets: "].contains { line.hasPrefix($0) } }
        if case .randomWeights(let like, _) = model.source, let other = models.first(where: { $0.name == like }) {
            lines += loading(other)
        }
        return lines
    }
}

extension StudyDataset {
    fileprivate func resolvedLines(isFingerprint: Bool) -> [String] {
        var lines = ["kind: \(kind)", "path: \(quoted(path))"]
        if let split { lines.append("split: [\(split.map(\.rawValue).joined(separator: ", "))]") }
        if let drawn { lines.append("draw-split: {validation: \(drawn.validation), test: \(drawn.test), seed: \(drawn.seed)}") }
        if let preprocess { lines.append("preprocess: \(quoted("\(preprocess)"))") }
        lines.append("explain: \(explained.rawValue)")
        lines.append("others: \(others.rawValue)")
        if let limit {
            lines.append("limit: \(limit)")
            let rule = limitRule ?? .patients
            // Studies that drew by order before there was a choice keep their fingerprints.
            if !(isFingerprint && rule == .order) { lines.append("limit-by: \(rule.rawValue)") }
        }
        for (key, value) in options.sorted(by: { $0.key < $1.key }) where key != "missing" { lines.append("\(key): \(quoted(value))") }
        return lines
    }
}

extension StudyModel {
    fileprivate var resolvedLines: [String] {
        var lines = ["name: \(quoted(name))"]
        switch source {
        case .checkpoint(let pattern): lines.append("pattern: \(quoted(pattern))")
        case .trained(let training):
            lines.append(training.recipe == nil && training.fields.isEmpty ? "train: {}" : "train:")
            if let recipe = training.recipe { lines.append("  recipe: \(quoted(recipe))") }
            lines += training.fields.map { "  \($0.name): \(quoted($0.value))" }
        case .randomWeights(let like, let seed): lines += ["random-weights: \(quoted(like))", "seed: \(seed)"]
        }
        if let datasets { lines.append("datasets: [\(datasets.map(quoted).joined(separator: ", "))]") }
        // The first three in their old order, so that the fingerprints of older studies stay.
        let first: [LoadSetting] = [.heads, .group, .prefix]
        for setting in first + LoadSetting.allCases.filter({ !first.contains($0) }) {
            guard let text = settings[setting] else { continue }
            lines.append("\(setting.rawValue): \(setting == .heads ? text : quoted(text))")
        }
        return lines
    }
}

/// A double-quoted YAML scalar.
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case _ where scalar.value < 0x20 || scalar.value == 0x7F:
            let digits = String(scalar.value, radix: 16)
            result += "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
