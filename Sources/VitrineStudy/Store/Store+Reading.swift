import Foundation
import GRDB
import VitrineImage

extension Store {
    /// A fact about the study; see `StudyKey`.
    public func study(_ name: String) throws(StoreError) -> String? {
        try read("study") { try String.fetchOne($0, sql: "SELECT value FROM study WHERE name = ?", arguments: [name]) }
    }

    /// In the order of the plan.
    public func datasets() throws(StoreError) -> [DatasetRecord] {
        try rows("dataset", "SELECT * FROM dataset ORDER BY id") { row in
            DatasetRecord(
                id: row["id"], name: row["name"], kind: row["kind"], title: row["title"], citation: row["citation"], path: row["path"],
                hasImages: row["has_images"], classNames: try list(row["class_names"]), positiveLabel: row["positive_label"],
                positiveClass: row["positive_class"])
        }
    }

    /// In the order of the plan; of one data set or of all.
    public func samples(dataset: Int? = nil) throws(StoreError) -> [SampleRecord] {
        try rows("sample", "SELECT * FROM sample WHERE ?1 IS NULL OR dataset_id = ?1 ORDER BY id", [dataset]) { row in
            SampleRecord(
                id: row["id"], datasetID: row["dataset_id"], name: row["name"], role: try word(row["role"]), label: row["label"],
                patient: row["patient"], split: row["split"], imagePath: row["image_path"], maskPath: row["mask_path"])
        }
    }

    /// In the order of the plan, the pseudo-model `none` first; of one data set or of all.
    public func models(dataset: Int? = nil) throws(StoreError) -> [ModelRecord] {
        try rows("model", "SELECT * FROM model WHERE ?1 IS NULL OR dataset_id = ?1 ORDER BY id", [dataset]) { row in
            ModelRecord(id: row["id"], datasetID: row["dataset_id"], name: row["name"], kind: try word(row["kind"]), path: row["path"])
        }
    }

    /// In the order of the plan.
    public func methods() throws(StoreError) -> [MethodRecord] {
        try rows("method", "SELECT * FROM method ORDER BY id") { row in
            MethodRecord(
                id: row["id"], name: row["name"], identifier: row["identifier"], summary: row["summary"], citation: row["citation"],
                isControl: row["is_control"], isClassSpecific: row["is_class_specific"])
        }
    }

    /// In the order of the plan: metric by metric, the protocols of each side by side.
    public func metrics() throws(StoreError) -> [MetricRecord] {
        try rows("metric", "SELECT * FROM metric ORDER BY id") { row in
            MetricRecord(
                id: row["id"], name: row["name"], protocolName: row["protocol"], summary: row["summary"], citation: row["citation"])
        }
    }

    /// By sample.
    public func images() throws(StoreError) -> [ImageRecord] {
        try rows("image", "SELECT * FROM image ORDER BY sample_id") { row in
            ImageRecord(
                sampleID: row["sample_id"], sha256: row["sha256"], storedWidth: row["stored_width"], storedHeight: row["stored_height"])
        }
    }

    /// The mask audit, by sample; of one data set or of all.
    public func masks(dataset: Int? = nil) throws(StoreError) -> [MaskRecord] {
        let sql = """
            SELECT mask.* FROM mask JOIN sample ON sample.id = sample_id WHERE ?1 IS NULL OR dataset_id = ?1 ORDER BY sample_id
            """
        return try rows("mask", sql, [dataset]) { row in
            MaskRecord(
                sampleID: row["sample_id"], sha256: row["sha256"], storedWidth: row["stored_width"], storedHeight: row["stored_height"],
                area: row["area"], components: row["components"], isRectangle: row["is_rectangle"], greyLevels: row["grey_levels"],
                isEmpty: row["is_empty"], isFull: row["is_full"])
        }
    }

    /// Where the control `mask-prior` ran.
    public func maskPrior(dataset: Int) throws(StoreError) -> MaskPriorRecord? {
        try rows("mask_prior", "SELECT * FROM mask_prior WHERE dataset_id = ?", [dataset]) { row in
            MaskPriorRecord(
                datasetID: row["dataset_id"], masks: row["masks"], height: row["height"], width: row["width"],
                counts: StoreBlob.integers(row["counts"]))
        }.first
    }

