import Testing
import VitrineStore
import VitrineStudy

/// Which images a limit leaves, and what a run says of patients before it starts.
@Suite struct LimitTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try scratch.writeTable("table", count: 8)
        try scratch.writeModel("weights/table_a.safetensors", seed: 1)
    }

    private func read(_ dataset: String = "limit: 3", more: String = "") throws -> StudyPlan {
        try scratch.write(
            """
            methods: [attention, centre]
            metrics: [pointing-game]
            permutations: 20
            datasets:
              table: {kind: csv, path: table, preprocess: "resize:32", others: skip, \(dataset)}
            models:
              - pattern: weights/{dataset}_{init}.safetensors
                init: [a]
            output: results
            \(more)
            """, to: "study.yaml")
        return try StudyPlan.read(scratch.file("study.yaml"))
    }

    private func images(_ plan: StudyPlan) -> [String] {
        plan.store.samples.map { String($0.name.split(separator: "/").last ?? "").replacing(".png", with: "") }
    }

    /// Two images of each patient, side by side in the list.
    @Test func aLimitIsSpreadOverPatients() throws {
        #expect(try images(read()) == ["p0", "p2", "p4"])
        #expect(try images(read("limit: 6")) == ["p0", "p1", "p2", "p3", "p4", "p6"])
        #expect(try images(read("limit: 3, limit-by: order")) == ["p0", "p1", "p2"])
        #expect(try images(read("limit: 80")).count == 8)
    }

    /// A store as versions wrote it that knew the order alone: its resolved study has no `limit-by`.
    @Test func anOlderStoreKeepsItsDraw() throws {
        let by = try read("limit: 3, limit-by: order")
        var old = by.store
        let line = "    limit-by: order\n"
        let text = try #require(old.study[StudyKey.resolved])
        #expect(text.contains(line))
        old.study[StudyKey.resolved] = text.replacing(line, with: "")
        try scratch.makeFolder("results")
        try Store.create(scratch.file("results/results.sqlite"), plan: old).close()

        let plan = try read()
        #expect(images(plan) == ["p0", "p1", "p2"])
        #expect(plan.file.fingerprint == by.file.fingerprint && !by.file.resolved.isEmpty)
        // It goes on, and its pictures are found.
        let path = try scratch.run(plan)
        let store = try Store.open(path)
        #expect(try store.progress().isComplete)
        let pictures = try StudyPictures(store)
        for sample in plan.store.samples { #expect(try pictures.picture(model: 0, sample: sample.id).mask != nil) }
        // Whoever asks for the other draw by name gets it, beside what the store has.
        try store.close()
        let other = try read("limit: 3, limit-by: patients")
        #expect(images(other) == ["p0", "p2", "p4"])
        let grown = try Store.open(try scratch.run(other))
        defer { try? grown.close() }
        #expect(try grown.samples(dataset: 0).map(\.name).sorted() == other.store.samples.map(\.name).sorted())
    }

    /// What the resolved study of a new store says is read again as it was meant.
    @Test func aNewStoreKeepsItsDrawToo() throws {
        let plan = try read()
        let path = try scratch.run(plan)
        #expect(try images(read()) == ["p0", "p2", "p4"])
        let store = try Store.open(path)
        defer { try? store.close() }
        let pictures = try StudyPictures(store)
        for sample in plan.store.samples { #expect(try pictures.picture(model: 0, sample: sample.id).mask != nil) }
    }

    /// Four patients, one map against a blob at the centre: the least two-sided p is 2^-3.
    @Test func tooFewPatientsAreSaidBeforeTheRun() throws {
        let warnings = try read("").powerWarnings
        #expect(
            warnings == [
                "table has 4 patients, too few to show that the map localises, however good: at least 6 patients are needed"
            ])
        try scratch.writeTable("table", count: 12)
        #expect(try read("").powerWarnings.isEmpty)
    }
}
