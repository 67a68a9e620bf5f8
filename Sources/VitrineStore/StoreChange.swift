import GRDB

/// A transaction that keeps the checksums of what it writes.
final class StoreChange {
    let db: Database
    private var seals = StoreSeals()

    init(_ db: Database) { self.db = db }

    /// A row, all columns in their order.
    func insert(_ table: StoreTable, _ values: [(any DatabaseValueConvertible)?]) throws {
        let stored = values.map { $0?.databaseValue ?? .null }
        let places = repeatElement("?", count: stored.count).joined(separator: ", ")
        try db.cachedStatement(sql: "INSERT INTO \(table.name) VALUES (\(places))").execute(arguments: StatementArguments(stored))
        seals.add(stored, of: table, positions: try table.positions(db))
    }

    /// Gives columns of the rows that satisfy a condition new values.
    func update(
        _ table: StoreTable, set values: [String: (any DatabaseValueConvertible)?], where condition: String, _ arguments: StatementArguments
    ) throws {
        let columns = try db.columns(in: table.name).map(\.name)
        let rows = try Row.fetchAll(db, sql: "SELECT * FROM \(table.name) WHERE \(condition)", arguments: arguments)
        try delete(table, where: condition, arguments)
        for row in rows {
            var stored = Array(row.databaseValues)
            for (i, column) in columns.enumerated() {
                if let value = values[column] { stored[i] = value?.databaseValue ?? .null }
            }
            try insert(table, stored)
        }
    }

    /// Removes the rows that satisfy a condition.
    func delete(_ table: StoreTable, where condition: String, _ arguments: StatementArguments) throws {
        let rows = try Row.fetchCursor(db, sql: "SELECT * FROM \(table.name) WHERE \(condition)", arguments: arguments)
        var found = false
        while let row = try rows.next() {
            found = true
            seals.remove(Array(row.databaseValues), of: table, positions: try table.positions(db))
        }
        if found { try db.execute(sql: "DELETE FROM \(table.name) WHERE \(condition)", arguments: arguments) }
    }

    /// Writes the checksums; the last thing in a transaction.
    func seal() throws {
        try seals.merge(into: db)
        seals = StoreSeals()
    }
}