    /// By model; a model that did not load has none.
    public func checkpoints() throws(StoreError) -> [CheckpointRecord] {
        try rows("checkpoint", "SELECT * FROM checkpoint ORDER BY model_id") { row in
            CheckpointRecord(
                modelID: row["model_id"], sha256: row["sha256"], family: row["family"], parameters: row["parameters"],
                classes: row["classes"], architecture: row["architecture"], preprocess: row["preprocess"], notes: try list(row["notes"]))
        }
    }

    /// What is finished, by model and sample; of one model or of all.
    public func units(model: Int? = nil) throws(StoreError) -> [UnitRecord] {
        try rows("unit", "SELECT * FROM unit WHERE ?1 IS NULL OR model_id = ?1 ORDER BY model_id, sample_id", [model]) { row in
            UnitRecord(
                modelID: row["model_id"], sampleID: row["sample_id"], maskStatus: try word(row["mask_status"]),
                maskArea: row["mask_area"], maskComponents: row["mask_components"], height: row["height"], width: row["width"])
        }
    }

    /// By sample.
    public func predictions(model: Int) throws(StoreError) -> [PredictionRecord] {
        try rows("prediction", "SELECT * FROM prediction WHERE model_id = ? ORDER BY sample_id", [model]) { row in
            PredictionRecord(
                modelID: row["model_id"], sampleID: row["sample_id"], target: row["target"], predicted: row["predicted"],
                logits: StoreBlob.floats(row["logits"]), probabilities: StoreBlob.floats(row["probabilities"]))
        }
    }

    /// One column of scores; empty where the method does not run under this model.
    ///
    /// - Complexity: O(log n) to find it, then O(rows): the rows of a column lie side by side in the file.
    public func scores(model: Int, method: Int, metric: Int) throws(StoreError) -> ScoreColumn {
        let sql = """
            SELECT sample_id, value, chance, ceiling, status, chance_error FROM score
            WHERE model_id = ? AND method_id = ? AND metric_id = ? ORDER BY sample_id
            """
        return try read("score") { db in
            var column = ScoreColumn(modelID: model, methodID: method, metricID: metric)
            let rows = try Row.fetchCursor(db, sql: sql, arguments: [model, method, metric])
            while let row = try rows.next() {
                column.sampleIDs.append(row[0])
                column.values.append(row[1])
                column.chances.append(row[2])
                column.ceilings.append(row[3])
                column.statuses.append(row[4])
                column.chanceErrors.append(row[5])
            }
            return column
        }
    }

