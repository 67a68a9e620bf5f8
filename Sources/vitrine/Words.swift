import Foundation
import VitrineImage

/// Numbers and lists in sentences.
enum Words {
    /// Three digits, and never a rounded 1 or 0 for what is neither.
    static func probability(_ p: Float) -> String {
        guard p.isFinite else { return "not a number" }
        if p > 0.999 && p < 1 { return "> 0.999" }
        if p < 0.001 && p > 0 { return "< 0.001" }
        return String(format: "%.3f", p)
    }

    /// A class by its index, and by its name where that says more.
    static func classLabel(_ index: Int, _ name: String?) -> String {
        guard let name, name != "\(index)" else { return "\(index)" }
        return "\(index) \(name)"
    }

    static func logit(_ value: Float) -> String { String(format: "%.3f", value) }

    static func correlation(_ r: Double?) -> String { r.map { String(format: "%.3f", $0) } ?? "undefined" }

    /// Up to five names.
    static func some(_ names: [String]) -> String {
        names.prefix(5).map(\.printable).joined(separator: ", ") + (names.count > 5 ? ", ... (\(names.count))" : "")
    }

    /// Methods that a model cannot serve, in one line for each reason.
    static func leftOut(_ methods: [(name: String, reason: String)]) -> [String] {
        var groups: [(reason: String, names: [String])] = []
        for method in methods {
            let reason = method.reason.replacing("method '\(method.name)'", with: "each")
            if let i = groups.firstIndex(where: { $0.reason == reason }) {
                groups[i].names.append(method.name)
            } else {
                groups.append((reason, [method.name]))
            }
        }
        return groups.map { group in
            group.names.count == 1
                ? "note: method '\(group.names[0])' is left out: \(group.reason.replacing("each needs", with: "it needs"))"
                : "note: \(group.names.count) methods are left out: \(group.reason): \(group.names.joined(separator: ", "))"
        }
    }

    static func count(_ n: Int, _ one: String, _ many: String) -> String { "\(n) \(n == 1 ? one : many)" }
}
