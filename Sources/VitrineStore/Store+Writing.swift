import GRDB
import VitrineImage

/// What was computed for one image under one model; it enters a store as a whole or not at all.
///
/// Ids are places in the plan.
public struct UnitResult: Sendable {
    /// A map of one method; of a control only what is known of it is kept.
    public struct Map: Sendable {
        public var methodID: Int
        public var map: HeatMap
        public var keepsValues: Bool
        /// Of everything that the map depends on.
        public var fingerprint: String?
        /// The error of each cell, where the method states one.
        public var errors: [Float]?

        public init(methodID: Int, map: HeatMap, keepsValues: Bool, fingerprint: String? = nil, errors: [Float]? = nil) {
            self.methodID = methodID
            self.map = map
            self.keepsValues = keepsValues
            self.fingerprint = fingerprint
            self.errors = errors
        }
    }

    public var unit: UnitRecord
    public var prediction: PredictionRecord?
    /// New maps; each takes the place of an earlier one of the same method, with everything that was known of that.
    public var maps: [Map] = []
    public var notes: [NoteRecord] = []
    public var stabilities: [StabilityRecord] = []
    /// New scores, of new maps or of stored ones.
    public var scores: [ScoreRecord] = []
    /// Of what the scores of a method's map depend on, by method. Scores from anything else go before the new ones are stored.
    public var scored: [Int: String] = [:]
    /// What failed here and now; what had failed before is forgotten.
    public var failures: [FailureRecord] = []
    public var timing: TimingRecord

    public init(unit: UnitRecord, timing: TimingRecord) {
        self.unit = unit
        self.timing = timing
    }
}

extension Store {
    /// Stores what was computed for one image under one model in one transaction.
    public func commit(_ result: UnitResult) throws(StoreError) {
        try change { change in
            let places = try places(change)
            let (model, sample) = (try places.models.id(result.unit.modelID), try places.samples.id(result.unit.sampleID))
            let here: StatementArguments = [model, sample]
            try change.delete(StoreSchema.failure, where: "model_id = ? AND sample_id = ?", here)
            for failure in result.failures { try insert(failure, into: change, places) }
            if let p = result.prediction {
                try change.delete(StoreSchema.prediction, where: "model_id = ? AND sample_id = ?", here)
                try change.insert(
                    StoreSchema.prediction,
                    [model, sample, p.target, p.predicted, StoreBlob.data(p.logits), StoreBlob.data(p.probabilities)])
            }
            for map in result.maps {
                let method = try places.methods.id(map.methodID)
                if try Self.hasMap(model, method, sample, change.db) {
                    try Self.deleteScores(model, method, sample, change)
                    for table in [StoreSchema.note, StoreSchema.stability, StoreSchema.map] {
                        try change.delete(table, where: Self.map, [model, method, sample])
                    }
                }
                try insert(map, scored: result.scored[map.methodID], model: model, method: method, sample: sample, into: change)
            }
            for note in result.notes {
                try change.insert(
                    StoreSchema.note, [model, try places.methods.id(note.methodID), note.name, sample, StoreBlob.data(note.values)])
            }
            for s in result.stabilities {
                try change.insert(
                    StoreSchema.stability,
                    [
                        model, try places.methods.id(s.methodID), sample, s.draws, s.pearsonMean, s.pearsonMinimum, s.spearmanMean,
                        s.spearmanMinimum,
                    ])
            }
            for (method, fingerprint) in result.scored where !result.maps.contains(where: { $0.methodID == method }) {
                let id = try places.methods.id(method)
                let stored = try Row.fetchOne(
                    change.db, sql: "SELECT scored FROM map WHERE \(Self.map)", arguments: [model, id, sample])
                guard try stored.map({ try StoreRow($0).optionalText("scored") }) != fingerprint else { continue }
                try Self.deleteScores(model, id, sample, change)
                try change.update(StoreSchema.map, set: ["scored": fingerprint], where: Self.map, [model, id, sample])
            }
            for s in result.scores {
                try change.insert(
                    StoreSchema.score,
                    [
                        model, try places.methods.id(s.methodID), try places.metrics.id(s.metricID), sample, s.value, s.chance, s.ceiling,
                        s.status,
                        s.chanceSource, s.chanceError, s.reason, s.curve.map { StoreBlob.data($0) },
                        s.chanceCurve.map { StoreBlob.data($0) },
                    ])
            }
            let u = result.unit
            try change.delete(StoreSchema.unit, where: "model_id = ? AND sample_id = ?", here)
            try change.insert(
                StoreSchema.unit,
                [model, sample, u.maskStatus.rawValue, u.maskArea, u.maskComponents, u.height, u.width, u.fingerprint, u.maskDigest])
            let t = result.timing
            try change.db.cachedStatement(
                sql: """
                    INSERT INTO timing VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET prepare = prepare + excluded.prepare, explain = explain + excluded.explain,
                        stability = stability + excluded.stability, score = score + excluded.score
                    """
            ).execute(arguments: [model, sample, t.prepare, t.explain, t.stability, t.score])
        }
    }

