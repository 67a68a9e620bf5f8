import GRDB

/// How far a study is; a unit is one image under one model.
public struct StudyProgress: Sendable, Equatable {
    /// One model of one data set.
    public struct Model: Sendable, Equatable {
        public var datasetID: Int
        public var modelID: Int
        public var total: Int
        public var done: Int
        /// Units that were tried and failed.
        public var failed: Int
    }

    /// In the order of the plan.
    public var models: [Model]

    public var total: Int { models.reduce(0) { $0 + $1.total } }
    public var done: Int { models.reduce(0) { $0 + $1.done } }
    public var failed: Int { models.reduce(0) { $0 + $1.failed } }
    public var isComplete: Bool { done + failed == total }
}

extension Store {
    /// Counts finished and failed units.
    ///
    /// A unit failed when its image or mask failed, when its model did not load, or when the network refused the image. Controls run on
    /// samples to be scored only.
    public func progress() throws(StoreError) -> StudyProgress {
        let wanted = "(model.kind <> 'none' OR sample.role = 'score')"
        let sql = """
            SELECT model.dataset_id, model.id AS model_id, count(*) AS total,
                count(unit.model_id) AS done,
                count(CASE WHEN unit.model_id IS NULL AND EXISTS (
                    SELECT 1 FROM failure
                    WHERE failure.dataset_id = model.dataset_id AND failure.sample_id IN (-1, sample.id)
                        AND failure.model_id IN (-1, model.id) AND failure.stage <> 'training') THEN 1 END) AS failed
            FROM model
            JOIN sample ON sample.dataset_id = model.dataset_id AND \(wanted)
            LEFT JOIN unit ON unit.model_id = model.id AND unit.sample_id = sample.id
            GROUP BY model.id ORDER BY model.id
            """
        return try read("unit") { db in
            let models = try Row.fetchAll(db, sql: sql).map { row in
                StudyProgress.Model(
                    datasetID: row["dataset_id"], modelID: row["model_id"], total: row["total"], done: row["done"], failed: row["failed"])
            }
            return StudyProgress(models: models)
        }
    }
}
