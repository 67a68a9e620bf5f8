import Foundation
import GRDB
import VitrineImage

/// Everything that one image under one model gives; it enters a store as a whole or not at all.
public struct UnitResult: Sendable {
    /// A map of one method; of a control only what is known of it is kept.
    public struct Map: Sendable {
        public var methodID: Int
        public var map: HeatMap
        public var keepsValues: Bool

        public init(methodID: Int, map: HeatMap, keepsValues: Bool) {
            self.methodID = methodID
            self.map = map
            self.keepsValues = keepsValues
        }
    }

    public var unit: UnitRecord
    public var prediction: PredictionRecord?
    public var maps: [Map] = []
    public var notes: [NoteRecord] = []
    public var stabilities: [StabilityRecord] = []
    public var scores: [ScoreRecord] = []
    public var timing: TimingRecord

    public init(unit: UnitRecord, timing: TimingRecord) {
        self.unit = unit
        self.timing = timing
    }
}

extension Store {
    /// Stores one image under one model in one transaction, and forgets what had failed there before.
    public func commit(_ result: UnitResult) throws(StoreError) {
        try write { db in
            let (model, sample) = (result.unit.modelID, result.unit.sampleID)
            try db.execute(sql: "DELETE FROM failure WHERE model_id = ? AND sample_id = ?", arguments: [model, sample])
            if let p = result.prediction {
                try db.cachedStatement(sql: "INSERT INTO prediction VALUES (?, ?, ?, ?, ?, ?)").execute(arguments: [
                    model, sample, p.target, p.predicted, StoreBlob.data(p.logits), StoreBlob.data(p.probabilities),
                ])
            }
            for map in result.maps { try insert(map, model: model, sample: sample, into: db) }
            for note in result.notes {
                try db.cachedStatement(sql: "INSERT INTO note VALUES (?, ?, ?, ?, ?)").execute(arguments: [
                    model, note.methodID, note.name, sample, StoreBlob.data(note.values),
                ])
            }
            for s in result.stabilities {
                try db.cachedStatement(sql: "INSERT INTO stability VALUES (?, ?, ?, ?, ?, ?, ?, ?)").execute(arguments: [
                    model, s.methodID, sample, s.draws, s.pearsonMean, s.pearsonMinimum, s.spearmanMean, s.spearmanMinimum,
                ])
            }
            let insertScore = try db.cachedStatement(sql: "INSERT INTO score VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            for s in result.scores {
                try insertScore.execute(arguments: [
                    model, s.methodID, s.metricID, sample, s.value, s.chance, s.ceiling, s.status, s.chanceSource, s.chanceError,
                ])
            }
            let t = result.timing
            try db.cachedStatement(sql: "INSERT OR REPLACE INTO timing VALUES (?, ?, ?, ?, ?, ?)").execute(arguments: [
                model, sample, t.prepare, t.explain, t.stability, t.score,
            ])
            let u = result.unit
            try db.cachedStatement(sql: "INSERT INTO unit VALUES (?, ?, ?, ?, ?, ?, ?)").execute(arguments: [
                model, sample, u.maskStatus.rawValue, u.maskArea, u.maskComponents, u.height, u.width,
            ])
        }
    }

    private func insert(_ entry: UnitResult.Map, model: Int, sample: Int, into db: Database) throws {
        let map = entry.map
        let audit = MapAuditRecord(map.audit)
        let values = entry.keepsValues ? StoreBlob.data(map.values) : nil
        try db.cachedStatement(sql: "INSERT INTO map VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").execute(arguments: [
            model, entry.methodID, sample, audit.nanCount, audit.infiniteCount, audit.isConstant, audit.isBlank,
            audit.minimum.map { Double($0) }, audit.maximum.map { Double($0) }, map.rows, map.columns, map.height, map.width,
            map.display.clipsNegatives, map.display.gridNormalisation.rawValue, map.display.upsampling.rawValue,
            map.display.normalisation.rawValue, values,
        ])
    }

    /// Stores what the inspection of one sample found.
    public func commit(image: ImageRecord?, mask: MaskRecord?, failures: [FailureRecord], sample: Int) throws(StoreError) {
        try write { db in
            try db.execute(sql: "DELETE FROM failure WHERE sample_id = ? AND model_id = -1", arguments: [sample])
            if let i = image {
                try db.cachedStatement(sql: "INSERT OR REPLACE INTO image VALUES (?, ?, ?, ?)").execute(arguments: [
                    sample, i.sha256, i.storedWidth, i.storedHeight,
                ])
            }
            if let m = mask {
                try db.cachedStatement(sql: "INSERT OR REPLACE INTO mask VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").execute(arguments: [
                    sample, m.sha256, m.storedWidth, m.storedHeight, m.area, m.components, m.isRectangle, m.greyLevels, m.isEmpty, m.isFull,
                ])
            }
            for failure in failures { try insert(failure, into: db) }
        }
    }

    public func commit(_ checkpoint: CheckpointRecord) throws(StoreError) {
        try write { db in
            try db.execute(
                sql: "DELETE FROM failure WHERE model_id = ? AND sample_id = -1 AND stage = 'model'", arguments: [checkpoint.modelID])
            try db.execute(
                sql: "INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    checkpoint.modelID, checkpoint.sha256, checkpoint.family, checkpoint.parameters, checkpoint.classes,
                    checkpoint.architecture, checkpoint.preprocess, StoreText.list(checkpoint.notes),
                ])
        }
    }

    public func commit(_ prior: MaskPriorRecord) throws(StoreError) {
        try write { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO mask_prior VALUES (?, ?, ?, ?, ?)",
                arguments: [prior.datasetID, prior.masks, prior.height, prior.width, StoreBlob.data(prior.counts)])
        }
    }

    public func commit(_ failure: FailureRecord) throws(StoreError) {
        try write { db in try insert(failure, into: db) }
    }

    private func insert(_ failure: FailureRecord, into db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?, ?)",
            arguments: [
                failure.datasetID, failure.sampleID ?? -1, failure.modelID ?? -1, failure.stage.rawValue, failure.message,
            ])
    }

    /// Notes the start of an invocation and the arithmetic of this machine.
    ///
    /// - Returns: the invocation's number.
    func beginRun(started: String, shard: String, workers: Int, arithmetic: ArithmeticRecord) throws(StoreError) -> Int {
        try write { db in
            try db.execute(
                sql: "INSERT OR IGNORE INTO arithmetic VALUES (?, ?, ?, ?)",
                arguments: [arithmetic.vitrine, arithmetic.cpuPath, arithmetic.blasCore, arithmetic.blas])
            try db.execute(
                sql: "INSERT INTO run (started, shard, workers) VALUES (?, ?, ?)", arguments: [started, shard, workers])
            return Int(db.lastInsertedRowID)
        }
    }

    func endRun(_ id: Int, ended: String, peakMemory: Int?) throws(StoreError) {
        try write { db in
            try db.execute(sql: "UPDATE run SET ended = ?, peak_memory = ? WHERE id = ?", arguments: [ended, peakMemory, id])
        }
    }
}
