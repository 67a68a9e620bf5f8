import GRDB

extension Store {
    /// Joins the stores of a study's shards into a new one.
    ///
    /// - Parameters:
    ///   - paths: the shards; they may overlap or be unfinished, but must agree where they overlap.
    ///   - path: must not exist.
    /// - Throws: `StoreError.otherStudy` for a shard of another study; `.conflict` where two shards disagree.
    public static func merge(_ paths: [String], into path: String) throws -> Store {
        precondition(!paths.isEmpty, "a merge needs at least one store")
        let first = try open(paths[0])
        let plan = try first.plan()
        let digest = try first.planDigest()
        for other in paths.dropFirst() {
            let store = try open(other)
            guard try store.planDigest() == digest else {
                throw StoreError.otherStudy(path: other, differences: ["its plan is not that of \(paths[0])"])
            }
        }
        let merged = try create(path, plan: plan)
        for shard in paths { try merged.absorb(shard) }
        return merged
    }

    /// The tables of the plan.
    func plan() throws(StoreError) -> StorePlan {
        var facts: [String: String] = [:]
        try read("study") { db in
            for row in try Row.fetchAll(db, sql: "SELECT name, value FROM study") { facts[row[0]] = row[1] }
        }
        return StorePlan(
            study: facts, datasets: try datasets(), samples: try samples(), models: try models(), methods: try methods(),
            metrics: try metrics())
    }

    private func absorb(_ shard: String) throws {
        try database.writeWithoutTransaction { db in
            try db.execute(sql: "ATTACH DATABASE ? AS shard", arguments: [shard])
            defer { try? db.execute(sql: "DETACH DATABASE shard") }
            try db.inTransaction {
                for table in StoreSchema.contentTables.map(\.name) where !StoreSchema.planTables.contains(table) {
                    try db.execute(sql: "INSERT OR IGNORE INTO main.\(table) SELECT * FROM shard.\(table)")
                    let sql = "SELECT * FROM (SELECT * FROM shard.\(table) EXCEPT SELECT * FROM main.\(table)) LIMIT 1"
                    if let row = try Row.fetchOne(db, sql: sql) {
                        let keys = row.columnNames.filter { $0.hasSuffix("_id") }.map { "\($0) \(row[$0] as Int)" }
                        throw StoreError.conflict(first: path, second: shard, table: table, row: keys.joined(separator: ", "))
                    }
                }
                try db.execute(sql: "INSERT OR IGNORE INTO main.timing SELECT * FROM shard.timing")
                try db.execute(
                    sql: """
                        INSERT INTO main.run (started, ended, shard, workers, peak_memory)
                        SELECT started, ended, shard, workers, peak_memory FROM shard.run ORDER BY id
                        """)
                // A unit that failed in one shard and was finished in another is finished.
                try db.execute(
                    sql: """
                        DELETE FROM main.failure WHERE EXISTS (
                            SELECT 1 FROM main.unit WHERE unit.model_id = failure.model_id AND unit.sample_id = failure.sample_id)
                        """)
                return .commit
            }
        }
    }
}
