/// Fields of CSV files that a spreadsheet opens without executing anything; the one writer of all tables.
///
/// Everything is decided by Unicode scalars: Swift takes `\r\n`, or `=` with a combining mark, for one character that equals neither
/// `\r` nor `=`, while a spreadsheet sees the first scalar.
public enum CSV {
    /// What a spreadsheet takes for the beginning of a formula or passes over in front of one; the last four are the full-width forms.
    private static let dangerous = Set("=+-@\t\r\n\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}".unicodeScalars)
    private static let quoted = Set(",\"\n\r".unicodeScalars)

    /// Quoted where needed; what a spreadsheet would take for a formula is disarmed by an apostrophe.
    public static func field(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let needsQuotes = scalars.contains { quoted.contains($0) }
        var safe = String.UnicodeScalarView()
        if needsQuotes { safe.append("\"") }
        if let first = scalars.first, dangerous.contains(first) { safe.append("'") }
        for scalar in scalars {
            safe.append(scalar)
            if scalar == "\"" { safe.append(scalar) }
        }
        if needsQuotes { safe.append("\"") }
        return String(safe)
    }

    /// The shortest digits that read back as the same number; empty where there is none.
    public static func number(_ value: Double?) -> String { value.map { $0.isFinite ? "\($0)" : "" } ?? "" }

    public static func line(_ fields: [String]) -> String { fields.joined(separator: ",") + "\n" }
}
