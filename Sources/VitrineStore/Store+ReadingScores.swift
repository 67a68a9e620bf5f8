import GRDB

extension Store {
    /// By sample.
    public func predictions(model: Int) throws(StoreError) -> [PredictionRecord] {
        let sql = "SELECT * FROM current_prediction WHERE model_id = ? ORDER BY sample_id"
        return try rows(StoreSchema.prediction, sql, [model], unique: ["sample_id"]) { row in
            let (logits, probabilities) = (try row.floats("logits"), try row.floats("probabilities"))
            let predicted = try row.count("predicted")
            // A single logit speaks for two classes.
            guard probabilities.count == logits.count || (logits.count == 1 && probabilities.count == 2) else {
                throw row.wrong("probabilities", "has \(probabilities.count) values for \(logits.count) logits")
            }
            // A last bit above 1 is no damage.
            guard probabilities.allSatisfy({ (-1e-6...1.000_001).contains($0) }) else {
                throw row.wrong("probabilities", "has a value that is none of 0...1")
            }
            guard predicted < probabilities.count else { throw row.wrong("predicted", "is class \(predicted) of \(probabilities.count)") }
            return PredictionRecord(
                modelID: try row.count("model_id"), sampleID: try row.count("sample_id"), target: try row.optionalText("target"),
                predicted: predicted, logits: logits, probabilities: probabilities)
        }
    }

    private static let scoreColumns = """
        model_id, sample_id, method_id, metric_id, value, chance, ceiling, status, chance_source, chance_error, reason, curve
        """

    /// One column of scores; empty where the method does not run under this model.
    ///
    /// - Complexity: O(log n) to find it, then O(rows): the rows of a column lie side by side in the file.
    public func scores(model: Int, method: Int, metric: Int) throws(StoreError) -> ScoreColumn {
        var column = ScoreColumn(modelID: model, methodID: method, metricID: metric)
        try forEachScore(model: model, method: method, metric: metric) { sample, score in
            column.sampleIDs.append(sample)
            column.values.append(score.value)
            column.chances.append(score.chance)
            column.ceilings.append(score.ceiling)
            column.statuses.append(score.status)
            column.chanceErrors.append(score.chanceError)
            column.reasons.append(score.reason)
        }
        return column
    }

    /// Every score in the order model, method, metric, sample; memory does not grow with their number.
    ///
    /// - Throws: `StoreError`; what `body` throws.
    public func forEachScore(_ body: (_ model: Int, _ sample: Int, _ score: ScoreRecord) throws -> Void) throws {
        let (models, methods, metrics) = (try models(), try methods(), try metrics())
        // Whoever listens may fail too, which is no fault of the store.
        var failure: (any Error)?
        for model in models {
            for method in methods {
                for metric in metrics {
                    try forEachScore(model: model.id, method: method.id, metric: metric.id) { sample, score in
                        guard failure == nil else { return }
                        do { try body(model.id, sample, score) } catch { failure = error }
                    }
                    if let failure { throw failure }
                }
            }
        }
    }

    private func forEachScore(
        model: Int, method: Int, metric: Int, _ body: (_ sample: Int, _ score: ScoreRecord) throws -> Void
    ) throws(StoreError) {
        let sql = """
            SELECT \(Self.scoreColumns) FROM current_score WHERE model_id = ? AND method_id = ? AND metric_id = ? ORDER BY sample_id
            """
        try forEach(StoreSchema.score, sql, [model, method, metric], unique: ["sample_id"]) { row in
            try body(try row.count("sample_id"), try score(row))
        }
    }

    private func score(_ row: StoreRow) throws(StoreRow.Unreadable) -> ScoreRecord {
        ScoreRecord(
            methodID: try row.count("method_id"), metricID: try row.count("metric_id"), value: try row.optionalNumber("value"),
            chance: try row.optionalNumber("chance"), ceiling: try row.optionalNumber("ceiling"), status: try row.text("status"),
            chanceSource: try row.optionalText("chance_source"), chanceError: try row.number("chance_error"),
            reason: try row.optionalText("reason"), curve: try row.optionalFloats("curve"))
    }
}
