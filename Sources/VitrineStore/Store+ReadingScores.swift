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

    /// What is read of a score, in this order: there are millions of them.
    private enum Field {
        static let model = StoreColumn("model_id", at: 0)
        static let sample = StoreColumn("sample_id", at: 1)
        static let method = StoreColumn("method_id", at: 2)
        static let metric = StoreColumn("metric_id", at: 3)
        static let value = StoreColumn("value", at: 4)
        static let chance = StoreColumn("chance", at: 5)
        static let ceiling = StoreColumn("ceiling", at: 6)
        static let status = StoreColumn("status", at: 7)
        static let chanceSource = StoreColumn("chance_source", at: 8)
        static let chanceError = StoreColumn("chance_error", at: 9)
        static let reason = StoreColumn("reason", at: 10)
        static let curve = StoreColumn("curve", at: 11)
        static let chanceCurve = StoreColumn("chance_curve", at: 12)
        static let sql = [
            model, sample, method, metric, value, chance, ceiling, status, chanceSource, chanceError, reason, curve, chanceCurve,
        ].map(\.name).joined(separator: ", ")
    }

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

    /// The curves behind a column of scores, and those of random maps; images without a value or a curve are left out.
    public func curves(model: Int, method: Int, metric: Int) throws(StoreError) -> [(sample: Int, own: [Float], chance: [Float]?)] {
        var curves: [(sample: Int, own: [Float], chance: [Float]?)] = []
        try forEachScore(model: model, method: method, metric: metric) { sample, score in
            if score.value != nil, let curve = score.curve { curves.append((sample, curve, score.chanceCurve)) }
        }
        return curves
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
            SELECT \(Field.sql) FROM current_score WHERE model_id = ? AND method_id = ? AND metric_id = ? ORDER BY sample_id
            """
        try forEach(StoreSchema.score, sql, [model, method, metric], unique: [Field.sample]) { row in
            try body(try row.count(Field.sample), try score(row))
        }
    }

    private func score(_ row: StoreRow) throws(StoreRow.Unreadable) -> ScoreRecord {
        ScoreRecord(
            methodID: try row.count(Field.method), metricID: try row.count(Field.metric), value: try row.optionalNumber(Field.value),
            chance: try row.optionalNumber(Field.chance), ceiling: try row.optionalNumber(Field.ceiling),
            status: try row.text(Field.status),
            chanceSource: try row.optionalText(Field.chanceSource), chanceError: try row.number(Field.chanceError),
            reason: try row.optionalText(Field.reason), curve: try row.optionalFloats(Field.curve),
            chanceCurve: try row.optionalFloats(Field.chanceCurve))
    }
}