    /// Every score in the order model, method, metric, sample; memory does not grow with their number.
    public func forEachScore(
        _ body: (_ model: Int, _ sample: Int, _ score: ScoreRecord) throws -> Void
    ) throws(StoreError) {
        try read("score") { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT model_id, sample_id, method_id, metric_id, value, chance, ceiling, status, chance_source, chance_error
                    FROM score ORDER BY model_id, method_id, metric_id, sample_id
                    """)
            while let row = try rows.next() {
                try body(
                    row[0], row[1],
                    ScoreRecord(
                        methodID: row[2], metricID: row[3], value: row[4], chance: row[5], ceiling: row[6], status: row[7],
                        chanceSource: row[8], chanceError: row[9]))
            }
        }
    }

    /// What is known of the maps of one model and method, by sample, without their values.
    public func maps(model: Int, method: Int) throws(StoreError) -> [MapRecord] {
        let sql = """
            SELECT model_id, method_id, sample_id, nan_count, infinite_count, is_constant, is_blank, minimum, maximum,
                "values" IS NOT NULL AS has_values
            FROM map WHERE model_id = ? AND method_id = ? ORDER BY sample_id
            """
        return try rows("map", sql, [model, method]) { row in
            let minimum: Double? = row["minimum"]
            let maximum: Double? = row["maximum"]
            return MapRecord(
                modelID: row["model_id"], methodID: row["method_id"], sampleID: row["sample_id"],
                audit: MapAuditRecord(
                    nanCount: row["nan_count"], infiniteCount: row["infinite_count"], isConstant: row["is_constant"],
                    isBlank: row["is_blank"], minimum: minimum.map { Float($0) }, maximum: maximum.map { Float($0) }),
                hasValues: row["has_values"])
        }
    }

    /// A stored map at its native resolution, bit for bit; nil when it was not made or its values were not kept.
    public func map(model: Int, method: Int, sample: Int) throws(StoreError) -> HeatMap? {
        let sql = """
            SELECT * FROM map WHERE model_id = ? AND method_id = ? AND sample_id = ? AND "values" IS NOT NULL
            """
        return try rows("map", sql, [model, method, sample]) { row in
            let display = DisplayRule(
                clipsNegatives: row["clips_negatives"], gridNormalisation: try word(row["grid_normalisation"]),
                upsampling: try word(row["upsampling"]), normalisation: try word(row["normalisation"]))
            let values = StoreBlob.floats(row["values"])
            let (rows, columns): (Int, Int) = (row["rows"], row["columns"])
            guard rows > 0, columns > 0, values.count == rows * columns else {
                throw Unreadable(reason: "map of \(rows) x \(columns) cells has \(values.count) values")
            }
            return HeatMap(rows: rows, columns: columns, values: values, height: row["height"], width: row["width"], display: display)
        }.first
    }

    /// What methods noted, by model, method, name and sample; of one name or of all.
    public func notes(name: String? = nil) throws(StoreError) -> [NoteRecord] {
        try rows("note", "SELECT * FROM note WHERE ?1 IS NULL OR name = ?1 ORDER BY model_id, method_id, name, sample_id", [name]) { row in
            NoteRecord(
                modelID: row["model_id"], methodID: row["method_id"], name: row["name"], sampleID: row["sample_id"],
                values: StoreBlob.doubles(row["values"]))
        }
    }

    /// By model, method and sample.
    public func stabilities() throws(StoreError) -> [StabilityRecord] {
        try rows("stability", "SELECT * FROM stability ORDER BY model_id, method_id, sample_id") { row in
            StabilityRecord(
                modelID: row["model_id"], methodID: row["method_id"], sampleID: row["sample_id"], draws: row["draws"],
                pearsonMean: row["pearson_mean"], pearsonMinimum: row["pearson_minimum"], spearmanMean: row["spearman_mean"],
                spearmanMinimum: row["spearman_minimum"])
        }
    }

    /// By data set, sample and model.
    public func failures() throws(StoreError) -> [FailureRecord] {
        try rows("failure", "SELECT * FROM failure ORDER BY dataset_id, sample_id, model_id, stage") { row in
            let (sample, model): (Int, Int) = (row["sample_id"], row["model_id"])
            return FailureRecord(
                datasetID: row["dataset_id"], sampleID: sample < 0 ? nil : sample, modelID: model < 0 ? nil : model,
                stage: try word(row["stage"]), message: row["message"])
        }
    }

    public func arithmetic() throws(StoreError) -> [ArithmeticRecord] {
        try rows("arithmetic", "SELECT * FROM arithmetic ORDER BY vitrine, cpu_path, blas_core, blas") { row in
            ArithmeticRecord(vitrine: row["vitrine"], cpuPath: row["cpu_path"], blasCore: row["blas_core"], blas: row["blas"])
        }
    }

    /// By model and sample; no part of the content.
    public func timings() throws(StoreError) -> [TimingRecord] {
        try rows("timing", "SELECT * FROM timing ORDER BY model_id, sample_id") { row in
            TimingRecord(
                modelID: row["model_id"], sampleID: row["sample_id"], prepare: row["prepare"], explain: row["explain"],
                stability: row["stability"], score: row["score"])
        }
    }

    /// In the order of their start; no part of the content.
    public func runs() throws(StoreError) -> [RunRecord] {
        try rows("run", "SELECT * FROM run ORDER BY id") { row in
            RunRecord(
                id: row["id"], started: row["started"], ended: row["ended"], shard: row["shard"], workers: row["workers"],
                peakMemory: row["peak_memory"])
        }
    }

    // MARK: Rows

    private struct Unreadable: Error, CustomStringConvertible {
        let reason: String
        var description: String { reason }
    }

    private func rows<T>(
        _ table: String, _ sql: String, _ arguments: StatementArguments = [], _ decode: (Row) throws -> T
    ) throws(StoreError) -> [T] {
        try read(table) { db in
            var result: [T] = []
            let cursor = try Row.fetchCursor(db, sql: sql, arguments: arguments)
            while let row = try cursor.next() { result.append(try decode(row)) }
            return result
        }
    }

    /// A word of a closed list; a store that holds another one is damaged or newer than this program.
    private func word<Word: RawRepresentable>(_ text: String) throws -> Word where Word.RawValue == String {
        guard let word = Word(rawValue: text) else { throw Unreadable(reason: "'\(text)' is no \(Word.self)") }
        return word
    }

    private func list(_ json: String) throws -> [String] { try JSONDecoder().decode([String].self, from: Data(json.utf8)) }
}
