/// The tables of a result store; `Docs/Store.md` says what stands in each column.
enum StoreSchema {
    /// Stored as `PRAGMA user_version`; a newer one is refused, an older one is brought up to date.
    static let version = 5
    /// Stored as `PRAGMA application_id`: "VITR".
    static let applicationID = 0x5649_5452

    /// Version 1; what came later stands in `StoreSchema+Migrations.swift`.
    static let sql = """
        CREATE TABLE study (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE dataset (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            title TEXT NOT NULL,
            citation TEXT NOT NULL,
            path TEXT NOT NULL,
            has_images INTEGER NOT NULL,
            class_names TEXT NOT NULL,
            positive_label INTEGER,
            positive_class TEXT
        );
        CREATE TABLE sample (
            id INTEGER PRIMARY KEY,
            dataset_id INTEGER NOT NULL REFERENCES dataset (id),
            name TEXT NOT NULL,
            role TEXT NOT NULL,
            label INTEGER,
            patient TEXT,
            split TEXT,
            image_path TEXT NOT NULL,
            mask_path TEXT,
            UNIQUE (dataset_id, name)
        );
        CREATE TABLE model (
            id INTEGER PRIMARY KEY,
            dataset_id INTEGER NOT NULL REFERENCES dataset (id),
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            path TEXT NOT NULL,
            UNIQUE (dataset_id, name)
        );
        CREATE TABLE method (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            identifier TEXT NOT NULL,
            summary TEXT NOT NULL,
            citation TEXT NOT NULL,
            is_control INTEGER NOT NULL,
            is_class_specific INTEGER NOT NULL
        );
        CREATE TABLE metric (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            protocol TEXT NOT NULL,
            summary TEXT NOT NULL,
            citation TEXT NOT NULL,
            UNIQUE (name, protocol)
        );
        CREATE TABLE image (
            sample_id INTEGER PRIMARY KEY REFERENCES sample (id),
            sha256 TEXT NOT NULL,
            stored_width INTEGER NOT NULL,
            stored_height INTEGER NOT NULL
        );
        CREATE TABLE mask (
            sample_id INTEGER PRIMARY KEY REFERENCES sample (id),
            sha256 TEXT,
            stored_width INTEGER NOT NULL,
            stored_height INTEGER NOT NULL,
            area REAL NOT NULL,
            components INTEGER NOT NULL,
            is_rectangle INTEGER NOT NULL,
            grey_levels INTEGER NOT NULL,
            is_empty INTEGER NOT NULL,
            is_full INTEGER NOT NULL
        );
        CREATE TABLE mask_prior (
            dataset_id INTEGER PRIMARY KEY REFERENCES dataset (id),
            masks INTEGER NOT NULL,
            height INTEGER NOT NULL,
            width INTEGER NOT NULL,
            counts BLOB NOT NULL
        );
        CREATE TABLE checkpoint (
            model_id INTEGER PRIMARY KEY REFERENCES model (id),
            sha256 TEXT NOT NULL,
            family TEXT NOT NULL,
            parameters INTEGER NOT NULL,
            classes INTEGER NOT NULL,
            architecture TEXT NOT NULL,
            preprocess TEXT NOT NULL,
            notes TEXT NOT NULL
        );
        CREATE TABLE unit (
            model_id INTEGER NOT NULL REFERENCES model (id),
            sample_id INTEGER NOT NULL REFERENCES sample (id),
            mask_status TEXT NOT NULL,
            mask_area REAL,
            mask_components INTEGER,
            height INTEGER NOT NULL,
            width INTEGER NOT NULL,
            PRIMARY KEY (model_id, sample_id)
        ) WITHOUT ROWID;
        CREATE TABLE prediction (
            model_id INTEGER NOT NULL REFERENCES model (id),
            sample_id INTEGER NOT NULL REFERENCES sample (id),
            target TEXT,
            predicted INTEGER NOT NULL,
            logits BLOB NOT NULL,
            probabilities BLOB NOT NULL,
            PRIMARY KEY (model_id, sample_id)
        ) WITHOUT ROWID;
        CREATE TABLE map (
            model_id INTEGER NOT NULL REFERENCES model (id),
            method_id INTEGER NOT NULL REFERENCES method (id),
            sample_id INTEGER NOT NULL REFERENCES sample (id),
            nan_count INTEGER NOT NULL,
            infinite_count INTEGER NOT NULL,
            is_constant INTEGER NOT NULL,
            is_blank INTEGER NOT NULL,
            minimum REAL,
            maximum REAL,
            "rows" INTEGER NOT NULL,
            "columns" INTEGER NOT NULL,
            height INTEGER NOT NULL,
            width INTEGER NOT NULL,
            clips_negatives INTEGER NOT NULL,
            grid_normalisation TEXT NOT NULL,
            upsampling TEXT NOT NULL,
            normalisation TEXT NOT NULL,
            "values" BLOB,
            PRIMARY KEY (model_id, method_id, sample_id)
        );
        CREATE TABLE note (
            model_id INTEGER NOT NULL REFERENCES model (id),
            method_id INTEGER NOT NULL REFERENCES method (id),
            name TEXT NOT NULL,
            sample_id INTEGER NOT NULL REFERENCES sample (id),
            "values" BLOB NOT NULL,
            PRIMARY KEY (model_id, method_id, name, sample_id)
        ) WITHOUT ROWID;
        CREATE TABLE stability (
            model_id INTEGER NOT NULL REFERENCES model (id),
            method_id INTEGER NOT NULL REFERENCES method (id),
            sample_id INTEGER NOT NULL REFERENCES sample (id),
            draws INTEGER NOT NULL,
            pearson_mean REAL,
            pearson_minimum REAL,
            spearman_mean REAL,
            spearman_minimum REAL,
            PRIMARY KEY (model_id, method_id, sample_id)
        ) WITHOUT ROWID;
        CREATE TABLE score (
            model_id INTEGER NOT NULL REFERENCES model (id),
            method_id INTEGER NOT NULL REFERENCES method (id),
            metric_id INTEGER NOT NULL REFERENCES metric (id),
            sample_id INTEGER NOT NULL REFERENCES sample (id),
            value REAL,
            chance REAL,
            ceiling REAL,
            status TEXT NOT NULL,
            chance_source TEXT,
            chance_error REAL NOT NULL,
            PRIMARY KEY (model_id, method_id, metric_id, sample_id)
        ) WITHOUT ROWID;
        CREATE TABLE failure (
            dataset_id INTEGER NOT NULL REFERENCES dataset (id),
            sample_id INTEGER NOT NULL,
            model_id INTEGER NOT NULL,
            stage TEXT NOT NULL,
            message TEXT NOT NULL,
            PRIMARY KEY (dataset_id, sample_id, model_id, stage)
        ) WITHOUT ROWID;
        CREATE TABLE arithmetic (
            vitrine TEXT NOT NULL,
            cpu_path TEXT NOT NULL,
            blas_core TEXT NOT NULL,
            blas TEXT NOT NULL,
            PRIMARY KEY (vitrine, cpu_path, blas_core, blas)
        ) WITHOUT ROWID;
        CREATE TABLE timing (
            model_id INTEGER NOT NULL REFERENCES model (id),
            sample_id INTEGER NOT NULL REFERENCES sample (id),
            prepare REAL NOT NULL,
            explain REAL NOT NULL,
            stability REAL NOT NULL,
            score REAL NOT NULL,
            PRIMARY KEY (model_id, sample_id)
        ) WITHOUT ROWID;
        CREATE TABLE run (
            id INTEGER PRIMARY KEY,
            started TEXT NOT NULL,
            ended TEXT,
            shard TEXT NOT NULL,
            workers INTEGER NOT NULL,
            peak_memory INTEGER
        );
        CREATE VIEW scores AS
            SELECT dataset.name AS dataset, sample.name AS image, sample.patient AS patient, sample.label AS label,
                model.name AS model, method.name AS method, metric.name AS metric, metric.protocol AS protocol,
                score.value AS value, score.chance AS chance, score.ceiling AS ceiling, score.status AS status
            FROM score
            JOIN sample ON sample.id = score.sample_id
            JOIN dataset ON dataset.id = sample.dataset_id
            JOIN model ON model.id = score.model_id
            JOIN method ON method.id = score.method_id
            JOIN metric ON metric.id = score.metric_id;
        """

