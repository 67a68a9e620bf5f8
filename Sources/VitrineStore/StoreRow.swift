import Foundation
import GRDB

/// A column of a statement, by name.
struct StoreColumn: ExpressibleByStringLiteral, Sendable {
    let name: String
    /// Where it stands in the statement, if that is known: found without a search, which counts where rows come by the million.
    let place: Int?

    init(_ name: String, at place: Int? = nil) {
        self.name = name
        self.place = place
    }

    init(stringLiteral name: String) { self.init(name) }
}

/// A row as a stranger may have left it: every column is asked for by name and type, and what is not so is said, not trapped on.
struct StoreRow {
    struct Unreadable: Error, CustomStringConvertible {
        let reason: String
        var description: String { reason }
    }

    private let row: Row

    init(_ row: Row) { self.row = row }

    func integer(_ column: StoreColumn) throws(Unreadable) -> Int64 {
        guard let value = try optionalInteger(column) else { throw wrong(column, "is NULL") }
        return value
    }

    private func optionalInteger(_ column: StoreColumn) throws(Unreadable) -> Int64? {
        switch try storage(column) {
        case .null: return nil
        case .int64(let number): return number
        default: throw wrong(column, "is no whole number")
        }
    }

    /// An id, a count or a size: 0 or more, and small enough to be multiplied with another one.
    func count(_ column: StoreColumn) throws(Unreadable) -> Int {
        guard let value = try optionalCount(column) else { throw wrong(column, "is NULL") }
        return value
    }

    func optionalCount(_ column: StoreColumn) throws(Unreadable) -> Int? {
        guard let number = try optionalInteger(column) else { return nil }
        guard (0...Int64(Int32.max)).contains(number) else { throw wrong(column, "is \(number)") }
        return Int(number)
    }

    /// As `count`, with nil for -1.
    func countOrNone(_ column: StoreColumn) throws(Unreadable) -> Int? {
        try integer(column) == -1 ? nil : try count(column)
    }

    func flag(_ column: StoreColumn) throws(Unreadable) -> Bool {
        switch try integer(column) {
        case 0: return false
        case 1: return true
        case let other: throw wrong(column, "is \(other), neither 0 nor 1")
        }
    }

    func number(_ column: StoreColumn) throws(Unreadable) -> Double {
        guard let value = try optionalNumber(column) else { throw wrong(column, "is NULL") }
        return value
    }

    func optionalNumber(_ column: StoreColumn) throws(Unreadable) -> Double? {
        switch try storage(column) {
        case .null: return nil
        case .double(let number): return number
        case .int64(let number): return Double(number)
        default: throw wrong(column, "is no number")
        }
    }

    /// 0...1, or nil.
    func optionalShare(_ column: StoreColumn) throws(Unreadable) -> Double? {
        guard let value = try optionalNumber(column) else { return nil }
        guard (0...1).contains(value) else { throw wrong(column, "is \(value), not within 0...1") }
        return value
    }

    func text(_ column: StoreColumn) throws(Unreadable) -> String {
        guard let value = try optionalText(column) else { throw wrong(column, "is NULL") }
        return value
    }

    func optionalText(_ column: StoreColumn) throws(Unreadable) -> String? {
        switch try storage(column) {
        case .null: return nil
        case .string(let text): return text
        default: throw wrong(column, "is no text")
        }
    }

    /// A word of a closed list; a store that holds another one is damaged or newer than this program.
    func word<Word: RawRepresentable>(_ column: StoreColumn) throws(Unreadable) -> Word where Word.RawValue == String {
        let text = try text(column)
        guard let word = Word(rawValue: text) else { throw wrong(column, "is '\(text)', which is no \(Word.self)") }
        return word
    }

    /// A JSON array of texts.
    func list(_ column: StoreColumn) throws(Unreadable) -> [String] {
        let text = try text(column)
        guard let list = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else { throw wrong(column, "is no list of texts") }
        return list
    }

    func optionalFloats(_ column: StoreColumn) throws(Unreadable) -> [Float]? {
        if case .null = try storage(column) { return nil }
        return try floats(column)
    }

    func floats(_ column: StoreColumn) throws(Unreadable) -> [Float] { StoreBlob.floats(try blob(column, of: 4)) }
    func doubles(_ column: StoreColumn) throws(Unreadable) -> [Double] { StoreBlob.doubles(try blob(column, of: 8)) }
    func integers(_ column: StoreColumn) throws(Unreadable) -> [Int32] { StoreBlob.integers(try blob(column, of: 4)) }

    private func blob(_ column: StoreColumn, of size: Int) throws(Unreadable) -> Data {
        guard case .blob(let data) = try storage(column) else {
            // An empty blob of a damaged record may come as an empty text or NULL.
            throw wrong(column, "is no blob")
        }
        guard data.count % size == 0 else { throw wrong(column, "has \(data.count) bytes, no multiple of \(size)") }
        return data
    }

    private func storage(_ column: StoreColumn) throws(Unreadable) -> DatabaseValue.Storage {
        if let place = column.place {
            let value: DatabaseValue = row[place]
            return value.storage
        }
        // Most values are there: one search.
        if let value = row[column.name] as DatabaseValue?, !value.isNull { return value.storage }
        guard row.hasColumn(column.name) else { throw Unreadable(reason: "there is no column '\(column.name)'") }
        return .null
    }

    func wrong(_ column: StoreColumn, _ what: String) -> Unreadable { Unreadable(reason: "\(place)'\(column.name)' \(what)") }

    /// The keys of the row, to find it again.
    private var place: String {
        let keys = row.columnNames.filter { $0 == "id" || $0 == "name" || $0.hasSuffix("_id") }
        let values = keys.map { name -> String in
            let value: DatabaseValue = row[name]
            return switch value.storage {
            case .int64(let number): "\(name) \(number)"
            case .string(let text): "\(name) '\(text.prefix(60))'"
            default: "\(name) ?"
            }
        }
        return values.isEmpty ? "" : "row " + values.joined(separator: ", ") + ": "
    }
}
