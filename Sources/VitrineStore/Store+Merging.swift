import Foundation
import GRDB

extension Store {
    /// Joins the stores of a study's shards into a new one.
    ///
    /// The new file is made beside its place and takes it only when everything is in it: whatever stops a merge leaves all files as they were.
    ///
    /// - Parameters:
    ///   - paths: the shards; they may overlap or be unfinished, but must agree where they overlap. Each is checked first.
    ///   - path: the new file.
    ///   - plan: what the joined study is; nil takes that of the first shard. With it a shard may stand where the study file was before it
    ///     changed: what it holds of this plan is taken.
    ///   - replacing: whether a store may be there already. It must be of the same study, and what it holds is taken along.
    /// - Throws: `StoreError.otherStudy` for a shard of another study; `.conflict` where two shards disagree; `.damaged`.
    public static func merge(
        _ paths: [String], into path: String, plan wanted: StorePlan? = nil, replacing: Bool = false
    ) throws(StoreError) -> Store {
        precondition(!paths.isEmpty, "a merge needs at least one store")
        let lock = try lock(path)
        defer { withExtendedLifetime(lock) {} }
        let isThere = FileManager.default.fileExists(atPath: path)
        if isThere && !replacing { throw .exists(path: path) }
        var seen = Set<String>()
        let places = (paths + (isThere ? [path] : [])).filter {
            seen.insert(URL(fileURLWithPath: $0).resolvingSymlinksInPath().path).inserted
        }
        var shards: [Store] = []
        for place in places {
            var shard = try open(place)
            try shard.verify()
            if let wanted, try shard.plan() != wanted {
                // Its own file is left alone.
                shard = try openCopy(place)
                try shard.adopt(wanted)
            }
            shards.append(shard)
        }
        let digest = try shards[0].planDigest()
        for other in shards.dropFirst() where try other.planDigest() != digest {
            throw .otherStudy(path: other.path, differences: ["its plan is not that of \(places[0])"])
        }
        let plan = try shards[0].plan()
        try make(path, from: isThere ? path : nil) { (merged: Store) throws(StoreError) in
            if isThere { try merged.adopt(plan) } else { try merged.change { change in try plan.write(to: change) } }
            for shard in shards where shard.path != path { try merged.absorb(shard) }
            try merged.change { change in try StoreSeals.rewrite(change.db) }
        }
        return try open(path)
    }

    /// The tables of the plan.
    package func plan() throws(StoreError) -> StorePlan {
        StorePlan(
            study: try facts(), datasets: try datasets(), samples: try samples(), models: try models(), methods: try methods(),
            metrics: try metrics())
    }

    private func absorb(_ shard: Store) throws(StoreError) {
        do {
            try database.writeWithoutTransaction { db in
                try db.execute(sql: "ATTACH DATABASE ? AS shard", arguments: [shard.openedPath])
                defer { try? db.execute(sql: "DETACH DATABASE shard") }
                try db.inTransaction {
                    for table in StoreSchema.contentTables where !StoreSchema.planTables.contains(table) {
                        try db.execute(sql: Self.copying(table, try db.columns(in: table.name).map(\.name)))
                        let sql = """
                            SELECT * FROM (SELECT * FROM shard.\(table.current) EXCEPT SELECT * FROM main.\(table.current)) LIMIT 1
                            """
                        if let row = try Row.fetchOne(db, sql: sql) {
                            let keys = try row.columnNames.filter { $0.hasSuffix("_id") }.map {
                                "\($0) \(try StoreRow(row).integer(StoreColumn($0)))"
                            }
                            throw StoreError.conflict(
                                first: path, second: shard.path, table: table.name, row: keys.joined(separator: ", "))
                        }
                    }
                    try db.execute(sql: Self.copying(StoreSchema.timing, try db.columns(in: "timing").map(\.name)))
                    for row in try Row.fetchAll(db, sql: "SELECT * FROM shard.run ORDER BY id") {
                        let place = try StoreRow(row).optionalText("study_folder")
                        let from = place.map { StudyFolder.relative(StudyFolder.absolute($0, from: shard.folder), to: folder) }
                        try db.execute(
                            sql:
                                "INSERT INTO main.run (started, ended, shard, workers, peak_memory, study_folder) VALUES (?, ?, ?, ?, ?, ?)",
                            arguments: [
                                row["started"] as DatabaseValue, row["ended"] as DatabaseValue, row["shard"] as DatabaseValue,
                                row["workers"] as DatabaseValue, row["peak_memory"] as DatabaseValue, from,
                            ])
                    }
                    // A unit that failed in one shard and was finished in another is finished.
                    try db.execute(
                        sql: """
                            DELETE FROM main.failure WHERE method_id = -1 AND EXISTS (
                                SELECT 1 FROM main.unit WHERE unit.model_id = failure.model_id AND unit.sample_id = failure.sample_id)
                            OR method_id >= 0 AND EXISTS (
                                SELECT 1 FROM main.map WHERE map.model_id = failure.model_id AND map.method_id = failure.method_id
                                    AND map.sample_id = failure.sample_id)
                            """)
                    return .commit
                }
            }
        } catch { throw Self.failure(error, path: path, table: nil) }
    }
    /// Copies what a table of the shard has and ours has not, from place to place: the ids of the two files may differ.
    private static func copying(_ table: StoreTable, _ columns: [String]) -> String {
        let parents = columns.filter { $0.hasSuffix("_id") }.map { String($0.dropLast(3)) }
        let hasNone = table == StoreSchema.failure
        let selected = columns.map { column -> String in
            guard column.hasSuffix("_id") else { return "c.\"\(column)\"" }
            return hasNone ? "coalesce(\(column.dropLast(3)).id, -1)" : "\(column.dropLast(3)).id"
        }
        let joins = parents.map { "\(hasNone ? "LEFT " : "")JOIN main.\($0) ON \($0).position = c.\($0)_id" }
        return "INSERT OR IGNORE INTO main.\(table.name) SELECT \(selected.joined(separator: ", ")) FROM shard.\(table.current) c "
            + joins.joined(separator: " ")
    }
}
