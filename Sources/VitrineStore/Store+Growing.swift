import GRDB

extension Store {
    /// Makes another plan the store's own: what is new gets a row and an id, what is not wanted any more loses its place and stays in the
    /// file, and what was computed under a name is found again under that name.
    ///
    /// A new list of images to score makes the mask prior of a data set another one; it is forgotten.
    ///
    /// - Returns: whether anything changed.
    @discardableResult
    package func adopt(_ plan: StorePlan) throws(StoreError) -> Bool {
        let old = try self.plan()
        guard old != plan else { return false }
        let changed = plan.datasets.filter { dataset in
            guard let before = old.datasets.first(where: { $0.name == dataset.name }) else { return false }
            func scored(_ plan: StorePlan, _ id: Int) -> [String] {
                plan.samples.filter { $0.datasetID == id && $0.role == .score }.map(\.name)
            }
            return scored(old, before.id) != scored(plan, dataset.id)
        }
        try change { change in
            try plan.write(to: change)
            for dataset in changed {
                try change.forgetPrior(ofDataset: "(SELECT id FROM dataset WHERE name = ?)", [dataset.name])
            }
        }
        forgetPlaces()
        return true
    }
}

extension StorePlan {
    /// Writes the tables of the plan; rows that are there already keep their ids.
    func write(to change: StoreChange) throws {
        // Rows go and come again under the same ids; who refers to them is asked at the end.
        try change.db.execute(sql: "PRAGMA defer_foreign_keys = ON")
        try change.delete(StoreSchema.study, where: "TRUE", [])
        for (name, value) in study.sorted(by: { $0.key < $1.key }) { try change.insert(StoreSchema.study, [name, value]) }

        let datasetIDs = try write(StoreSchema.dataset, key: ["name"], change) {
            datasets.map { d in
                [
                    "name": d.name, "kind": d.kind, "title": d.title, "citation": d.citation, "path": d.path, "has_images": d.hasImages,
                    "class_names": StoreText.list(d.classNames), "positive_label": d.positiveLabel, "positive_class": d.positiveClass,
                ]
            }
        }
        _ = try write(StoreSchema.sample, key: ["dataset_id", "name"], change) {
            samples.map { s in
                [
                    "dataset_id": datasetIDs[s.datasetID], "name": s.name, "role": s.role.rawValue, "label": s.label, "patient": s.patient,
                    "split": s.split, "image_path": s.imagePath, "mask_path": s.maskPath,
                ]
            }
        }
        _ = try write(StoreSchema.model, key: ["dataset_id", "name"], change) {
            models.map { m in ["dataset_id": datasetIDs[m.datasetID], "name": m.name, "kind": m.kind.rawValue, "path": m.path] }
        }
        _ = try write(StoreSchema.method, key: ["name"], change) {
            methods.map { m in
                [
                    "name": m.name, "identifier": m.identifier, "summary": m.summary, "citation": m.citation, "is_control": m.isControl,
                    "is_class_specific": m.isClassSpecific,
                ]
            }
        }
        _ = try write(StoreSchema.metric, key: ["name", "protocol"], change) {
            metrics.map { m in
                [
                    "name": m.name, "protocol": m.protocolName, "summary": m.summary, "citation": m.citation, "direction": m.direction,
                ]
            }
        }
    }

    private typealias Values = [String: (any DatabaseValueConvertible)?]

    /// - Parameter key: the columns that say which row is meant.
    /// - Returns: the ids, by place.
    private func write(_ table: StoreTable, key: [String], _ change: StoreChange, _ wanted: () -> [Values]) throws -> [Int64] {
        let columns = try change.db.columns(in: table.name).map(\.name)
        func name(_ values: [DatabaseValue]) -> [DatabaseValue] { key.map { values[columns.firstIndex(of: $0)!] } }
        let old = try Row.fetchAll(change.db, sql: "SELECT * FROM \(table.name) ORDER BY id").map { Array($0.databaseValues) }
        var ids = Dictionary(old.map { (name($0), $0[0]) }) { first, _ in first }
        var free = (try Int64.fetchOne(change.db, sql: "SELECT max(id) FROM \(table.name)") ?? -1) + 1
        try change.delete(table, where: "TRUE", [])
        var result: [Int64] = []
        for (place, values) in wanted().enumerated() {
            var row = columns.map { column in (values[column] ?? nil)?.databaseValue ?? .null }
            row[columns.firstIndex(of: "position")!] = place.databaseValue
            row[0] = ids.removeValue(forKey: name(row)) ?? free.databaseValue
            let id = Int64.fromDatabaseValue(row[0]) ?? free
            if id == free { free += 1 }
            result.append(id)
            try change.insert(table, row)
        }
        for var row in old where ids[name(row)] != nil {
            row[columns.firstIndex(of: "position")!] = .null
            try change.insert(table, row)
        }
        return result
    }
}
