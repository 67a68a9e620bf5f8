/// Fields of CSV files that spreadsheets open without harm.
enum CSV {
    /// Quoted where needed; what a spreadsheet would take for a formula is disarmed by an apostrophe.
    static func field(_ text: String) -> String {
        let safe = text.first.map { "=+-@\t\r".contains($0) } == true ? "'" + text : text
        return safe.contains { ",\"\n\r".contains($0) } ? "\"" + safe.replacing("\"", with: "\"\"") + "\"" : safe
    }

    /// The shortest digits that read back as the same number; empty where there is none.
    static func number(_ value: Double?) -> String { value.map { $0.isFinite ? "\($0)" : "" } ?? "" }

    static func line(_ fields: [String]) -> String { fields.joined(separator: ",") + "\n" }
}
