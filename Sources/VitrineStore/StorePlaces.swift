import GRDB

/// The ids of a store's file by the places of the plan, which everybody else goes by.
struct StorePlaces: Sendable {
    let datasets: Column
    let samples: Column
    let models: Column
    let methods: Column
    let metrics: Column

    /// The ids of one table.
    struct Column: Sendable {
        let table: String
        let ids: [Int64]

        /// - Throws: `StoreRow.Unreadable` for a place that the plan does not have.
        func id(_ place: Int) throws(StoreRow.Unreadable) -> Int64 {
            guard ids.indices.contains(place) else { throw StoreRow.Unreadable(reason: "the plan has no \(table) \(place)") }
            return ids[place]
        }
    }

    init(_ db: Database) throws {
        datasets = try Self.ids(StoreSchema.dataset, db)
        samples = try Self.ids(StoreSchema.sample, db)
        models = try Self.ids(StoreSchema.model, db)
        methods = try Self.ids(StoreSchema.method, db)
        metrics = try Self.ids(StoreSchema.metric, db)
    }

    private static func ids(_ table: StoreTable, _ db: Database) throws -> Column {
        let rows = try Row.fetchAll(db, sql: "SELECT id, position FROM \(table.name) WHERE position IS NOT NULL ORDER BY position")
        let ids = try rows.enumerated().map { place, row in
            let row = StoreRow(row)
            guard try row.count("position") == place else { throw row.wrong("position", "is not \(place)") }
            return try row.integer("id")
        }
        return Column(table: table.name, ids: ids)
    }
}
