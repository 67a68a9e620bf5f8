import Foundation
import GRDB

/// Checksums over the rows of a store: one per table, model and image.
///
/// A sum of one hash per row, so that rows may come in any order and go again. A changed bit changes the hash of its row and so the sum.
struct StoreSeals: Equatable {
    struct Key: Hashable {
        var table: String
        /// -1 where rows of all models, or of all images, count together.
        var model: Int64
        var sample: Int64
    }

    struct Sum: Equatable {
        var rows: Int64 = 0
        var sum: UInt64 = 0

        mutating func add(_ values: [DatabaseValue]) {
            rows += 1
            sum &+= hash(values)
        }
    }

    /// A model and an image within a table.
    private struct Place: Hashable {
        let model: Int64
        let sample: Int64
    }

    private(set) var sums: [Key: Sum] = [:]

    mutating func add(_ values: [DatabaseValue], of table: StoreTable, positions: StoreTable.Positions) {
        let key = Self.key(values, table, positions)
        sums[key, default: Sum()].add(values)
    }

    mutating func remove(_ values: [DatabaseValue], of table: StoreTable, positions: StoreTable.Positions) {
        let key = Self.key(values, table, positions)
        var sum = sums[key] ?? Sum()
        sum.rows -= 1
        sum.sum &-= Self.hash(values)
        sums[key] = sum
    }

    /// Adds these changes to the stored sums.
    func merge(into db: Database) throws {
        for (key, change) in sums where change != Sum() {
            let stored = try Self.stored(db, "WHERE name = ? AND model_id = ? AND sample_id = ?", [key.table, key.model, key.sample])
            var sum = stored[key] ?? Sum()
            sum.rows += change.rows
            sum.sum &+= change.sum
            if sum == Sum() {
                try db.cachedStatement(sql: "DELETE FROM seal WHERE name = ? AND model_id = ? AND sample_id = ?").execute(arguments: [
                    key.table, key.model, key.sample,
                ])
            } else {
                try Self.write(key, sum, to: db)
            }
        }
    }

    /// Seals what stands in the tables, whatever was sealed before.
    static func rewrite(_ db: Database) throws {
        try db.execute(sql: "DELETE FROM seal")
        for (key, sum) in try computed(db).sums { try write(key, sum, to: db) }
    }

    /// What the rows add up to.
    static func computed(_ db: Database) throws -> StoreSeals {
        var seals = StoreSeals()
        for table in StoreSchema.contentTables {
            let positions = try table.positions(db)
            let rows = try Row.fetchCursor(db, sql: "SELECT * FROM \(table.name)")
            // By place within the table: rows come by the million, and a table's name takes longer to hash than a row.
            var sums: [Place: Sum] = [:]
            while let row = try rows.next() {
                let values = Array(row.databaseValues)
                sums[place(values, positions), default: Sum()].add(values)
            }
            for (place, sum) in sums { seals.sums[Key(table: table.name, model: place.model, sample: place.sample)] = sum }
        }
        return seals
    }

    /// Finds the first part of a store, in the order of the tables, whose rows are not those that were written; nil when all are.
    static func difference(_ db: Database) throws -> (table: String, reason: String)? {
        let (found, expected) = (try computed(db).sums, try stored(db))
        let order = Dictionary(uniqueKeysWithValues: StoreSchema.contentTables.enumerated().map { ($1.name, $0) })
        let wrong = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }
        guard
            let key = wrong.min(by: { a, b in
                (order[a.table] ?? .max, a.model, a.sample) < (order[b.table] ?? .max, b.model, b.sample)
            })
        else { return nil }
        let place = [key.model >= 0 ? "model_id \(key.model)" : nil, key.sample >= 0 ? "sample_id \(key.sample)" : nil].compactMap { $0 }
        let what = place.isEmpty ? "what stands there" : place.joined(separator: ", ")
        let (rows, written) = (found[key]?.rows ?? 0, expected[key]?.rows ?? 0)
        let how = rows == written ? "is not what was written, by its checksum" : "has \(rows) rows where \(written) were written"
        return (key.table, "\(what) \(how)")
    }

    private static func stored(_ db: Database, _ condition: String = "", _ arguments: StatementArguments = []) throws -> [Key: Sum] {
        var sums: [Key: Sum] = [:]
        let sql = "SELECT name, model_id, sample_id, \"rows\", sum FROM seal \(condition)"
        let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
        while let row = try rows.next() {
            let row = StoreRow(row)
            let key = Key(table: try row.text("name"), model: try row.integer("model_id"), sample: try row.integer("sample_id"))
            sums[key] = Sum(rows: try row.integer("rows"), sum: UInt64(bitPattern: try row.integer("sum")))
        }
        return sums
    }

    private static func write(_ key: Key, _ sum: Sum, to db: Database) throws {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO seal VALUES (?, ?, ?, ?, ?)").execute(arguments: [
            key.table, key.model, key.sample, sum.rows, Int64(bitPattern: sum.sum),
        ])
    }

    // MARK: Rows

    private static func key(_ values: [DatabaseValue], _ table: StoreTable, _ positions: StoreTable.Positions) -> Key {
        let place = place(values, positions)
        return Key(table: table.name, model: place.model, sample: place.sample)
    }

    private static func place(_ values: [DatabaseValue], _ positions: StoreTable.Positions) -> Place {
        func id(_ position: Int?) -> Int64 {
            guard let position, case .int64(let id) = values[position].storage else { return -1 }
            return id
        }
        return Place(model: id(positions.model), sample: id(positions.sample))
    }

    /// Eight bytes at a time; each step can be undone, so that two rows that differ in one step never meet again in the next.
    private static func hash(_ values: [DatabaseValue]) -> UInt64 {
        var state: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ word: UInt64) {
            state = (state ^ word) &* 0x9E37_79B9_7F4A_7C15
            state ^= state >> 32
        }
        func mix(_ bytes: [UInt8]) {
            mix(UInt64(bytes.count))
            var start = 0
            while start < bytes.count {
                var word: UInt64 = 0
                for i in start..<min(start + 8, bytes.count) { word = word << 8 | UInt64(bytes[i]) }
                mix(word)
                start += 8
            }
        }
        for value in values {
            switch value.storage {
            case .null: mix(0 as UInt64)
            case .int64(let number):
                mix(1)
                mix(UInt64(bitPattern: number))
            // SQLite keeps NaN as NULL, and -0 as 0.
            case .double(let number) where number.isNaN: mix(0 as UInt64)
            case .double(let number):
                mix(2)
                mix((number == 0 ? 0 : number).bitPattern)
            case .string(let text):
                mix(3)
                mix(Array(text.utf8))
            case .blob(let data):
                mix(4)
                mix([UInt8](data))
            }
        }
        return state
    }
}
