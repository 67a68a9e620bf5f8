import GRDB

extension Store {
    /// A fact about the study; see `StudyKey`.
    public func study(_ name: String) throws(StoreError) -> String? { try facts()[name] }

    /// All facts about the study, by name.
    func facts() throws(StoreError) -> [String: String] {
        let pairs = try rows(StoreSchema.study, "SELECT * FROM current_study") { row in (try row.text("name"), try row.text("value")) }
        return Dictionary(pairs) { $1 }
    }

    /// In the order of the plan.
    public func datasets() throws(StoreError) -> [DatasetRecord] {
        try rows(StoreSchema.dataset, "SELECT * FROM current_dataset ORDER BY id", unique: ["id"]) { row in
            let classes = try row.list("class_names")
            let positive = try row.optionalCount("positive_label")
            if let positive, !classes.isEmpty, positive >= classes.count {
                throw row.wrong("positive_label", "is \(positive) of \(classes.count) classes")
            }
            return DatasetRecord(
                id: try row.count("id"), name: try row.text("name"), kind: try row.text("kind"), title: try row.text("title"),
                citation: try row.text("citation"), path: try row.text("path"), hasImages: try row.flag("has_images"),
                classNames: classes, positiveLabel: positive, positiveClass: try row.optionalText("positive_class"))
        }
    }

    /// In the order of the plan; of one data set or of all.
    public func samples(dataset: Int? = nil) throws(StoreError) -> [SampleRecord] {
        let sql = "SELECT * FROM current_sample WHERE ?1 IS NULL OR dataset_id = ?1 ORDER BY id"
        return try rows(StoreSchema.sample, sql, [dataset], unique: ["id"]) { row in
            SampleRecord(
                id: try row.count("id"), datasetID: try row.count("dataset_id"), name: try row.text("name"), role: try row.word("role"),
                label: try row.optionalCount("label"), patient: try row.optionalText("patient"), split: try row.optionalText("split"),
                imagePath: try row.text("image_path"), maskPath: try row.optionalText("mask_path"))
        }
    }

    /// In the order of the plan, the pseudo-model `none` first; of one data set or of all.
    public func models(dataset: Int? = nil) throws(StoreError) -> [ModelRecord] {
        let sql = "SELECT * FROM current_model WHERE ?1 IS NULL OR dataset_id = ?1 ORDER BY id"
        return try rows(StoreSchema.model, sql, [dataset], unique: ["id"]) { row in
            ModelRecord(
                id: try row.count("id"), datasetID: try row.count("dataset_id"), name: try row.text("name"), kind: try row.word("kind"),
                path: try row.text("path"))
        }
    }

    /// In the order of the plan.
    public func methods() throws(StoreError) -> [MethodRecord] {
        try rows(StoreSchema.method, "SELECT * FROM current_method ORDER BY id", unique: ["id"]) { row in
            MethodRecord(
                id: try row.count("id"), name: try row.text("name"), identifier: try row.text("identifier"),
                summary: try row.text("summary"), citation: try row.text("citation"), isControl: try row.flag("is_control"),
                isClassSpecific: try row.flag("is_class_specific"))
        }
    }

    /// In the order of the plan: metric by metric, the protocols of each side by side.
    public func metrics() throws(StoreError) -> [MetricRecord] {
        try rows(StoreSchema.metric, "SELECT * FROM current_metric ORDER BY id", unique: ["id"]) { row in
            MetricRecord(
                id: try row.count("id"), name: try row.text("name"), protocolName: try row.text("protocol"),
                summary: try row.text("summary"), citation: try row.text("citation"), direction: try row.text("direction"))
        }
    }

    /// By sample.
    public func images() throws(StoreError) -> [ImageRecord] {
        try rows(StoreSchema.image, "SELECT * FROM current_image ORDER BY sample_id", unique: ["sample_id"]) { row in
            ImageRecord(
                sampleID: try row.count("sample_id"), sha256: try row.text("sha256"), storedWidth: try row.count("stored_width"),
                storedHeight: try row.count("stored_height"), notes: try row.list("notes"))
        }
    }

    /// The mask audit, by sample; of one data set or of all.
    public func masks(dataset: Int? = nil) throws(StoreError) -> [MaskRecord] {
        let sql = """
            SELECT mask.* FROM current_mask mask JOIN current_sample sample ON sample.id = sample_id
            WHERE ?1 IS NULL OR dataset_id = ?1 ORDER BY sample_id
            """
        return try rows(StoreSchema.mask, sql, [dataset], unique: ["sample_id"]) { row in
            guard let area = try row.optionalShare("area") else { throw row.wrong("area", "is NULL") }
            return MaskRecord(
                sampleID: try row.count("sample_id"), sha256: try row.optionalText("sha256"), storedWidth: try row.count("stored_width"),
                storedHeight: try row.count("stored_height"), area: area, components: try row.count("components"),
                isRectangle: try row.flag("is_rectangle"), greyLevels: try row.count("grey_levels"), isEmpty: try row.flag("is_empty"),
                isFull: try row.flag("is_full"), digest: try row.optionalText("digest"), notes: try row.list("notes"))
        }
    }

