import Foundation
import VitrineExplain

extension Stability {
    /// Below this mean correlation with itself under invisible noise, a map says as much about the noise as about the image.
    static let doubtful = 0.9

    /// Also where the correlation does not exist.
    var isDoubtful: Bool { pearsonMean.map { !($0 >= Self.doubtful) } ?? true }
}

/// How stable each method's maps were, over the images of a run.
struct StabilityTable {
    private var values: [String: [Stability]] = [:]
    private var order: [String] = []

    mutating func add(_ stabilities: [String: Stability]) {
        for (method, stability) in stabilities.sorted(by: { $0.key < $1.key }) {
            if values[method] == nil { order.append(method) }
            values[method, default: []].append(stability)
        }
    }

    /// Per method: mean and lowest correlation with itself, and a sentence where it is noise.
    var text: String {
        var lines = ["stability under invisible noise (correlation of a map with itself, 1 = unchanged):"]
        let width = max(6, order.map(\.count).max() ?? 0)
        lines.append("method".padded(width) + "  images   mean  lowest  undefined")
        var noisy: [String] = []
        for method in order {
            let all = values[method] ?? []
            let means = all.compactMap(\.pearsonMean)
            let lowest = all.compactMap(\.pearsonMinimum).min()
            let doubtful = all.count(where: \.isDoubtful)
            let number = { (value: Double?) in value.map { String(format: "%6.3f", $0) } ?? "     -" }
            lines.append(
                method.padded(width) + "  " + String(format: "%6d", all.count) + " "
                    + number(means.isEmpty ? nil : means.reduce(0, +) / Double(means.count)) + "  " + number(lowest) + "  "
                    + String(format: "%9d", all.count - means.count) + (doubtful > 0 ? "   NOISE on \(doubtful) of \(all.count)" : ""))
            if doubtful > 0 { noisy.append(method) }
        }
        if !noisy.isEmpty {
            lines.append(
                "do not read maps marked NOISE (\(noisy.joined(separator: ", "))): half a grey level of noise gives another picture (r below \(Stability.doubtful))"
            )
        }
        return lines.joined(separator: "\n")
    }
}
