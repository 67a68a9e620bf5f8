import GRDB

extension Store {
    /// Whether the store holds what was written into it: the file's structure, references between tables, and the checksums of all rows.
    ///
    /// - Throws: `StoreError.damaged`, which names the table and the row.
    /// - Complexity: reads the whole file twice.
    public func verify() throws(StoreError) {
        try read("sqlite_master") { db in
            if let fault = try String.fetchOne(db, sql: "PRAGMA integrity_check(1)"), fault != "ok" {
                throw StoreError.damaged(path: path, table: "sqlite_master", reason: fault.replacing("\n", with: " "))
            }
            if let row = try Row.fetchOne(db, sql: "PRAGMA foreign_key_check") {
                let row = StoreRow(row)
                throw StoreError.damaged(
                    path: path, table: try row.text("table"),
                    reason: "a row refers to one of table \(try row.text("parent")) that is not there")
            }
            if let difference = try StoreSeals.difference(db) {
                throw StoreError.damaged(path: path, table: difference.table, reason: difference.reason)
            }
        }
    }
}