    /// Where the control `mask-prior` ran.
    public func maskPrior(dataset: Int) throws(StoreError) -> MaskPriorRecord? {
        try rows(StoreSchema.maskPrior, "SELECT * FROM current_mask_prior WHERE dataset_id = ?", [dataset]) { row in
            let (height, width) = (try row.count("height"), try row.count("width"))
            let counts = try row.integers("counts")
            guard counts.count == height * width else { throw row.wrong("counts", "has \(counts.count) of \(width) x \(height) pixels") }
            return MaskPriorRecord(
                datasetID: try row.count("dataset_id"), masks: try row.count("masks"), height: height, width: width, counts: counts,
                preprocess: try row.optionalText("preprocess"))
        }.first
    }

    /// By model; a model that did not load has none.
    public func checkpoints() throws(StoreError) -> [CheckpointRecord] {
        try rows(StoreSchema.checkpoint, "SELECT * FROM current_checkpoint ORDER BY model_id", unique: ["model_id"]) { row in
            CheckpointRecord(
                modelID: try row.count("model_id"), sha256: try row.text("sha256"), family: try row.text("family"),
                // More than a count may be: the largest networks have billions.
                parameters: Int(try row.integer("parameters")), classes: try row.count("classes"),
                architecture: try row.text("architecture"), preprocess: try row.text("preprocess"), notes: try row.list("notes"),
                settings: try row.optionalText("settings"))
        }
    }

    /// What is finished, by model and sample; of one model or of all.
    public func units(model: Int? = nil) throws(StoreError) -> [UnitRecord] {
        let sql = "SELECT * FROM current_unit WHERE ?1 IS NULL OR model_id = ?1 ORDER BY model_id, sample_id"
        return try rows(StoreSchema.unit, sql, [model], unique: ["model_id", "sample_id"]) { row in
            UnitRecord(
                modelID: try row.count("model_id"), sampleID: try row.count("sample_id"), maskStatus: try row.word("mask_status"),
                maskArea: try row.optionalShare("mask_area"), maskComponents: try row.optionalCount("mask_components"),
                height: try row.count("height"), width: try row.count("width"), fingerprint: try row.optionalText("fingerprint"),
                maskDigest: try row.optionalText("mask_digest"))
        }
    }

    /// By data set, sample and model.
    public func failures() throws(StoreError) -> [FailureRecord] {
        try rows(StoreSchema.failure, "SELECT * FROM current_failure ORDER BY dataset_id, sample_id, model_id, method_id, stage") { row in
            FailureRecord(
                datasetID: try row.count("dataset_id"), sampleID: try row.countOrNone("sample_id"),
                modelID: try row.countOrNone("model_id"), methodID: try row.countOrNone("method_id"), stage: try row.word("stage"),
                message: try row.text("message"))
        }
    }

    public func arithmetic() throws(StoreError) -> [ArithmeticRecord] {
        try rows(StoreSchema.arithmetic, "SELECT * FROM current_arithmetic ORDER BY vitrine, cpu_path, blas_core, blas") { row in
            ArithmeticRecord(
                vitrine: try row.text("vitrine"), cpuPath: try row.text("cpu_path"), blasCore: try row.text("blas_core"),
                blas: try row.text("blas"))
        }
    }

    /// By model and sample; no part of the content.
    public func timings() throws(StoreError) -> [TimingRecord] {
        try rows(StoreSchema.timing, "SELECT * FROM current_timing ORDER BY model_id, sample_id") { row in
            TimingRecord(
                modelID: try row.count("model_id"), sampleID: try row.count("sample_id"), prepare: try row.number("prepare"),
                explain: try row.number("explain"), stability: try row.number("stability"), score: try row.number("score"))
        }
    }

    /// In the order of their start; no part of the content.
    public func runs() throws(StoreError) -> [RunRecord] {
        try rows(StoreTable("run", order: ""), "SELECT * FROM run ORDER BY id") { row in
            RunRecord(
                id: try row.count("id"), started: try row.text("started"), ended: try row.optionalText("ended"),
                shard: try row.text("shard"), workers: try row.count("workers"),
                peakMemory: try row.optionalNumber("peak_memory").flatMap { Int(exactly: $0) },
                studyFolder: try row.optionalText("study_folder"))
        }
    }

    // MARK: Rows

    func rows<T>(
        _ table: StoreTable, _ sql: String, _ arguments: StatementArguments = [], unique keys: [StoreColumn] = [],
        _ decode: (StoreRow) throws -> T
    ) throws(StoreError) -> [T] {
        var result: [T] = []
        try forEach(table, sql, arguments, unique: keys) { row in result.append(try decode(row)) }
        return result
    }

    /// - Parameter keys: columns whose values rise from row to row; a damaged file may show a row twice.
    func forEach(
        _ table: StoreTable, _ sql: String, _ arguments: StatementArguments = [], unique keys: [StoreColumn] = [],
        _ body: (StoreRow) throws -> Void
    ) throws(StoreError) {
        try read(table.name) { db in
            let cursor = try Row.fetchCursor(db, sql: sql, arguments: arguments)
            var last: [Int64] = []
            while let row = try cursor.next() {
                let row = StoreRow(row)
                if !keys.isEmpty {
                    let key = try keys.map { try row.integer($0) }
                    guard last.isEmpty || last.lexicographicallyPrecedes(key) else {
                        throw row.wrong(keys[0], "comes twice, or out of order")
                    }
                    last = key
                }
                try body(row)
            }
        }
    }
}
