import GRDB

extension Store {
    /// What a row was made from, as far as somebody knows; nil leaves it open.
    package struct Origins {
        /// Of a prediction, by image, and the mask that was scored against.
        package var unit: (_ sample: Int) -> String?
        package var mask: (_ sample: Int) -> String?
        /// Of a map and of its scores, by image and method.
        package var map: (_ sample: Int, _ method: Int) -> String?
        package var scored: (_ sample: Int, _ method: Int) -> String?

        package init(
            unit: @escaping (Int) -> String? = { _ in nil }, mask: @escaping (Int) -> String? = { _ in nil },
            map: @escaping (Int, Int) -> String? = { _, _ in nil }, scored: @escaping (Int, Int) -> String? = { _, _ in nil }
        ) {
            self.unit = unit
            self.mask = mask
            self.map = map
            self.scored = scored
        }
    }

    /// Writes down what the rows under a model were made from where they do not say it: a store of an earlier version.
    package func fill(model: Int, _ origins: Origins) throws(StoreError) {
        try change { change in
            let places = try places(change)
            let id = try places.models.id(model)
            let samples = Dictionary(uniqueKeysWithValues: places.samples.ids.enumerated().map { ($1, $0) })
            let methods = Dictionary(uniqueKeysWithValues: places.methods.ids.enumerated().map { ($1, $0) })
            func known(_ pairs: [(column: String, isOpen: Bool, value: String?)]) -> [String: (any DatabaseValueConvertible)?] {
                var values: [String: (any DatabaseValueConvertible)?] = [:]
                for pair in pairs where pair.isOpen { if let value = pair.value { values[pair.column] = value } }
                return values
            }
            let units = "SELECT * FROM unit WHERE model_id = ? AND (fingerprint IS NULL OR mask_digest IS NULL)"
            for row in try Row.fetchAll(change.db, sql: units, arguments: [id]).map({ StoreRow($0) }) {
                let sample = try row.integer("sample_id")
                guard let place = samples[sample] else { continue }
                let values = known([
                    ("fingerprint", try row.optionalText("fingerprint") == nil, origins.unit(place)),
                    ("mask_digest", try row.optionalText("mask_digest") == nil, origins.mask(place)),
                ])
                if !values.isEmpty {
                    try change.update(StoreSchema.unit, set: values, where: "model_id = ? AND sample_id = ?", [id, sample])
                }
            }
            let maps = """
                SELECT sample_id, method_id, fingerprint, scored FROM map WHERE model_id = ? AND (fingerprint IS NULL OR scored IS NULL)
                """
            for row in try Row.fetchAll(change.db, sql: maps, arguments: [id]).map({ StoreRow($0) }) {
                let (sample, method) = (try row.integer("sample_id"), try row.integer("method_id"))
                guard let place = samples[sample], let column = methods[method] else { continue }
                let values = known([
                    ("fingerprint", try row.optionalText("fingerprint") == nil, origins.map(place, column)),
                    ("scored", try row.optionalText("scored") == nil, origins.scored(place, column)),
                ])
                if !values.isEmpty {
                    try change.update(
                        StoreSchema.map, set: values, where: "model_id = ? AND method_id = ? AND sample_id = ?", [id, method, sample])
                }
            }
        }
    }

    /// Forgets what everything under a model was made from, so that it is made again.
    package func distrust(model: Int) throws(StoreError) {
        try change { change in
            let id = try places(change).models.id(model)
            try change.update(StoreSchema.unit, set: ["fingerprint": ""], where: "model_id = ?", [id])
            try change.update(StoreSchema.map, set: ["fingerprint": ""], where: "model_id = ?", [id])
        }
    }
}
