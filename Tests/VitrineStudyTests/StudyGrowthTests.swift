import Foundation
import GRDB
import Synchronization
import Testing

@testable import VitrineStore
@testable import VitrineStudy

/// A study whose file changes after it was run: what is new is computed, what was there stays, and nothing tells it from a study that was
/// run at once.
@Suite("Study that grows")
struct StudyGrowthTests {
    private func scratch() throws -> Scratch {
        let scratch = try Scratch()
        try scratch.writeTable("table", count: 6)
        try scratch.writeModel("weights/table_a.safetensors", seed: 1)
        try scratch.writeModel("weights/table_b.safetensors", seed: 2)
        _ = try scratch.writeStudy()
        return scratch
    }

    private static let few = ["methods=[gradcam, random-patch, mask-prior]", "metrics=[iou@20]", "protocols=[corrected]", "stability=2"]
    private static let more = [
        "methods=[attention, random-patch, gradcam, chefer-stable, centre, mask-prior]",
        "metrics=[pointing-game, iou@20, average-precision]",
        "protocols=[study, corrected]", "stability=2",
    ]

    /// Rows as they lie in the file, by table.
    private static func rows(_ path: String, _ sql: String) throws -> [Row] {
        try DatabaseQueue(path: path).read { try Row.fetchAll($0, sql: sql) }
    }

    @Test("methods, metrics and a protocol are added to a finished study: the content of a study run at once, and no old row is touched")
    func methodsAndMetrics() throws {
        let scratch = try scratch()
        let whole = try Store.open(scratch.run(scratch.plan(Self.more), into: "whole")).contentDigest()
        let path = try scratch.run(scratch.plan(Self.few))
        let old = try Self.rows(path, "SELECT * FROM map UNION ALL SELECT * FROM map")
        let scores = try Self.rows(path, "SELECT * FROM score")
        let plan = try scratch.plan(Self.more)

        let before = try StudyRunner.openStore(plan, folder: scratch.file("results"))
        let missing = try plan.missing(in: before)
        #expect(try !before.progress().isComplete)
        try before.close()
        // Under each model two new methods and five new scores of the old one, on six positives; negatives have nothing to gain.
        let asked = missing.filter { $0.modelID == 1 }
        #expect(asked.count == 6 && asked.allSatisfy { $0.methods == [0, 3] && $0.scores == [2: [0, 1, 2, 4, 5]] && $0.asksModel })

        let grown = try Store.open(scratch.run(plan))
        #expect(try grown.progress().isComplete)
        #expect(try grown.failures() == [])
        #expect(try grown.contentDigest() == whole)
        try grown.verify()
        let all = try Self.rows(path, "SELECT * FROM map UNION ALL SELECT * FROM map")
        #expect(old.allSatisfy(all.contains))
        let allScores = Set(try Self.rows(path, "SELECT * FROM score"))
        #expect(scores.allSatisfy(allScores.contains))
        #expect(try plan.missing(in: grown).isEmpty)
    }

    @Test("new metrics are scored from stored maps, without the model")
    func withoutModel() throws {
        let scratch = try scratch()
        let methods = Self.few[0]
        let whole = try Store.open(scratch.run(scratch.plan([methods]), into: "whole")).contentDigest()
        try scratch.run(scratch.plan([methods, "metrics=[iou@20]"]))
        try FileManager.default.removeItem(atPath: scratch.file("weights"))
        try scratch.makeFolder("weights")
        // The plan asks that one file of each column is there; nobody opens it.
        for name in ["a", "b"] { try scratch.write("gone", to: "weights/table_\(name).safetensors") }
        let plan = try scratch.plan([methods])
        for name in ["a", "b"] { try FileManager.default.removeItem(atPath: scratch.file("weights/table_\(name).safetensors")) }
        let grown = try Store.open(scratch.run(plan))
        #expect(try grown.failures() == [])
        #expect(try grown.contentDigest() == whole)
    }

