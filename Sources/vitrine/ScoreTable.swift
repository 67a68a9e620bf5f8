import Foundation
import VitrineEvaluate
import VitrineTensor

/// The scores of a folder of maps as a CSV file and as a table on the terminal.
struct ScoreTable {
    /// As in the `scores.csv` of a study; `item` names the map's file, `map` says what was scored.
    static let columns = [
        "item", "image", "patient", "method", "is_control", "metric", "protocol", "value", "chance", "ceiling", "status", "chance_source",
        "chance_error", "mask_area", "map", "better", "reason", "curve",
    ]

    let entries: [Evaluator.Entry]
    let rules: EvaluationProtocol
    let patients: PatientTable?

    func csv(_ all: [MapScores]) -> String {
        all.reduce(into: CSV.line(Self.columns)) { text, map in
            for (m, entry) in entries.enumerated() {
                let score = map.scores.indices.contains(m) ? map.scores[m] : nil
                let names: [String] = [map.item, map.image, patients?.patient(map.image) ?? "", map.method].map(CSV.field)
                let metric: [String] = [map.isControl ? "1" : "0", CSV.field(entry.metric.identifier), entry.rules.rawValue]
                let numbers: [String] = [score?.value, score?.chance, score?.ceiling].map(CSV.number)
                let error: Double? = score?.chance == nil ? nil : score?.chanceStandardError
                let chance: [String] = [score?.status.rawValue ?? map.status, score?.chanceSource?.rawValue ?? "", CSV.number(error)]
                let scored = map.scores.isEmpty ? "" : map.isNative ? "native" : "displayed"
                let curve = (score?.curve ?? []).map { "\($0)" }.joined(separator: " ")
                let rest: [String] = [
                    CSV.number(map.maskArea), scored, entry.metric.better.rawValue, CSV.field(score?.reason ?? ""), curve,
                ]
                text += CSV.line(names + metric + numbers + chance + rest)
            }
        }
    }

    /// Means by method and metric, over the maps where the metric is defined, with intervals.
    func summary(_ all: [MapScores], seed: UInt64, workers: Int) throws -> String {
        let scored = all.filter { !$0.scores.isEmpty }
        let width = max(24, (entries.map { $0.metric.identifier.count }.max() ?? 0) + 2)
        let unit = patients == nil ? "images" : "patients"
        var lines = [
            "method".padded(24) + "metric".padded(width) + "better  "
                + "   n    mean   chance  ceiling   95 % interval over \(unit)   (protocol \(rules.rawValue))"
        ]
        for method in Set(scored.map(\.method)).sorted() {
            for (m, entry) in entries.enumerated() {
                let maps = scored.filter { $0.method == method && $0.scores[m].value != nil }
                let scores = maps.map { $0.scores[m] }
                let mean = { (value: (Score) -> Double?) -> String in
                    let values = scores.compactMap(value)
                    return values.isEmpty ? "     -" : String(format: "%6.3f", values.reduce(0, +) / Double(values.count))
                }
                let n = String(scores.count)
                lines.append(
                    (method.isEmpty ? "-" : method).padded(24) + entry.metric.identifier.padded(width)
                        + (entry.metric.better == .none ? "-" : entry.metric.better.rawValue).padded(8)
                        + String(repeating: " ", count: max(0, 4 - n.count)) + n
                        + "  " + mean(\.value) + "   " + mean(\.chance) + "   " + mean(\.ceiling) + "   "
                        + (try interval(maps, metric: m, seed: seed, workers: workers)))
            }
        }
        return lines.joined(separator: "\n")
    }

    /// The BCa interval of the mean; patients are resampled whole.
    private func interval(_ maps: [MapScores], metric: Int, seed: UInt64, workers: Int) throws -> String {
        guard !maps.isEmpty else { return "-" }
        let clusters = Clusters(maps.map { patients?.patient($0.image) ?? $0.image })
        guard clusters.count > 1 else { return "- (one \(patients == nil ? "image" : "patient"))" }
        let ratio = try ClusterRatio.mean(maps.map { $0.scores[metric].value ?? .nan }, clusters: clusters)
        let interval = try ClusterResamples(clusters: clusters.count, seed: seed, workers: workers).interval(of: ratio)
        let text = String(format: "%.3f to %.3f", interval.lower, interval.upper)
        return patients == nil ? text : "\(text) (\(clusters.count))"
    }
}
