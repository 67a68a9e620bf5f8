import Foundation
import GRDB
import Testing
import VitrineImage

@testable import VitrineStore
@testable import VitrineStudy

@Suite("Result store")
struct StoreTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("vitrine-store-\(UUID().uuidString)")

    private func path(_ name: String) throws -> String {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.appendingPathComponent(name).path
    }

    private static let plan = StorePlan(
        study: [StudyKey.title: "T", StudyKey.resolved: "title: T\n"],
        datasets: [
            DatasetRecord(
                id: 0, name: "d", kind: "csv", title: "D", citation: "c", path: "p", hasImages: true,
                classNames: ["a \"quoted\" one", "b\\\n\u{1}é"], positiveLabel: 1, positiveClass: nil)
        ],
        samples: [
            SampleRecord(id: 0, datasetID: 0, name: "<script>.png", role: .score, label: 1, patient: "p'1", imagePath: "x", maskPath: "m"),
            SampleRecord(id: 1, datasetID: 0, name: "b.png", role: .predict, imagePath: "y"),
        ],
        models: [
            ModelRecord(id: 0, datasetID: 0, name: "none", kind: .none, path: ""),
            ModelRecord(id: 1, datasetID: 0, name: "m", kind: .checkpoint, path: "m.pth"),
        ],
        methods: [
            MethodRecord(
                id: 0, name: "chefer:start=1", identifier: "chefer", summary: "s", citation: "c", isControl: false, isClassSpecific: true)
        ],
        metrics: [MetricRecord(id: 0, name: "iou@5", protocolName: "study", summary: "s", citation: "c")])

    private func unit(_ sample: Int = 0) -> UnitResult {
        var unit = UnitResult(
            unit: UnitRecord(modelID: 1, sampleID: sample, maskStatus: .scored, maskArea: 0.25, maskComponents: 2, height: 32, width: 24),
            timing: TimingRecord(modelID: 1, sampleID: sample, prepare: 1, explain: 2, stability: 3, score: 4))
        let map = HeatMap(
            rows: 2, columns: 3, values: [-0.0, 1.5, .nan, .infinity, -.leastNonzeroMagnitude, 3e38], height: 32, width: 24,
            display: DisplayRule(clipsNegatives: true, gridNormalisation: .minMaxGuarded, upsampling: .bicubic, normalisation: .none))
        unit.prediction = PredictionRecord(
            modelID: 1, sampleID: sample, target: "logit 1", predicted: 1, logits: [-1.25, 3], probabilities: [0.1, 0.9])
        unit.maps = [UnitResult.Map(methodID: 0, map: map, keepsValues: true)]
        unit.notes = [NoteRecord(modelID: 1, methodID: 0, name: "conservation", sampleID: sample, values: [1, -2.5e-300, .infinity])]
        unit.stabilities = [
            StabilityRecord(
                modelID: 1, methodID: 0, sampleID: sample, draws: 10, pearsonMean: 0.5, pearsonMinimum: nil, spearmanMean: -1,
                spearmanMinimum: 0)
        ]
        unit.scores = [
            ScoreRecord(
                methodID: 0, metricID: 0, value: 0.1, chance: 1.0 / 3, ceiling: nil, status: "ok", chanceSource: "permutation",
                chanceError: 1e-3)
        ]
        return unit
    }

    @Test("what is noted about files is said once per kind, and outlives the run")
    func fileNotes() throws {
        let store = try Store.create(path("notes.sqlite"), plan: Self.plan)
        for sample in 0..<2 {
            let image = ImageRecord(
                sampleID: sample, sha256: "a\(sample)", storedWidth: 30, storedHeight: 40,
                notes: ["16 bits, of which \(12 + sample) are used"])
            let mask = MaskRecord(
                sampleID: sample, storedWidth: 30, storedHeight: 40, area: 0.2, components: 2, isRectangle: false, greyLevels: 9,
                isEmpty: false, isFull: false, notes: sample == 1 ? ["a lossy mask of 9 values"] : [])
            try store.commit(image: image, mask: mask, failures: [], sample: sample)
        }
        let names = try store.samples().map(\.name)
        #expect(
            try FileNotes.lines(store) == [
                "\(names[0]): 16 bits, of which 12 are used (and 1 more files like it)",
                "the mask of \(names[1]): a lossy mask of 9 values",
            ])
    }

    @Test("what is written is read back bit for bit")
    func roundTrip() throws {
        let store = try Store.create(path("a.sqlite"), plan: Self.plan)
        let unit = unit()
        try store.commit(unit)
        let image = ImageRecord(sampleID: 0, sha256: "ab", storedWidth: 30, storedHeight: 40, notes: ["16 bits, of which 12 are used"])
        let mask = MaskRecord(
            sampleID: 0, sha256: nil, storedWidth: 30, storedHeight: 40, area: 0.2, components: 2, isRectangle: false, greyLevels: 9,
            isEmpty: false,
            isFull: true, notes: ["a lossy mask of 9 values"])
        let failure = FailureRecord(datasetID: 0, sampleID: 0, modelID: nil, stage: .mask, message: "x")
        try store.commit(image: image, mask: mask, failures: [failure], sample: 0)
        let prior = MaskPriorRecord(datasetID: 0, masks: 2, height: 1, width: 3, counts: [0, 2, .max])
        try store.commit(prior)
        let checkpoint = CheckpointRecord(
            modelID: 1, sha256: "cd", family: "timm", parameters: 86_000_000, classes: 2, architecture: "{}", preprocess: "resize:224",
            notes: ["heads", "a \"b\""])
        try store.commit(checkpoint)
        try store.close()

        let read = try Store.open(store.path)
        #expect(try read.plan() == Self.plan)
        #expect(try read.units() == [unit.unit])
        #expect(try read.predictions(model: 1) == [unit.prediction])
        #expect(try read.notes() == unit.notes)
        #expect(try read.notes(name: "other") == [])
        #expect(try read.stabilities() == unit.stabilities)
        #expect(try read.timings() == [unit.timing])
        #expect(try read.images() == [image])
        #expect(try read.masks() == [mask])
        #expect(try read.failures() == [failure])
        #expect(try read.maskPrior(dataset: 0) == prior)
        #expect(try read.checkpoints() == [checkpoint])
        let map = try #require(try read.map(model: 1, method: 0, sample: 0))
        // Bits, since NaN does not equal itself.
        #expect(map.values.map(\.bitPattern) == unit.maps[0].map.values.map(\.bitPattern))
        #expect(map.display == unit.maps[0].map.display)
        #expect(try read.maps(model: 1, method: 0)[0].audit == MapAuditRecord(unit.maps[0].map.audit))
        let column = try read.scores(model: 1, method: 0, metric: 0)
        #expect(column.sampleIDs == [0] && column.values == [0.1] && column.chances == [1.0 / 3] && column.ceilings == [nil])
        var visited: [ScoreRecord] = []
        try read.forEachScore { _, _, score in visited.append(score) }
        #expect(visited == unit.scores)
    }

    @Test("a unit enters whole or not at all, and what is made again takes the place of what was there")
    func atomic() throws {
        let store = try Store.create(path("a.sqlite"), plan: Self.plan)
        var bad = unit()
        // No such metric: it fails after most of the unit was written.
        bad.scores[0].metricID = 7
        #expect(throws: StoreError.self) { try store.commit(bad) }
        #expect(try store.units().isEmpty && store.predictions(model: 1).isEmpty && store.notes().isEmpty)
        try store.commit(unit())
        let digest = try store.contentDigest()
        try store.commit(unit())
        #expect(try store.contentDigest() == digest)
        try store.verify()
    }

    @Test("commits reach the disk, and nothing stands beside the file once they have")
    func durable() throws {
        let store = try Store.create(path("a.sqlite"), plan: Self.plan)
        #expect(try store.synchronous == 2)
        try store.commit(unit())
        // As after any ending of the process: nothing is closed yet.
        #expect(try files() == ["a.sqlite", "a.sqlite.lock"])
        try FileManager.default.copyItem(atPath: store.path, toPath: path("copy.sqlite"))
        #expect(try Store.open(path("copy.sqlite")).contentDigest() == store.contentDigest())
        try store.close()
        #expect(try files() == ["a.sqlite", "a.sqlite.lock", "copy.sqlite"])
    }

    private func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }

    @Test("logs that a deleted store left behind do not enter the next one")
    func staleLogs() throws {
        let first = try path("a.sqlite")
        for suffix in StoreFile.companions { try Data("left behind".utf8).write(to: URL(fileURLWithPath: first + suffix)) }
        let store = try Store.create(first, plan: Self.plan)
        #expect(try files() == ["a.sqlite", "a.sqlite.lock"])
        try store.commit(unit())
        let digest = try store.contentDigest()
        try store.close()
        // A write-ahead log with another store's rows: SQLite alone would take them in.
        let other = try DatabaseQueue(path: path("log.sqlite"))
        try other.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL; CREATE TABLE a (b); INSERT INTO a VALUES (1)")
            try FileManager.default.copyItem(atPath: path("log.sqlite-wal"), toPath: first + "-wal")
        }
        #expect(throws: StoreError.foreignLog(path: first)) { try Store.open(first) }
        #expect(throws: StoreError.foreignLog(path: first)) { try Store.open(first, isReadOnly: false) }
        try FileManager.default.removeItem(atPath: first + "-wal")
        #expect(try Store.open(first).contentDigest() == digest)
    }

    @Test("one process writes a store at a time, and it is asked before the file is opened")
    func oneWriter() throws {
        let store = try Store.create(path("a.sqlite"), plan: Self.plan)
        #expect(throws: StoreError.inUse(path: store.path)) { try Store.open(store.path, isReadOnly: false) }
        #expect(throws: StoreError.inUse(path: store.path)) { try Store.create(store.path, plan: Self.plan) }
        #expect(throws: StoreError.inUse(path: store.path)) { try Store.merge([store.path], into: store.path, replacing: true) }
        #expect(try Store.open(store.path).units() == [])
        try store.close()
        #expect(throws: StoreError.exists(path: store.path)) { try Store.create(store.path, plan: Self.plan) }
        try Store.open(store.path, isReadOnly: false).close()
    }

    @Test("a merge takes along what it replaces, and leaves every file as it was when it fails")
    func mergeReplaces() throws {
        func shard(_ name: String, _ sample: Int, value: Double = 0.1) throws -> String {
            let store = try Store.create(path(name), plan: Self.plan)
            var unit = unit(sample)
            unit.scores[0].value = value
            try store.commit(unit)
            try store.close()
            return store.path
        }
        let (whole, other, wrong) = (try shard("results.sqlite", 0), try shard("b.sqlite", 1), try shard("c.sqlite", 0, value: 0.5))
        let before = try Data(contentsOf: URL(fileURLWithPath: whole))
        #expect(throws: StoreError.exists(path: whole)) { try Store.merge([other], into: whole) }
        #expect(throws: StoreError.self) { try Store.merge([wrong], into: whole, replacing: true) }
        let none = try path("none.sqlite")
        #expect(throws: StoreError.missing(path: none)) { try Store.merge([none], into: whole, replacing: true) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: whole)) == before)
        // A single shard that is the result itself loses nothing.
        #expect(try Store.merge([whole], into: whole, replacing: true).units().map(\.sampleID) == [0])
        #expect(try Store.merge([other], into: whole, replacing: true).units().map(\.sampleID) == [0, 1])
        #expect(try !files().contains { $0.contains(".part") || $0.hasSuffix("-journal") })
    }

    @Test("a store on a medium that cannot be written opens")
    func readOnlyMedium() throws {
        let store = try Store.create(path("a.sqlite"), plan: Self.plan)
        try store.commit(unit())
        try store.close()
        let manager = FileManager.default
        try manager.setAttributes([.posixPermissions: 0o444], ofItemAtPath: store.path)
        try manager.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.path)
        defer { try? manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path) }
        let read = try Store.open(store.path)
        try read.verify()
        #expect(try read.units().count == 1)
    }

    @Test("the digest sees every value of the content, and no date or duration")
    func digest() throws {
        func digest(_ name: String, _ change: (inout UnitResult) -> Void) throws -> String {
            var result = unit()
            change(&result)
            let store = try Store.create(path(name), plan: Self.plan)
            try store.commit(result)
            return try store.contentDigest()
        }
        let base = try digest("base") { _ in }
        #expect(try digest("same") { _ in } == base)
        #expect(try digest("time") { $0.timing.explain = 99 } == base)
        #expect(try digest("value") { $0.scores[0].value = 0.1.nextUp } != base)
        #expect(try digest("nil") { $0.scores[0].value = nil } != base)
        #expect(try digest("status") { $0.scores[0].status = "no-mass" } != base)
        #expect(try digest("map") { $0.maps[0].map.values[0] = 0 } != base)
        #expect(try digest("note") { $0.notes[0].values[0] = 1.5 } != base)
        #expect(try digest("logit") { $0.prediction?.logits[0] = -1.5 } != base)
    }

    @Test("files that are no store are refused with a sentence")
    func refused() throws {
        let absent = try path("absent.sqlite")
        #expect(throws: StoreError.missing(path: absent)) { try Store.open(absent) }
        let text = try path("text.sqlite")
        try Data(String(repeating: "not a database\n", count: 100).utf8).write(to: URL(fileURLWithPath: text))
        #expect(throws: StoreError.notAStore(path: text)) { try Store.open(text) }
        let nowhere = try path("no/such/folder.sqlite")
        #expect(throws: StoreError.self) { try Store.create(nowhere, plan: Self.plan) }
        let store = try Store.create(path("b.sqlite"), plan: Self.plan)
        try store.database.write { try $0.execute(sql: "PRAGMA user_version = 9") }
        try store.close()
        #expect(throws: StoreError.version(path: store.path, found: 9, expected: StoreSchema.version)) { try Store.open(store.path) }
    }

    @Test("a store that was tampered with gives an error, not a crash")
    func damaged() throws {
        let store = try Store.create(path("a.sqlite"), plan: Self.plan)
        try store.commit(unit())
        try store.database.write { try $0.execute(sql: "UPDATE map SET \"values\" = x'00010203'; UPDATE model SET kind = 'magic'") }
        #expect(throws: StoreError.self) { try store.map(model: 1, method: 0, sample: 0) }
        #expect(throws: StoreError.self) { try store.models() }
    }

    @Test("shards that disagree do not merge")
    func conflict() throws {
        let a = try Store.create(path("a.sqlite"), plan: Self.plan)
        let b = try Store.create(path("b.sqlite"), plan: Self.plan)
        try a.commit(unit())
        var other = unit()
        other.scores[0].value = 0.2
        try b.commit(other)
        #expect(
            throws: StoreError.conflict(
                first: try path("c.sqlite"), second: b.path, table: "score", row: "model_id 1, method_id 0, metric_id 0, sample_id 0")
        ) { try Store.merge([a.path, b.path], into: path("c.sqlite")) }
    }

    @Test(
        "writes a store of 20,000 images, three methods and ten metrics, to measure reports with",
        .enabled(if: ProcessInfo.processInfo.environment["VITRINE_SYNTHETIC"] != nil, "VITRINE_SYNTHETIC names no file to write"))
    func large() throws {
        let path = try #require(ProcessInfo.processInfo.environment["VITRINE_SYNTHETIC"])
        try SyntheticStore().write(to: path).close()
    }

    @Test("a synthetic store has what it was asked for")
    func synthetic() throws {
        var settings = SyntheticStore()
        settings.images = 40
        settings.metrics = 3
        settings.mapSide = 4
        let store = try settings.write(to: path("s.sqlite"))
        #expect(try store.progress().isComplete)
        #expect(try store.scores(model: 1, method: 2, metric: 5).count == 40)
        #expect(try store.scores(model: 0, method: 3, metric: 0).count == 40)
        #expect(try store.map(model: 1, method: 0, sample: 39)?.values.count == 16)
        #expect(try settings.write(to: path("t.sqlite")).contentDigest() == store.contentDigest())
    }
}