    static let study = StoreTable("study", order: "name")
    static let dataset = StoreTable("dataset", order: "id")
    static let sample = StoreTable("sample", order: "id")
    static let model = StoreTable("model", order: "id")
    static let method = StoreTable("method", order: "id")
    static let metric = StoreTable("metric", order: "id")
    static let image = StoreTable("image", order: "sample_id", bySample: true)
    static let mask = StoreTable("mask", order: "sample_id", bySample: true)
    static let maskPrior = StoreTable("mask_prior", order: "dataset_id")
    static let checkpoint = StoreTable("checkpoint", order: "model_id")
    static let unit = StoreTable("unit", order: "model_id, sample_id", byModel: true, bySample: true)
    static let prediction = StoreTable("prediction", order: "model_id, sample_id", byModel: true, bySample: true)
    static let map = StoreTable("map", order: "model_id, method_id, sample_id", byModel: true, bySample: true)
    static let note = StoreTable("note", order: "model_id, method_id, name, sample_id", byModel: true, bySample: true)
    static let stability = StoreTable("stability", order: "model_id, method_id, sample_id", byModel: true, bySample: true)
    static let score = StoreTable("score", order: "model_id, method_id, metric_id, sample_id", byModel: true, bySample: true)
    static let failure = StoreTable("failure", order: "dataset_id, sample_id, model_id, method_id, stage")
    static let arithmetic = StoreTable("arithmetic", order: "vitrine, cpu_path, blas_core, blas")

    static let timing = StoreTable("timing", order: "model_id, sample_id")

    /// The tables of the plan, equal in every shard of a study.
    static let planTables = [study, dataset, sample, model, method, metric]
    /// The tables whose content a report depends on.
    ///
    /// `timing` and `run` are left out: they hold dates and durations. So is `seal`, which follows from the others.
    static let contentTables =
        planTables + [image, mask, maskPrior, checkpoint, unit, prediction, map, note, stability, score, failure, arithmetic]
}
