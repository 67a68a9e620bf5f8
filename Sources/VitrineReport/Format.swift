import Foundation
import VitrineEvaluate

/// Numbers as readers see them; rounding happens here and nowhere else.
enum Format {
    /// With a fixed number of decimals; no minus sign before zero.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite else { return value.isNaN ? "–" : value < 0 ? "-∞" : "∞" }
        let text = String(format: "%.\(decimals)f", value)
        return text.hasPrefix("-") && !text.contains { ("1"..."9").contains($0) } ? String(text.dropFirst()) : text
    }

    /// Scores, shares and correlations.
    static func score(_ value: Double?) -> String { value.map { fixed($0, 3) } ?? "–" }

    /// Three significant digits, for the raw values of maps.
    static func significant(_ value: Float) -> String { String(format: "%.3g", Double(value)) }

    /// Two or more significant digits, so that tiny lesions do not become 0 %.
    static func percent(_ share: Double) -> String {
        let value = 100 * share
        return fixed(value, value == 0 || value >= 10 ? 0 : value >= 1 ? 1 : value >= 0.1 ? 2 : 3) + " %"
    }

    static func pValue(_ value: Double?) -> String {
        guard let value else { return "–" }
        return value < 0.001 ? "< 0.001" : fixed(value, 3)
    }

    /// `= 0.012`, `< 0.001`.
    static func equals(_ value: Double) -> String { value < 0.001 ? "< 0.001" : "= \(fixed(value, 3))" }

    /// `0.12 to 0.34`, with a word where it is not an interval of the usual kind.
    static func interval(_ interval: Interval) -> String {
        switch interval.method {
        case .undefined: "no interval"
        case .constant: "all images equal"
        default: "\(fixed(interval.lower, 3)) to \(fixed(interval.upper, 3))"
        }
    }

    /// `1 image`, `3 images`.
    static func count(_ number: Int, _ noun: String, plural: String? = nil) -> String {
        "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
    }

    /// `a, b and c`.
    static func list(_ items: [String]) -> String {
        guard items.count > 1, let last = items.last else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " and " + last
    }
}
