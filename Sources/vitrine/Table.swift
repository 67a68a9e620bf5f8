import Foundation

/// Rows of a CSV file that this program wrote.
enum Table {
    /// - Throws: `CommandFailure` for a file that is no text or whose quotes never close.
    static func read(_ path: String) throws -> [[String]] {
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
            throw CommandFailure("\(path): cannot be read as a CSV file")
        }
        var rows: [[String]] = [[]]
        var field = String.UnicodeScalarView()
        var isQuoted = false
        var wasQuote = false
        func end() {
            // The apostrophe that disarms a formula is not part of the text.
            var text = String(field)
            if text.hasPrefix("'"), let second = text.dropFirst().unicodeScalars.first, "=+-@".unicodeScalars.contains(second) {
                text.removeFirst()
            }
            rows[rows.count - 1].append(text)
            field = String.UnicodeScalarView()
        }
        for scalar in text.unicodeScalars {
            if isQuoted && !wasQuote {
                if scalar == "\"" { wasQuote = true } else { field.append(scalar) }
                continue
            }
            if wasQuote {
                wasQuote = false
                if scalar == "\"" {
                    field.append(scalar)
                    continue
                }
                isQuoted = false
            }
            switch scalar {
            case "\"": isQuoted = true
            case ",": end()
            case "\n":
                end()
                rows.append([])
            case "\r": break
            default: field.append(scalar)
            }
        }
        guard !isQuoted || wasQuote else { throw CommandFailure("\(path): a quotation mark is never closed; is this a CSV file?") }
        if !field.isEmpty || rows[rows.count - 1].count > 0 { end() } else { rows.removeLast() }
        return rows
    }
}
