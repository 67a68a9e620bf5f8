import GRDB
import VitrineImage

extension Store {
    /// What is known of the maps of one model and method, by sample, without their values.
    public func maps(model: Int, method: Int) throws(StoreError) -> [MapRecord] {
        let sql = """
            SELECT model_id, method_id, sample_id, nan_count, infinite_count, is_constant, is_blank, minimum, maximum,
                "values" IS NOT NULL AS has_values
            FROM current_map WHERE model_id = ? AND method_id = ? ORDER BY sample_id
            """
        return try rows(StoreSchema.map, sql, [model, method], unique: ["sample_id"]) { row in
            MapRecord(
                modelID: try row.count("model_id"), methodID: try row.count("method_id"), sampleID: try row.count("sample_id"),
                audit: MapAuditRecord(
                    nanCount: try row.count("nan_count"), infiniteCount: try row.count("infinite_count"),
                    isConstant: try row.flag("is_constant"), isBlank: try row.flag("is_blank"),
                    minimum: try row.optionalNumber("minimum").map { Float($0) },
                    maximum: try row.optionalNumber("maximum").map { Float($0) }),
                hasValues: try row.flag("has_values"))
        }
    }

    /// A stored map at its native resolution, bit for bit; nil when it was not made or its values were not kept.
    public func map(model: Int, method: Int, sample: Int) throws(StoreError) -> HeatMap? {
        let sql = """
            SELECT * FROM current_map WHERE model_id = ? AND method_id = ? AND sample_id = ? AND "values" IS NOT NULL
            """
        return try rows(StoreSchema.map, sql, [model, method, sample]) { row in
            let display = DisplayRule(
                clipsNegatives: try row.flag("clips_negatives"), gridNormalisation: try row.word("grid_normalisation"),
                upsampling: try row.word("upsampling"), normalisation: try row.word("normalisation"))
            let values = try row.floats("values")
            let (rows, columns) = (try row.count("rows"), try row.count("columns"))
            guard rows > 0, columns > 0, values.count == rows * columns else {
                throw row.wrong("values", "has \(values.count) values for \(rows) x \(columns) cells")
            }
            let (height, width) = (try row.count("height"), try row.count("width"))
            // As large a picture as `Image` takes; a damaged size would ask for any amount of memory.
            guard height > 0, width > 0, height * width <= 1 << 30 else {
                throw row.wrong("height", "is \(height), at a width of \(width)")
            }
            return HeatMap(rows: rows, columns: columns, values: values, height: height, width: width, display: display)
        }.first
    }

    /// The errors of a stored map's values, cell by cell, where the method states them.
    public func mapErrors(model: Int, method: Int, sample: Int) throws(StoreError) -> [Float]? {
        let sql = """
            SELECT * FROM current_map WHERE model_id = ? AND method_id = ? AND sample_id = ? AND error_values IS NOT NULL
            """
        return try rows(StoreSchema.map, sql, [model, method, sample]) { row in
            let values = try row.floats("error_values")
            guard values.count == (try row.count("rows")) * (try row.count("columns")) else {
                throw row.wrong("error_values", "has \(values.count) values")
            }
            return values
        }.first
    }

    /// What methods noted, by model, method, name and sample; of one name or of all.
    public func notes(name: String? = nil) throws(StoreError) -> [NoteRecord] {
        let sql = "SELECT * FROM current_note WHERE ?1 IS NULL OR name = ?1 ORDER BY model_id, method_id, name, sample_id"
        return try rows(StoreSchema.note, sql, [name]) { row in
            NoteRecord(
                modelID: try row.count("model_id"), methodID: try row.count("method_id"), name: try row.text("name"),
                sampleID: try row.count("sample_id"), values: try row.doubles("values"))
        }
    }

    /// By model, method and sample.
    public func stabilities() throws(StoreError) -> [StabilityRecord] {
        try rows(StoreSchema.stability, "SELECT * FROM current_stability ORDER BY model_id, method_id, sample_id") { row in
            StabilityRecord(
                modelID: try row.count("model_id"), methodID: try row.count("method_id"), sampleID: try row.count("sample_id"),
                draws: try row.count("draws"), pearsonMean: try row.optionalNumber("pearson_mean"),
                pearsonMinimum: try row.optionalNumber("pearson_minimum"), spearmanMean: try row.optionalNumber("spearman_mean"),
                spearmanMinimum: try row.optionalNumber("spearman_minimum"))
        }
    }
}
