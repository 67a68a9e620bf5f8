import Foundation
import GRDB
import VitrineTensor

extension Store {
    /// SHA-256 over everything a report depends on, in hexadecimal: all tables but `timing`, `run` and `seal`, their rows in the order of the plan.
    ///
    /// Two stores of the same study, however they were interrupted, sharded and merged, have the same digest, and so does one that grew.
    public func contentDigest() throws(StoreError) -> String {
        try digest(StoreSchema.contentTables)
    }

    /// The digest of the plan alone.
    package func planDigest() throws(StoreError) -> String {
        try digest(StoreSchema.planTables)
    }

    private func digest(_ tables: [StoreTable]) throws(StoreError) -> String {
        try read("all") { db in
            var hash = SHA256()
            for table in tables {
                hash.update(Array(table.name.utf8) + [0])
                let rows = try Row.fetchCursor(db, sql: "SELECT * FROM \(table.current) ORDER BY \(table.order)")
                while let row = try rows.next() {
                    for value in row.databaseValues { hash.update(Self.bytes(value)) }
                }
            }
            return hash.hexadecimal()
        }
    }

    /// A value with its type and length, so that no two rows look alike.
    private static func bytes(_ value: DatabaseValue) -> [UInt8] {
        switch value.storage {
        case .null: return [0]
        case .int64(let number): return [1] + little(UInt64(bitPattern: number))
        case .double(let number): return [2] + little(number.bitPattern)
        case .string(let text): return [3] + little(UInt64(text.utf8.count)) + Array(text.utf8)
        case .blob(let data): return [4] + little(UInt64(data.count)) + [UInt8](data)
        }
    }

    private static func little(_ word: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
}