    @Test("what the file does not name any more is hidden, not forgotten")
    func removedAndBack() throws {
        let scratch = try scratch()
        let digest = try Store.open(scratch.run(scratch.plan(Self.more))).contentDigest()
        let few = try Store.open(scratch.run(scratch.plan(Self.few))).contentDigest()
        #expect(try Store.open(scratch.run(scratch.plan(Self.few), into: "few")).contentDigest() == few)
        let timings = try Store.open(scratch.file("results/results.sqlite")).timings()
        let back = try Store.open(scratch.run(scratch.plan(Self.more)))
        #expect(try back.contentDigest() == digest)
        #expect(try back.timings() == timings)
    }

    @Test("a model, a data set and images are added")
    func modelsAndDatasets() throws {
        let scratch = try scratch()
        try scratch.writeTable("second", count: 4)
        try scratch.writeModel("weights/second_a.safetensors", seed: 3)
        try scratch.writeModel("weights/second_b.safetensors", seed: 4)
        try scratch.run(scratch.plan(["models.0.init=[b]", "datasets.table.limit=4"]))
        let more = [
            "datasets.another={kind: csv, path: second, preprocess: \"resize:32\"}", "models.0.pattern=weights/table_{init}.safetensors",
        ]
        let plan = try scratch.plan(more)
        let grown = try Store.open(scratch.run(plan))
        #expect(try grown.progress().isComplete)
        #expect(try grown.failures() == [])
        #expect(try grown.contentDigest() == Store.open(scratch.run(plan, into: "whole")).contentDigest())
    }

    @Test("a changed image, mask or checkpoint is named, and what was made from it, and only that, is made again")
    func changedInputs() throws {
        let scratch = try scratch()
        let plan = try scratch.plan(Self.more)
        let path = try scratch.run(plan)
        func change(_ what: String, _ edit: () throws -> Void) throws -> (named: [String], timings: Set<[Int]>) {
            let before = try Store.open(path).timings()
            try edit()
            let named = Mutex<[String]>([])
            try scratch.run(plan, changed: { line in named.withLock { $0.append(line) } })
            let store = try Store.open(path)
            #expect(try store.failures() == [])
            let fresh = scratch.file("fresh")
            try? FileManager.default.removeItem(atPath: fresh)
            #expect(try store.contentDigest() == Store.open(scratch.run(plan, into: "fresh")).contentDigest(), "\(what)")
            let touched = try store.timings().filter { !before.contains($0) }.map { [$0.modelID, $0.sampleID] }
            return (named.withLock { $0 }, Set(touched))
        }
        let image = try change("image") { try scratch.writeImage("table/images/p2.png", square: Scratch.square(3)) }
        #expect(image.named.count == 1 && image.named[0].contains("table/images/p2.png: has changed since the study read it"))
        #expect(image.timings == [[0, 2], [1, 2], [2, 2]])
        let model = try change("model") { try scratch.writeModel("weights/table_b.safetensors", seed: 9) }
        #expect(model.named.count == 1 && model.named[0].contains("table_b.safetensors: has changed since the study used it"))
        #expect(model.timings == Set((0..<9).map { [2, $0] }))
        // A mask is part of every mask prior, so that all controls of that kind are made again.
        let mask = try change("mask") { try scratch.writeMask("table/masks/p4.png", Scratch.square(1)) }
        #expect(mask.named.count == 1 && mask.named[0].contains("table/masks/p4.png: has changed since the study read it"))
        #expect(mask.timings == Set((0..<6).map { [0, $0] } + [[1, 4], [2, 4]]))
        // Nothing changed: nothing is named, nothing is made.
        let nothing = try change("nothing") {}
        #expect(nothing.named.isEmpty && nothing.timings.isEmpty)
    }

    @Test("a score that compares with the masks of other images follows them")
    func shuffledScoresFollowTheMasksOfOthers() throws {
        let scratch = try scratch()
        // Without mask-prior, whose map is another one under other masks.
        let metrics = ["metrics=[shuffled-auroc, iou@20]", "methods=[gradcam, random-patch]"]
        func isFresh(_ path: String, _ plan: StudyPlan, _ folder: String) throws -> Bool {
            try Store.open(path).contentDigest() == Store.open(scratch.run(plan, into: folder)).contentDigest()
        }
        // More images come.
        try scratch.run(scratch.plan(metrics + ["datasets.table.limit=4"]))
        let plan = try scratch.plan(metrics)
        let path = try scratch.run(plan)
        #expect(try isFresh(path, plan, "fresh"))
        // One mask becomes another; what else was scored stays.
        let before = try Self.rows(
            path,
            "SELECT * FROM score WHERE metric_id IN (SELECT id FROM metric WHERE name = 'iou@20') AND sample_id NOT IN (SELECT id FROM sample WHERE name LIKE '%p4%')"
        )
        try scratch.writeMask("table/masks/p4.png", Scratch.square(1))
        try scratch.run(plan)
        #expect(try isFresh(path, plan, "fresh2"))
        let after = Set(try Self.rows(path, "SELECT * FROM score"))
        #expect(!before.isEmpty && before.allSatisfy(after.contains))
    }

