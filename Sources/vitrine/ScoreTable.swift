import Foundation
import VitrineEvaluate
import VitrineTensor

/// The scores of a folder of maps as a CSV file and as a table on the terminal.
struct ScoreTable {
    /// As in the `scores.csv` of a study; `item` names the map's file, `map` says what was scored.
    static let columns = [
        "item", "image", "patient", "method", "is_control", "metric", "protocol", "value", "chance", "ceiling", "status", "chance_source",
        "chance_error", "mask_area", "map",
    ]

    let metrics: [String]
    let rules: EvaluationProtocol
    let patients: PatientTable?

    func csv(_ all: [MapScores]) -> String {
        all.reduce(into: CSV.line(Self.columns)) { text, map in
            for (m, metric) in metrics.enumerated() {
                let score = map.scores.indices.contains(m) ? map.scores[m] : nil
                let names = [map.item, map.image, patients?.patient(map.image) ?? "", map.method].map(CSV.field)
                let numbers = [score?.value, score?.chance, score?.ceiling].map(CSV.number)
                text += CSV.line(
                    names + [map.isControl ? "1" : "0", CSV.field(metric), rules.rawValue] + numbers + [
                        score?.status.rawValue ?? map.status, score?.chanceSource?.rawValue ?? "",
                        score.flatMap { $0.chance == nil ? nil : CSV.number($0.chanceStandardError) } ?? "", CSV.number(map.maskArea),
                        map.scores.isEmpty ? "" : map.isNative ? "native" : "displayed",
                    ])
            }
        }
    }

    /// Means by method and metric, over the maps where the metric is defined, with intervals.
    func summary(_ all: [MapScores], seed: UInt64, workers: Int) throws -> String {
        let scored = all.filter { !$0.scores.isEmpty }
        let unit = patients == nil ? "images" : "patients"
        var lines = [
            "method".padded(24) + "metric".padded(24)
                + "   n    mean   chance  ceiling   95 % interval over \(unit)   (protocol \(rules.rawValue))"
        ]
        for method in Set(scored.map(\.method)).sorted() {
            for (m, metric) in metrics.enumerated() {
                let maps = scored.filter { $0.method == method && $0.scores[m].value != nil }
                let scores = maps.map { $0.scores[m] }
                let mean = { (value: (Score) -> Double?) -> String in
                    let values = scores.compactMap(value)
                    return values.isEmpty ? "     -" : String(format: "%6.3f", values.reduce(0, +) / Double(values.count))
                }
                let n = String(scores.count)
                lines.append(
                    (method.isEmpty ? "-" : method).padded(24) + metric.padded(24) + String(repeating: " ", count: max(0, 4 - n.count)) + n
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
