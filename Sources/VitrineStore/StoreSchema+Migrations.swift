import GRDB
import VitrineTensor

extension StoreSchema {
    /// Brings a store of any version up to date; each step runs once, in one transaction with those before it.
    static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            // Stores of version 1 were made without a list of migrations.
            guard try !db.tableExists("study") else { return }
            try db.execute(sql: sql)
            try db.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = 1")
        }
        migrator.registerMigration("2: checksums, batch is no part of a study, where the study file was") { db in
            try db.execute(sql: version2)
            try forgetBatch(db)
            try StoreSeals.rewrite(db)
            try db.execute(sql: "PRAGMA user_version = 2")
        }
        migrator.registerMigration("3: a study may grow") { db in
            try db.execute(sql: version3)
            try makeViews(db)
            try StoreSeals.rewrite(db)
            try db.execute(sql: "PRAGMA user_version = 3")
        }
        migrator.registerMigration("4: what is noted about a file") { db in
            try db.execute(sql: version4)
            for table in contentTables + [timing] { try db.execute(sql: "DROP VIEW \(table.current)") }
            try makeViews(db)
            try StoreSeals.rewrite(db)
            try db.execute(sql: "PRAGMA user_version = 4")
        }
        migrator.registerMigration("5: the curves of random maps") { db in
            try db.execute(sql: "ALTER TABLE score ADD COLUMN chance_curve BLOB")
            for table in contentTables + [timing] { try db.execute(sql: "DROP VIEW \(table.current)") }
            try makeViews(db)
            try StoreSeals.rewrite(db)
            try db.execute(sql: "PRAGMA user_version = 5")
        }
        return migrator
    }()

    private static let version2 = """
        CREATE TABLE seal (
            name TEXT NOT NULL,
            model_id INTEGER NOT NULL,
            sample_id INTEGER NOT NULL,
            "rows" INTEGER NOT NULL,
            sum INTEGER NOT NULL,
            PRIMARY KEY (name, model_id, sample_id)
        ) WITHOUT ROWID;
        ALTER TABLE run ADD COLUMN study_folder TEXT;
        """

    /// Ids stay what they are while places in the plan change; what no plan names any more has no place and stays in the file.
    private static let version3 = """
        ALTER TABLE dataset ADD COLUMN position INTEGER;
        ALTER TABLE sample ADD COLUMN position INTEGER;
        ALTER TABLE model ADD COLUMN position INTEGER;
        ALTER TABLE method ADD COLUMN position INTEGER;
        ALTER TABLE metric ADD COLUMN position INTEGER;
        ALTER TABLE metric ADD COLUMN direction TEXT NOT NULL DEFAULT 'higher';
        UPDATE dataset SET position = id;
        UPDATE sample SET position = id;
        UPDATE model SET position = id;
        UPDATE method SET position = id;
        UPDATE metric SET position = id;
        CREATE UNIQUE INDEX dataset_position ON dataset (position);
        CREATE UNIQUE INDEX sample_position ON sample (position);
        CREATE UNIQUE INDEX model_position ON model (position);
        CREATE UNIQUE INDEX method_position ON method (position);
        CREATE UNIQUE INDEX metric_position ON metric (position);
        ALTER TABLE mask ADD COLUMN digest TEXT;
        ALTER TABLE mask_prior ADD COLUMN preprocess TEXT;
        ALTER TABLE checkpoint ADD COLUMN settings TEXT;
        ALTER TABLE unit ADD COLUMN fingerprint TEXT;
        ALTER TABLE unit ADD COLUMN mask_digest TEXT;
        ALTER TABLE map ADD COLUMN fingerprint TEXT;
        ALTER TABLE map ADD COLUMN scored TEXT;
        ALTER TABLE map ADD COLUMN error_values BLOB;
        ALTER TABLE score ADD COLUMN reason TEXT;
        ALTER TABLE score ADD COLUMN curve BLOB;
        CREATE TABLE failure_by_method (
            dataset_id INTEGER NOT NULL REFERENCES dataset (id),
            sample_id INTEGER NOT NULL,
            model_id INTEGER NOT NULL,
            method_id INTEGER NOT NULL,
            stage TEXT NOT NULL,
            message TEXT NOT NULL,
            PRIMARY KEY (dataset_id, sample_id, model_id, method_id, stage)
        ) WITHOUT ROWID;
        INSERT INTO failure_by_method SELECT dataset_id, sample_id, model_id, -1, stage, message FROM failure;
        DROP TABLE failure;
        ALTER TABLE failure_by_method RENAME TO failure;
        DROP VIEW scores;
        CREATE VIEW scores AS
            SELECT dataset.name AS dataset, sample.name AS image, sample.patient AS patient, sample.label AS label,
                model.name AS model, method.name AS method, metric.name AS metric, metric.protocol AS protocol,
                score.value AS value, score.chance AS chance, score.ceiling AS ceiling, score.status AS status, score.reason AS reason
            FROM score
            JOIN sample ON sample.id = score.sample_id AND sample.position IS NOT NULL
            JOIN dataset ON dataset.id = sample.dataset_id AND dataset.position IS NOT NULL
            JOIN model ON model.id = score.model_id AND model.position IS NOT NULL
            JOIN method ON method.id = score.method_id AND method.position IS NOT NULL
            JOIN metric ON metric.id = score.metric_id AND metric.position IS NOT NULL;
        """

    private static let version4 = """
        ALTER TABLE image ADD COLUMN notes TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE mask ADD COLUMN notes TEXT NOT NULL DEFAULT '[]';
        """

    /// A view `current_TABLE` per table: the rows that the plan of today names, with places in the plan for ids.
    private static func makeViews(_ db: Database) throws {
        for table in contentTables + [timing] {
            let columns = try db.columns(in: table.name).map(\.name).filter { $0 != "position" }
            let isPlan = columns.contains("id")
            let parents = columns.filter { $0.hasSuffix("_id") }.map { String($0.dropLast(3)) }
            // -1 stands for all of them, as it does in the table.
            let hasNone = table == failure
            let selected = columns.map { column -> String in
                if column == "id" { return "t.position AS id" }
                guard column.hasSuffix("_id") else { return "t.\"\(column)\"" }
                let parent = column.dropLast(3)
                return hasNone ? "coalesce(\(parent).position, -1) AS \(column)" : "\(parent).position AS \(column)"
            }
            let joins = parents.map { "\(hasNone ? "LEFT " : "")JOIN \($0) ON \($0).id = t.\($0)_id" }
            var conditions = parents.map { hasNone ? "(t.\($0)_id = -1 OR \($0).position IS NOT NULL)" : "\($0).position IS NOT NULL" }
            if isPlan { conditions.append("t.position IS NOT NULL") }
            try db.execute(
                sql: "CREATE VIEW \(table.current) AS SELECT \(selected.joined(separator: ", ")) FROM \(table.name) t "
                    + joins.joined(separator: " ") + (conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")))
        }
    }

    /// How many images go through a network together once was part of a study; no bit of a result depends on it.
    private static func forgetBatch(_ db: Database) throws {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM study WHERE name = ?", arguments: [StudyKey.resolved]) else { return }
        let text = try StoreRow(row).text("value")
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let batch = lines.firstIndex(where: { $0.hasPrefix("batch: ") }) else { return }
        lines.remove(at: batch)
        let identity = lines.drop { $0.hasPrefix("title: ") }.joined(separator: "\n")
        for (name, value) in [
            (StudyKey.resolved, lines.joined(separator: "\n")), (StudyKey.fingerprint, sha256(of: Array(identity.utf8))),
        ] {
            try db.execute(sql: "UPDATE study SET value = ? WHERE name = ?", arguments: [value, name])
        }
    }
}