    @Test("an image that changes while the study runs is not mixed in; the next run takes it as it is then")
    func changedMeanwhile() throws {
        let scratch = try scratch()
        let plan = try scratch.plan()
        let asked = Atomic(0)
        // After the inspection of nine samples, before the first unit.
        try scratch.run(
            plan, workers: 1,
            shouldStop: {
                if asked.wrappingAdd(1, ordering: .relaxed).newValue == 10 {
                    try? scratch.writeImage("table/images/p2.png", square: Scratch.square(3))
                    try? scratch.writeMask("table/masks/p3.png", Scratch.square(1))
                }
                return false
            })
        let failures = try Store.open(scratch.file("results/results.sqlite")).failures()
        #expect(Set(failures.map(\.sampleID)) == [2, 3] && failures.allSatisfy { $0.message.contains("has changed while the study ran") })
        let store = try Store.open(scratch.run(plan))
        #expect(try store.failures() == [])
        #expect(try store.contentDigest() == Store.open(scratch.run(plan, into: "fresh")).contentDigest())
    }

    @Test("shards with different histories merge into the content of a study run at once")
    func shards() throws {
        let scratch = try scratch()
        let plan = try scratch.plan(Self.more)
        let whole = try Store.open(scratch.run(plan, into: "whole")).contentDigest()
        let (first, second) = (try #require(StudyShard("1/2")), try #require(StudyShard("2/2")))
        try scratch.run(scratch.plan(Self.few), shard: first)
        let paths = [try scratch.run(plan, shard: first), try scratch.run(plan, shard: second)]
        #expect(try Store.merge(paths, into: scratch.file("merged.sqlite")).contentDigest() == whole)
        // Into a store of the study as it was before, which a change of the file made stale: what it holds of the new plan is taken.
        let stale = try scratch.run(scratch.plan(Self.few), into: "old")
        let before = try Data(contentsOf: URL(fileURLWithPath: stale))
        #expect(throws: StoreError.self) { try Store.merge(paths, into: scratch.file("old/results.sqlite"), replacing: true) }
        let part = try Store.merge([stale], into: scratch.file("part.sqlite"), plan: plan.store)
        #expect(try !part.progress().isComplete)
        #expect(try Data(contentsOf: URL(fileURLWithPath: stale)) == before)
        let merged = try Store.merge(paths, into: stale, plan: plan.store, replacing: true)
        #expect(try merged.contentDigest() == whole)
        try merged.verify()
    }

    /// As a store of an earlier version is after its migration: nothing says what its rows were made from.
    private static func forget(_ path: String) throws {
        try DatabaseQueue(path: path).write { db in
            try db.execute(
                sql: """
                    UPDATE map SET fingerprint = NULL, scored = NULL;
                    UPDATE unit SET fingerprint = NULL, mask_digest = NULL;
                    UPDATE mask SET digest = NULL;
                    UPDATE mask_prior SET preprocess = NULL;
                    UPDATE checkpoint SET settings = NULL;
                    """)
            try StoreSeals.rewrite(db)
        }
    }

    @Test("a study that was made by an earlier version goes on without computing anything again")
    func earlierVersion() throws {
        let scratch = try scratch()
        let plan = try scratch.plan(Self.more)
        let path = try scratch.run(plan)
        let (digest, timings) = try (Store.open(path).contentDigest(), Store.open(path).timings())
        try Self.forget(path)
        let store = try Store.open(scratch.run(plan))
        #expect(try store.timings() == timings)
        #expect(try store.contentDigest() == digest)
    }

    @Test("a study that was made by an earlier version grows; a data set that is prepared otherwise since is made again")
    func earlierVersionGrows() throws {
        let scratch = try scratch()
        let path = try scratch.run(scratch.plan(Self.few))
        try Self.forget(path)
        let old = try Self.rows(path, "SELECT model_id, method_id, sample_id, \"values\" FROM map")
        let plan = try scratch.plan(Self.more)
        let named = Mutex<[String]>([])
        try scratch.run(plan, changed: { line in named.withLock { $0.append(line) } })
        #expect(named.withLock { $0 } == [])
        #expect(try Store.open(path).contentDigest() == Store.open(scratch.run(plan, into: "whole")).contentDigest())
        let all = Set(try Self.rows(path, "SELECT model_id, method_id, sample_id, \"values\" FROM map"))
        #expect(old.allSatisfy(all.contains))

        try Self.forget(path)
        let other = try scratch.plan(Self.more + ["datasets.table.preprocess=resize:24"])
        try scratch.run(other)
        #expect(try Store.open(path).contentDigest() == Store.open(scratch.run(other, into: "other")).contentDigest())
    }

    @Test("what changed after an earlier version had used it is not taken for what was used")
    func changedSinceEarlierVersion() throws {
        let scratch = try scratch()
        let plan = try scratch.plan(Self.more)
        let path = try scratch.run(plan)
        let before = try Store.open(path).timings()
        try Self.forget(path)
        try scratch.writeImage("table/images/p2.png", square: Scratch.square(3))
        try scratch.writeMask("table/masks/p4.png", Scratch.square(1))
        try scratch.writeModel("weights/table_b.safetensors", seed: 9)
        let store = try Store.open(scratch.run(plan))
        #expect(try store.failures() == [])
        #expect(try store.contentDigest() == Store.open(scratch.run(plan, into: "fresh")).contentDigest())
        // Under the model that did not change: the image and the mask.
        let touched = try store.timings().filter { !before.contains($0) && $0.modelID == 1 }.map(\.sampleID)
        #expect(touched == [2, 4])
    }

    @Test("a model that an earlier version read otherwise is named before new maps stand beside old ones", arguments: [0, 1, 2])
    func readOtherwise(what: Int) throws {
        let scratch = try scratch()
        let path = try scratch.run(scratch.plan(Self.few))
        let changes = [
            "UPDATE checkpoint SET preprocess = 'resize:40' WHERE model_id = 1",
            "UPDATE checkpoint SET architecture = replace(architecture, '\"heads\":3', '\"heads\":4') WHERE model_id = 1",
            "UPDATE prediction SET target = 'logit 0' WHERE model_id = 1",
        ]
        try DatabaseQueue(path: path).write { db in
            try db.execute(sql: changes[what])
            #expect(db.changesCount > 0)
            try StoreSeals.rewrite(db)
        }
        let named = Mutex<[String]>([])
        let plan = try scratch.plan(Self.more)
        try scratch.run(plan, changed: { line in named.withLock { $0.append(line) } })
        #expect(named.withLock { $0.count } == 1)
        #expect(named.withLock { $0[0].hasPrefix("model 'a': ") && $0[0].hasSuffix("what was made with it is made again") })
        #expect(try Store.open(path).contentDigest() == Store.open(scratch.run(plan, into: "fresh")).contentDigest())
    }

    @Test("what every result depends on may not change, nor may a data set become another one")
    func otherStudies() throws {
        let scratch = try scratch()
        let path = try scratch.run(scratch.plan())
        try scratch.writeTable("other", count: 2)
        try FileManager.default.moveItem(atPath: scratch.file("other/images"), toPath: scratch.file("other/pictures"))
        try scratch.write("image,label,mask\npictures/p0.png,1,masks/p0.png\n", to: "other/labels.csv")
        for (override, words) in [
            ("permutations=30", "now 'permutations: 30'"), ("target=predicted", "now 'target: predicted'"),
            ("datasets.table.path=other", "the images of data set 'table' are others: 'images/p0.png' then, 'pictures/p0.png' now"),
        ] {
            #expect(throws: StoreError.otherStudy(path: path, differences: [words])) {
                try StudyRunner.openStore(scratch.plan([override]), folder: scratch.file("results"))
            }
        }
    }
}