    /// Of one method's map of one image.
    private static let map = "model_id = ? AND method_id = ? AND sample_id = ?"

    private static func hasMap(_ model: Int64, _ method: Int64, _ sample: Int64, _ db: Database) throws -> Bool {
        try Row.fetchOne(db, sql: "SELECT 1 FROM map WHERE \(map)", arguments: [model, method, sample]) != nil
    }

    /// Metric by metric: the rows of one image lie far apart in the table.
    private static func deleteScores(_ model: Int64, _ method: Int64, _ sample: Int64, _ change: StoreChange) throws {
        try change.delete(
            StoreSchema.score,
            where: "model_id = ? AND method_id = ? AND metric_id IN (SELECT id FROM metric) AND sample_id = ?", [model, method, sample])
    }

    private func insert(
        _ entry: UnitResult.Map, scored: String?, model: Int64, method: Int64, sample: Int64, into change: StoreChange
    ) throws {
        let map = entry.map
        let audit = MapAuditRecord(map.audit)
        try change.insert(
            StoreSchema.map,
            [
                model, method, sample, audit.nanCount, audit.infiniteCount, audit.isConstant, audit.isBlank,
                audit.minimum.map { Double($0) }, audit.maximum.map { Double($0) }, map.rows, map.columns, map.height, map.width,
                map.display.clipsNegatives, map.display.gridNormalisation.rawValue, map.display.upsampling.rawValue,
                map.display.normalisation.rawValue, entry.keepsValues ? StoreBlob.data(map.values) : nil, entry.fingerprint, scored,
                entry.errors.map { StoreBlob.data($0) },
            ])
    }

    /// Stores what the inspection of one sample found.
    ///
    /// A mask that is another one than before, or was none before, makes the mask prior of its data set another one; it is forgotten.
    public func commit(image: ImageRecord?, mask: MaskRecord?, failures: [FailureRecord], sample place: Int) throws(StoreError) {
        try change { change in
            let places = try places(change)
            let sample = try places.samples.id(place)
            try change.delete(StoreSchema.failure, where: "sample_id = ? AND model_id = -1", [sample])
            if let i = image {
                // On an image of another size the same mask lies elsewhere.
                let size = "SELECT 1 FROM image WHERE sample_id = ? AND (stored_width <> ? OR stored_height <> ?)"
                if try Row.fetchOne(change.db, sql: size, arguments: [sample, i.storedWidth, i.storedHeight]) != nil {
                    try Self.forgetPrior(sample, change)
                }
                try change.delete(StoreSchema.image, where: "sample_id = ?", [sample])
                try change.insert(StoreSchema.image, [sample, i.sha256, i.storedWidth, i.storedHeight, StoreText.list(i.notes)])
            }
            if let m = mask {
                let old = try Row.fetchOne(change.db, sql: "SELECT * FROM mask WHERE sample_id = ?", arguments: [sample])
                // From a store of an earlier version the mask is the same one if its file is.
                let isSame = try old.map { row in
                    let row = StoreRow(row)
                    return try row.optionalText("digest").map { $0 == m.digest } ?? (row.optionalText("sha256") == m.sha256)
                }
                if isSame == false { try Self.distrust(sample, change) }
                if isSame != true {
                    try Self.forgetPrior(sample, change)
                }
                try change.delete(StoreSchema.mask, where: "sample_id = ?", [sample])
                try change.insert(
                    StoreSchema.mask,
                    [
                        sample, m.sha256, m.storedWidth, m.storedHeight, m.area, m.components, m.isRectangle, m.greyLevels, m.isEmpty,
                        m.isFull, m.digest, StoreText.list(m.notes),
                    ])
            }
            for failure in failures { try insert(failure, into: change, places) }
        }
    }

    private static func forgetPrior(_ sample: Int64, _ change: StoreChange) throws {
        try change.forgetPrior(ofDataset: "(SELECT dataset_id FROM sample WHERE id = ?)", [sample])
    }

