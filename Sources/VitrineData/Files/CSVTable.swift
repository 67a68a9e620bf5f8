import Foundation
import SwiftCSV

/// A CSV file: named columns, and rows that know their number as a spreadsheet shows it (the header is row 1).
struct CSVTable {
    struct Row {
        let number: Int
        let fields: [String]
    }

    let path: String
    let header: [String]
    let rows: [Row]
    /// Semicolons or tabs separate the fields; numbers may then have decimal commas.
    private let delimiter: CSVDelimiter

    /// - Parameter hasHeader: false for files such as MURA's lists, whose first row is data already; `header` is then empty.
    init(path: String, hasHeader: Bool = true, neededBy: String) throws(DataError) {
        self.path = path
        var text = try readText(path, neededBy: neededBy)
        var skippedRows = 0
        if text.hasPrefix("\u{FEFF}") { text.removeFirst() }
        // The line by which spreadsheets tell each other the separator.
        if hasHeader, text.prefix(5).lowercased().hasPrefix("sep="), let end = text.firstIndex(where: \.isNewline) {
            text = String(text[text.index(after: end)...])
            skippedRows = 1
        }
        delimiter = hasHeader ? Self.delimiter(of: text) : .comma
        // Inside quotes a quote is doubled, so an odd number means that one was never closed: the rest of the file would be one field.
        guard text.utf8.count(where: { $0 == UInt8(ascii: "\"") }) % 2 == 0 else {
            throw .malformed(file: path, place: "whole file", reason: "a quotation mark is never closed; close it")
        }
        var all: [Row] = []
        do {
            let csv = try CSV<Enumerated>(string: text, delimiter: delimiter, loadColumns: false, rowLimit: 0)
            var number = skippedRows
            try csv.enumerateAsArray(startAt: 0, rowLimit: nil) { fields in
                number += 1
                let trimmed = fields.map { $0.trimmingCharacters(in: .whitespaces) }
                if trimmed.contains(where: { !$0.isEmpty }) { all.append(Row(number: number, fields: trimmed)) }
            }
        } catch {
            throw .malformed(
                file: path, place: "row \(all.count + 1) or after", reason: "is no CSV (\(error)); quote fields that hold quotes")
        }
        guard hasHeader else {
            (header, rows) = ([], all)
            return
        }
        guard let first = all.first else {
            throw .malformed(file: path, place: "row 1", reason: "is missing; the first row names the columns")
        }
        header = first.fields
        rows = Array(all.dropFirst())
        for (i, name) in header.enumerated() {
            guard !name.isEmpty || i == 0 || i == header.count - 1 else {
                throw .malformed(file: path, place: "row 1", reason: "column \(i + 1) has no name")
            }
            guard name.isEmpty || !header[..<i].contains(name) else {
                throw .malformed(file: path, place: "row 1", reason: "column '\(name)' stands there twice")
            }
        }
        for row in rows where row.fields.count > header.count {
            throw .malformed(
                file: path, place: "row \(row.number)",
                reason: "has \(row.fields.count) fields, the header has \(header.count); quote fields that hold commas")
        }
    }

    /// The separator of the header: commas, else the more frequent of semicolons and tabs, outside of quotes.
    private static func delimiter(of text: String) -> CSVDelimiter {
        var counts: [Character: Int] = [:]
        var isQuoted = false
        for character in text.drop(while: \.isNewline) {
            if character == "\"" { isQuoted.toggle() }
            if isQuoted { continue }
            if character.isNewline { break }
            if character == "," { return .comma }
            if character == ";" || character == "\t" { counts[character, default: 0] += 1 }
        }
        let (semicolons, tabs) = (counts[";"] ?? 0, counts["\t"] ?? 0)
        return semicolons + tabs == 0 ? .comma : semicolons >= tabs ? .semicolon : .tab
    }

    /// The position of a column: as written, else the only one that differs in nothing but case.
    func column(_ name: String) -> Int? {
        if let exact = header.firstIndex(of: name) { return exact }
        let alike = header.indices.filter { header[$0].lowercased() == name.lowercased() }
        return alike.count == 1 ? alike[0] : nil
    }

    /// Whether a column is the row numbers that pandas writes: first, and without a name of its own.
    func isIndex(_ column: Int) -> Bool { header[column].isEmpty || (column == 0 && header[0].hasPrefix("Unnamed:")) }

    func requiredColumn(_ name: String) throws(DataError) -> Int {
        guard let column = column(name) else { throw .missingColumn(file: path, column: name, found: header) }
        return column
    }

    /// The field of a row, nil where it is empty or where the column does not exist.
    func field(_ row: Row, _ column: Int?) -> String? {
        guard let column, column < row.fields.count, !row.fields[column].isEmpty else { return nil }
        return row.fields[column]
    }

    func required(_ row: Row, _ column: Int) throws(DataError) -> String {
        guard let value = field(row, column) else {
            throw .malformed(file: path, place: "row \(row.number)", reason: "column '\(header[column])' is empty")
        }
        return value
    }

    func number(_ row: Row, _ column: Int) throws(DataError) -> Double {
        let text = try required(row, column)
        // Where commas do not separate fields, they may stand for the decimal point.
        let plain = delimiter == .comma ? text : text.replacing(",", with: ".")
        guard let value = Double(plain), value.isFinite else {
            throw .malformed(
                file: path, place: "row \(row.number)", reason: "column '\(header[column])' holds '\(text)', which is no number")
        }
        return value
    }

    func integer(_ row: Row, _ column: Int) throws(DataError) -> Int {
        let value = try number(row, column)
        guard let exact = Int(exactly: value) else {
            throw .malformed(
                file: path, place: "row \(row.number)", reason: "column '\(header[column])' holds \(value), which is no whole number")
        }
        return exact
    }
}
