import GRDB

/// One map under a model.
package struct MapKey: Hashable {
    package var method: Int
    package var sample: Int

    package init(method: Int, sample: Int) {
        self.method = method
        self.sample = sample
    }
}

/// What a stored map and its scores were made from.
package struct MapState {
    package var fingerprint: String?
    package var scored: String?
}

extension Store {
    package func mapStates(model: Int) throws(StoreError) -> [MapKey: MapState] {
        try read("map") { db in
            var states: [MapKey: MapState] = [:]
            let sql = "SELECT method_id, sample_id, fingerprint, scored FROM current_map WHERE model_id = ?"
            let rows = try Row.fetchCursor(db, sql: sql, arguments: [model])
            while let row = try rows.next() {
                let row = StoreRow(row)
                states[MapKey(method: try row.count("method_id"), sample: try row.count("sample_id"))] = MapState(
                    fingerprint: try row.optionalText("fingerprint"), scored: try row.optionalText("scored"))
            }
            return states
        }
    }

    /// How many metrics each map of a model has scores of.
    package func scoreCounts(model: Int) throws(StoreError) -> [MapKey: Int] {
        try read("score") { db in
            var counts: [MapKey: Int] = [:]
            let sql = """
                SELECT method_id, sample_id, count(*) AS scores FROM current_score WHERE model_id = ? GROUP BY method_id, sample_id
                """
            let rows = try Row.fetchCursor(db, sql: sql, arguments: [model])
            while let row = try rows.next() {
                let row = StoreRow(row)
                counts[MapKey(method: try row.count("method_id"), sample: try row.count("sample_id"))] = try row.count("scores")
            }
            return counts
        }
    }

    package func scoredMetrics(model: Int, method: Int, sample: Int) throws(StoreError) -> Set<Int> {
        try read("score") { db in
            // Metric by metric: the rows of one image lie far apart in the table.
            let sql = """
                SELECT metric.position AS metric_id FROM metric CROSS JOIN score ON score.metric_id = metric.id
                    AND score.model_id = (SELECT id FROM model WHERE position = ?)
                    AND score.method_id = (SELECT id FROM method WHERE position = ?)
                    AND score.sample_id = (SELECT id FROM sample WHERE position = ?)
                WHERE metric.position IS NOT NULL
                """
            return Set(try Row.fetchAll(db, sql: sql, arguments: [model, method, sample]).map { try StoreRow($0).count("metric_id") })
        }
    }
}