    /// Rows of a store of an earlier version do not say which mask they were scored against; once it has changed, it was not this one.
    private static func distrust(_ sample: Int64, _ change: StoreChange) throws {
        try change.update(
            StoreSchema.unit, set: ["mask_digest": ""],
            where: "model_id IN (SELECT id FROM model) AND sample_id = ? AND mask_status = 'scored' AND mask_digest IS NULL", [sample])
        try change.update(
            StoreSchema.map, set: ["scored": ""],
            where: "model_id IN (SELECT id FROM model) AND method_id IN (SELECT id FROM method) AND sample_id = ? AND scored IS NULL",
            [sample])
        // Of masks alone the mask is also what was looked at.
        try change.update(
            StoreSchema.map, set: ["fingerprint": ""],
            where: "model_id IN (SELECT id FROM model) AND method_id IN (SELECT id FROM method) AND sample_id = ? AND fingerprint IS NULL",
            [sample])
    }

    public func commit(_ checkpoint: CheckpointRecord) throws(StoreError) {
        try change { change in
            let model = try places(change).models.id(checkpoint.modelID)
            try change.delete(StoreSchema.failure, where: "model_id = ? AND sample_id = -1 AND stage = 'model'", [model])
            try change.delete(StoreSchema.checkpoint, where: "model_id = ?", [model])
            try change.insert(
                StoreSchema.checkpoint,
                [
                    model, checkpoint.sha256, checkpoint.family, checkpoint.parameters, checkpoint.classes, checkpoint.architecture,
                    checkpoint.preprocess, StoreText.list(checkpoint.notes), checkpoint.settings,
                ])
        }
    }

    public func commit(_ prior: MaskPriorRecord) throws(StoreError) {
        try change { change in
            let dataset = try places(change).datasets.id(prior.datasetID)
            try change.delete(StoreSchema.maskPrior, where: "dataset_id = ?", [dataset])
            try change.delete(StoreSchema.failure, where: "dataset_id = ? AND stage = 'prior'", [dataset])
            try change.insert(
                StoreSchema.maskPrior,
                [dataset, prior.masks, prior.height, prior.width, StoreBlob.data(prior.counts), prior.preprocess])
        }
    }

    public func commit(_ failure: FailureRecord) throws(StoreError) {
        try change { change in try insert(failure, into: change, places(change)) }
    }

    private func insert(_ failure: FailureRecord, into change: StoreChange, _ places: StorePlaces) throws {
        let key: [Int64] = [
            try places.datasets.id(failure.datasetID), try failure.sampleID.map { try places.samples.id($0) } ?? -1,
            try failure.modelID.map { try places.models.id($0) } ?? -1, try failure.methodID.map { try places.methods.id($0) } ?? -1,
        ]
        let stage = failure.stage.rawValue
        try change.delete(
            StoreSchema.failure, where: "dataset_id = ? AND sample_id = ? AND model_id = ? AND method_id = ? AND stage = ?",
            StatementArguments(key) + [stage])
        try change.insert(StoreSchema.failure, key + [stage, failure.message])
    }

    /// Notes the start of an invocation and the arithmetic of this machine.
    ///
    /// - Parameter studyFolder: where the study file lies, as seen from the store's folder.
    /// - Returns: the invocation's number.
    package func beginRun(
        started: String, shard: String, workers: Int, studyFolder: String?, arithmetic a: ArithmeticRecord
    ) throws(StoreError) -> Int {
        try change { change in
            let machine: StatementArguments = [a.vitrine, a.cpuPath, a.blasCore, a.blas]
            try change.delete(StoreSchema.arithmetic, where: "vitrine = ? AND cpu_path = ? AND blas_core = ? AND blas = ?", machine)
            try change.insert(StoreSchema.arithmetic, [a.vitrine, a.cpuPath, a.blasCore, a.blas])
            try change.db.execute(
                sql: "INSERT INTO run (started, shard, workers, study_folder) VALUES (?, ?, ?, ?)",
                arguments: [started, shard, workers, studyFolder])
            return Int(change.db.lastInsertedRowID)
        }
    }

    package func endRun(_ id: Int, ended: String, peakMemory: Int?) throws(StoreError) {
        try change { change in
            try change.db.execute(sql: "UPDATE run SET ended = ?, peak_memory = ? WHERE id = ?", arguments: [ended, peakMemory, id])
        }
    }
}
