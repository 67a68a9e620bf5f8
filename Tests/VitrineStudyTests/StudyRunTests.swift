import Foundation
import Synchronization
import Testing
import VitrineEvaluate
import VitrineImage
import VitrineModel
import VitrineTensor

@testable import VitrineStore
@testable import VitrineStudy

@Suite("Study run")
struct StudyRunTests {
    private func scratch(count: Int = 6) throws -> Scratch {
        let scratch = try Scratch()
        try scratch.writeTable("table", count: count)
        try scratch.writeModel("weights/table_a.safetensors", seed: 1)
        try scratch.writeModel("weights/table_b.safetensors", seed: 2)
        _ = try scratch.writeStudy()
        return scratch
    }

    @Test("a run stores every score, prediction, map and checksum of the plan")
    func complete() throws {
        let scratch = try scratch()
        let plan = try scratch.plan(["stability=3"])
        let store = try Store.open(scratch.run(plan))
        #expect(try store.progress().isComplete)
        #expect(try store.failures() == [])
        // Six positives are scored, three negatives are only classified.
        #expect(try store.samples().filter { $0.role == .score }.count == 6)
        let models = try store.models()
        #expect(models.map(\.name) == ["none", "a", "b"])
        for model in models {
            for method in try store.methods() {
                for metric in try store.metrics() {
                    let column = try store.scores(model: model.id, method: method.id, metric: metric.id)
                    #expect(column.count == (method.isControl == (model.kind == .none) ? 6 : 0))
                    for i in 0..<column.count where column.statuses[i] == "ok" {
                        let (value, chance, ceiling) = (try #require(column.values[i]), try #require(column.chances[i]), column.ceilings[i])
                        #expect(value >= 0 && value <= 1 && chance >= 0 && chance <= 1)
                        #expect(ceiling.map { $0 >= value - 1e-12 } ?? true)
                    }
                }
            }
        }
        #expect(try store.predictions(model: 1).count == 9)
        #expect(try store.predictions(model: 0).isEmpty)
        for prediction in try store.predictions(model: 1) {
            #expect(prediction.logits.count == 2)
            #expect(abs(prediction.probabilities.reduce(0, +) - 1) < 1e-6)
        }
        #expect(try store.stabilities().count == 2 * 3 * 6)
        #expect(
            try store.checkpoints().map(\.sha256) == ["a", "b"].map { try sha256(ofFile: scratch.file("weights/table_\($0).safetensors")) })
        #expect(try store.images()[0].sha256 == sha256(ofFile: scratch.file("table/images/p0.png")))
        #expect(try store.masks().count == 6)
        #expect(try store.maskPrior(dataset: 0)?.masks == 6)
    }

    @Test("a stored map is what the engine gives, and its stored score is what the evaluator gives")
    func rescoring() throws {
        let scratch = try scratch()
        let plan = try scratch.plan()
        let store = try Store.open(scratch.run(plan))
        let map = try #require(try store.map(model: 1, method: 0, sample: 2))
        #expect(map.rows == 4 && map.columns == 4 && map.height == 32 && map.display == .attention)
        // The mask by hand: the square of the 40-pixel image, seen at 32 pixels through nearest sampling.
        let square = Scratch.square(2)
        var mask = Mask(width: 32, height: 32, bits: [Bool](repeating: false, count: 32 * 32))
        for y in 0..<32 {
            for x in 0..<32 {
                let (sy, sx) = (Int((Double(y) + 0.5) * 1.25), Int((Double(x) + 0.5) * 1.25))
                mask.bits[y * 32 + x] =
                    (square.top..<square.top + square.height).contains(sy) && (square.left..<square.left + square.width).contains(sx)
            }
        }
        let unit = try #require(try store.units(model: 1).first { $0.sampleID == 2 })
        #expect(unit.maskArea == mask.area)
        let evaluator = try Evaluator(["pointing-game", "iou@20"], protocol: .study, seed: 0, permutations: 20)
        let scores = try evaluator.scores(of: ScoredMap(map), on: ScoredMask(mask), item: "table/images/p2.png/a/attention")
        let stored = try store.metrics().filter { $0.protocolName == "study" }.map { metric in
            try store.scores(model: 1, method: 0, metric: metric.id)
        }
        #expect(stored.map { $0.values[2] } == scores.map(\.value))
        #expect(stored.map { $0.chances[2] } == scores.map(\.chance))
    }

    @Test("workers do not change a single bit of the content", arguments: [1, 2, 5])
    func workers(count: Int) throws {
        let scratch = try scratch()
        let plan = try scratch.plan(["batch=2"])
        let one = try Store.open(scratch.run(plan, into: "one", workers: 1)).contentDigest()
        let other = try Store.open(scratch.run(plan, into: "other", workers: count)).contentDigest()
        #expect(one == other)
    }

    @Test("stopped after any commit and continued, the content is that of an undisturbed run", arguments: [1, 2])
    func resume(batch: Int) throws {
        let scratch = try scratch()
        let plan = try scratch.plan(["batch=\(batch)"])
        let whole = try Store.open(scratch.run(plan, into: "whole")).contentDigest()
        for k in [1, 4, 9, 12, 17, 23, 30] {
            let folder = "stopped-\(k)"
            let asked = Atomic(0)
            #expect(throws: StudyInterruption.self) {
                try scratch.run(plan, into: folder, shouldStop: { asked.wrappingAdd(1, ordering: .relaxed).newValue > k })
            }
            // The second run is stopped too, a little later.
            let again = Atomic(0)
            _ = try? scratch.run(plan, into: folder, shouldStop: { again.wrappingAdd(1, ordering: .relaxed).newValue > 2 })
            let before = try Store.open(scratch.file("\(folder)/results.sqlite")).progress().done
            let resumed = try Store.open(scratch.run(plan, into: folder))
            let failures = try resumed.failures()
            #expect(try resumed.contentDigest() == whole, "stopped after \(k) commits: \(failures)")
            #expect(try resumed.runs().count == 3)
            #expect(before < (try resumed.progress().total))
        }
    }

    @Test("what is stored is not computed again")
    func notAgain() throws {
        let scratch = try scratch()
        let plan = try scratch.plan()
        let first = try Store.open(scratch.run(plan)).timings()
        // Without its weights a model could not be run again.
        try FileManager.default.removeItem(atPath: scratch.file("weights/table_a.safetensors"))
        let store = try Store.open(scratch.run(plan))
        #expect(try store.timings() == first)
        #expect(try store.failures() == [])
    }

    @Test("four shards, one of them killed and resumed, merge into the single run")
    func shards() throws {
        let scratch = try scratch(count: 10)
        let plan = try scratch.plan()
        let whole = try Store.open(scratch.run(plan, into: "whole")).contentDigest()
        var paths: [String] = []
        for i in 1...4 {
            let shard = try #require(StudyShard("\(i)/4"))
            if i == 3 {
                let asked = Atomic(0)
                #expect(throws: StudyInterruption.self) {
                    try scratch.run(plan, shard: shard, shouldStop: { asked.wrappingAdd(1, ordering: .relaxed).newValue > 5 })
                }
            }
            paths.append(try scratch.run(plan, shard: shard))
        }
        #expect(paths[1].hasSuffix("results-2-of-4.sqlite"))
        let merged = try Store.merge(paths, into: scratch.file("merged.sqlite"))
        #expect(try merged.contentDigest() == whole)
        #expect(try merged.progress().isComplete)
        // Order and repetition do not matter.
        let again = try Store.merge([paths[2], paths[0], paths[3], paths[1], paths[0]], into: scratch.file("again.sqlite"))
        #expect(try again.contentDigest() == whole)
        try scratch.makeFolder("part")
        // A part of the shards is a study that is not finished; running it finishes it.
        let part = try Store.merge(Array(paths[..<3]), into: scratch.file("part/results.sqlite"))
        #expect(try !part.progress().isComplete)
        try part.close()
        #expect(try Store.open(scratch.run(plan, into: "part")).contentDigest() == whole)
    }

    @Test("batch is a way of running: it changes no bit, and a study goes on with another one")
    func batchChangesNothing() throws {
        let scratch = try scratch(count: 7)
        let one = try Store.open(scratch.run(scratch.plan(["batch=1", "stability=2"]), into: "one")).contentDigest()
        #expect(try Store.open(scratch.run(scratch.plan(["batch=4", "stability=2"]), into: "four")).contentDigest() == one)
        let asked = Atomic(0)
        #expect(throws: StudyInterruption.self) {
            try scratch.run(
                scratch.plan(["batch=3", "stability=2"]), into: "both",
                shouldStop: { asked.wrappingAdd(1, ordering: .relaxed).newValue > 25 })
        }
        let begun = try Store.open(scratch.file("both/results.sqlite")).timings()
        let both = try Store.open(scratch.run(scratch.plan(["batch=2", "stability=2"]), into: "both"))
        #expect(try both.contentDigest() == one)
        // What was stored was not computed again.
        let ended = try both.timings()
        #expect(!begun.isEmpty && begun.count < ended.count && begun.allSatisfy(ended.contains))
    }

    @Test("a study is the same from any working directory, under an absolute path, and in a folder that was moved")
    func elsewhere() throws {
        let scratch = try scratch(count: 2)
        try FileManager.default.createDirectory(atPath: scratch.file("home"), withIntermediateDirectories: true)
        for name in ["study.yaml", "table", "weights"] {
            try FileManager.default.moveItem(atPath: scratch.file(name), toPath: scratch.file("home/\(name)"))
        }
        func plan(_ folder: String) throws -> StudyPlan {
            try StudyPlan.read(scratch.file("\(folder)/study.yaml"))
        }
        let first = try plan("home")
        #expect(first.store.samples[0].imagePath == "table/images/p0.png" && first.store.samples[0].maskPath == "table/masks/p0.png")
        let digest = try Store.open(scratch.run(first, into: "home/results")).contentDigest()
        try FileManager.default.moveItem(atPath: scratch.file("home"), toPath: scratch.file("moved"))
        let store = try Store.open(scratch.run(plan("moved"), into: "moved/results"))
        #expect(try store.contentDigest() == digest)
        let pictures = try StudyPictures(store)
        #expect(try pictures.picture(model: 1, sample: 0).mask != nil)
        // Another spelling of the same folder.
        let spelled = try StudyPlan.read(scratch.file("moved/../moved/./study.yaml"))
        #expect(try spelled.differences(from: store) == [])
    }

    @Test("folders are found from one another by their names")
    func studyFolders() {
        #expect(StudyFolder.relative("/a/b", to: "/a/b/results") == "..")
        #expect(StudyFolder.relative("/a/b", to: "/a/./c/../c/d") == "../../b")
        #expect(StudyFolder.relative("/a/b", to: "/a/b/") == ".")
        #expect(StudyFolder.absolute("..", from: "/x/results") == "/x")
        #expect(StudyFolder.absolute("/y/../z", from: "/x") == "/z")
        let here = FileManager.default.currentDirectoryPath
        #expect(StudyFolder.absolute(".") == here)
        #expect(StudyFolder.absolute(StudyFolder.relative("st", to: "st/results"), from: "st/results") == here + "/st")
    }

    @Test("shards of different studies do not merge")
    func foreignShards() throws {
        let scratch = try scratch(count: 2)
        let a = try scratch.run(scratch.plan(), into: "a")
        let b = try scratch.run(scratch.plan(["seed=1"]), into: "b")
        #expect(throws: StoreError.otherStudy(path: b, differences: ["its plan is not that of \(a)"])) {
            try Store.merge([a, b], into: scratch.file("merged.sqlite"))
        }
    }

    @Test("another study is not mixed into the results of this one")
    func otherStudy() throws {
        let scratch = try scratch(count: 2)
        let path = try scratch.run(scratch.plan())
        #expect(throws: StoreError.otherStudy(path: path, differences: ["now 'seed: 3'"])) {
            try StudyRunner.openStore(scratch.plan(["seed=3"]), folder: scratch.file("results"))
        }
        // Workers and output are no part of it.
        _ = try StudyRunner.openStore(scratch.plan(["workers=1"]), folder: scratch.file("results"))
    }

    @Test("damaged images, missing masks and models that do not load are recorded, and the rest goes on")
    func faults() throws {
        let scratch = try scratch()
        try Data("no picture".utf8).write(to: URL(fileURLWithPath: scratch.file("table/images/p1.png")))
        try FileManager.default.removeItem(atPath: scratch.file("table/masks/p3.png"))
        try scratch.writeMask("table/masks/p4.png", nil)
        try scratch.writeMask("table/masks/p5.png", Scratch.square(5), side: 37)
        try Data("no model".utf8).write(to: URL(fileURLWithPath: scratch.file("weights/table_b.safetensors")))
        let plan = try scratch.plan()
        let store = try Store.open(scratch.run(plan))
        let failures = try store.failures()
        #expect(failures.map(\.stage) == [.model, .image, .mask, .mask])
        #expect(failures.map(\.sampleID) == [nil, 1, 3, 5])
        #expect(failures[0].modelID == 2)
        #expect(failures[1].message.contains("table/images/p1.png"))
        #expect(failures[2].message.contains("table/masks/p3.png"))
        #expect(failures[3].message.contains("37"))
        let column = try store.scores(model: 1, method: 0, metric: 0)
        #expect(column.sampleIDs == [0, 2, 4])
        #expect(column.statuses == ["ok", "ok", "empty-mask"])
        let progress = try store.progress()
        #expect(progress.isComplete && progress.failed == 3 + 3 + 9)
        #expect(try store.masks().filter(\.isEmpty).map(\.sampleID) == [4])
        let digest = try store.contentDigest()
        try store.close()

        // The next run tries them again: nothing changes while they stay broken, and mended ones are computed.
        #expect(try Store.open(scratch.run(plan)).contentDigest() == digest)
        try scratch.writeImage("table/images/p1.png", square: Scratch.square(1))
        try scratch.writeModel("weights/table_b.safetensors", seed: 2)
        let mended = try Store.open(scratch.run(plan))
        #expect(try mended.failures().map(\.sampleID) == [3, 5])
        #expect(try mended.scores(model: 2, method: 0, metric: 0).sampleIDs == [0, 1, 2, 4])
    }

    @Test("masks alone need no model and no image, and give the levels that the audit of masks gives")
    func masksAlone() throws {
        let scratch = try Scratch()
        for i in 0..<5 { try scratch.writeMask("masks/m\(i).png", Scratch.square(i)) }
        try scratch.writeMask("masks/m5.png", nil)
        try scratch.write(
            """
            methods: [random-pixel, "random-patch:upsampling=nearest", centre, constant, mask-prior, edge, attention]
            control-grid: 10
            datasets:
              drawn: {kind: masks, path: masks}
            """, to: "study.yaml")
        let store = try Store.open(scratch.run(scratch.plan()))
        #expect(try store.progress().isComplete)
        #expect(try store.models().map(\.name) == ["none"])
        let levels = try #require(try MaskFolderAudit(folder: URL(fileURLWithPath: scratch.file("masks"))).levels)
        func mean(_ method: Int, _ metric: String, _ values: (ScoreColumn) -> [Double?]) throws -> Double {
            let id = try #require(try store.metrics().first { $0.name == metric && $0.protocolName == "study" }?.id)
            let column = try store.scores(model: 0, method: method, metric: id)
            return values(column).reduce(0) { $0 + ($1 ?? 0) } / Double(column.count)
        }
        // Chance levels of random maps depend on neither the draw nor the map; the patch grids are alike at 10 of 40 pixels only by name.
        #expect(abs(try mean(0, "pointing-game", \.chances) - levels.randomPixels.pointingGame) < 1e-12)
        #expect(abs(try mean(2, "pointing-game", \.values) - levels.centre.pointingGame) < 1e-12)
        for (i, percentage) in [5, 10, 20, 40].enumerated() {
            #expect(abs(try mean(0, "iou@\(percentage)", \.chances) - levels.randomPixels.rectangleIoU[i]) < 1e-12)
            #expect(abs(try mean(2, "iou@\(percentage)", \.values) - levels.centre.rectangleIoU[i]) < 1e-12)
        }
        // Edges need a picture and attention a model: neither ran.
        #expect(try store.scores(model: 0, method: 5, metric: 0).count == 0)
        #expect(try store.scores(model: 0, method: 6, metric: 0).count == 0)
        #expect(try store.scores(model: 0, method: 4, metric: 0).count == 6)
    }

    @Test("the mask prior is the mean of the other patients' masks")
    func maskPrior() throws {
        let scratch = try scratch()
        let plan = try scratch.plan()
        let source = plan.sources[0]
        let record = try MaskPrior.count(plan, source, workers: 2)
        let masks = try source.ids(.score).map { try #require(try plan.input($0, of: source, preprocess: source.preprocess).mask) }
        let prior = MaskPrior(record, plan: plan, source: source)
        // Samples 2 and 3 are of patient 1.
        let map = try #require(prior.map(without: 2, mask: masks[2]))
        #expect(prior.map(without: 2, mask: Mask(width: 3, height: 3, bits: [Bool](repeating: true, count: 9))) == nil)
        for i in map.values.indices {
            let others = [0, 1, 4, 5].count { masks[$0].bits[i] }
            #expect(map.values[i] == Float(others) / 4)
        }
    }

    @Test("the four published layouts and a random-weight control run end to end")
    func publishedLayouts() throws {
        let scratch = try Scratch()
        for i in 0..<3 {
            for (image, mask) in [
                ("cpchild/CP-CHILD-A/Test/Polyp/a\(i).png", "m/cpchild/a\(i).png"),
                ("duke/pos/1-\(i + 10)-\(i + 1).png", "m/duke/1-\(i + 10)-\(i + 1).png"),
                ("kvasir/kvasir-dataset-v2/esophagitis/k\(i).png", "m/kvasir/k\(i).png"),
                (
                    "mura/MURA-v1.1/valid/XR_HAND/patient0000\(i)/study1_positive/image1.png",
                    "m/mura/patient0000\(i)_study1_positive_image1.png"
                ),
            ] {
                try scratch.writeImage(image, square: Scratch.square(i))
                try scratch.writeMask(mask, Scratch.square(i))
            }
            try scratch.writeImage("cpchild/CP-CHILD-A/Test/Non-Polyp/b\(i).png")
            try scratch.writeImage("duke/neg/1-\(i + 50)-\(i + 1).png")
            try scratch.writeImage("kvasir/kvasir-dataset-v2/normal-z-line/z\(i).png")
            try scratch.writeImage("mura/MURA-v1.1/valid/XR_HAND/patient0001\(i)/study1_negative/image1.png")
        }
        let studies = (0..<3).flatMap { i in
            [("patient0000\(i)/study1_positive", 1), ("patient0001\(i)/study1_negative", 0)]
        }
        try scratch.write(
            studies.map { "MURA-v1.1/valid/XR_HAND/\($0.0)/image1.png\n" }.joined(), to: "mura/MURA-v1.1/valid_image_paths.csv")
        try scratch.write(
            studies.map { "MURA-v1.1/valid/XR_HAND/\($0.0)/,\($0.1)\n" }.joined(), to: "mura/MURA-v1.1/valid_labeled_studies.csv")
        for dataset in ["cpchild", "duke", "kvasir", "mura"] {
            for (seed, name) in ["scratch", "sup", "dino", "mae"].enumerated() {
                try scratch.writeModel("weights/\(dataset)_\(name).pth", seed: UInt64(seed))
            }
        }
        let preset = try #require(StudyPreset.all.first { $0.name == "paper" })
        try scratch.write(
            preset.text.replacing("path: data/", with: "path: ").replacing(
                "annotations: masks/", with: "preprocess: \"resize:32\"\n    annotations: m/"
            )
            .replacing("  # - name: random-weights\n  #   random-weights: sup", with: "  - name: random-weights\n    random-weights: sup"),
            to: "study.yaml")
        let store = try Store.open(scratch.run(scratch.plan(["permutations=10"])))
        #expect(try store.failures() == [])
        #expect(try store.progress().isComplete)
        #expect(try store.datasets().map(\.name) == ["cpchild", "duke", "kvasir", "mura"])
        #expect(try store.models().count == 4 * (1 + 5))
        for dataset in try store.datasets() {
            #expect(try store.samples(dataset: dataset.id).count { $0.role == .score } == 3)
            for model in try store.models(dataset: dataset.id) {
                #expect(try store.predictions(model: model.id).count == (model.kind == .none ? 0 : 6))
                #expect(try store.scores(model: model.id, method: 0, metric: 0).count == (model.kind == .none ? 0 : 3))
                #expect(try store.scores(model: model.id, method: 3, metric: 0).count == (model.kind == .none ? 3 : 0))
            }
        }
    }

    @Test("what is missing is a mistake in the study file, with its line, before any work")
    func missing() throws {
        let scratch = try scratch(count: 2)
        try scratch.write(
            """
            methods: [attention]
            datasets:
              table: {kind: csv, path: table}
              nowhere: {kind: folder, path: nowhere}
              unsplit: {kind: csv, path: table, split: test}
            models:
              - weights/table_a.safetensors
              - weights/absent.pth
            """, to: "study.yaml")
        do {
            _ = try scratch.plan()
            Issue.record("the study has mistakes")
        } catch let error as StudyFileError {
            #expect(error.mistakes.map(\.place) == [.line(4), .line(5), .line(8)])
            #expect(error.mistakes[0].message.contains("nowhere: does not exist"))
            #expect(error.mistakes[1].message.contains("has no split to take a side of"))
            #expect(error.mistakes[2].message.contains("weights/absent.pth does not exist"))
        }
        #expect(!FileManager.default.fileExists(atPath: scratch.file("results")))
    }

    @Test("the estimate counts what a run then stores")
    func estimate() throws {
        let scratch = try scratch()
        let plan = try scratch.plan()
        let estimate = try plan.estimate()
        let store = try Store.open(scratch.run(plan))
        #expect(try store.progress().total == estimate.units)
        var scores = 0
        try store.forEachScore { _, _, _ in scores += 1 }
        #expect(scores == estimate.scores)
        // Three methods on a grid of 4 x 4, six images, two models, four bytes each.
        #expect(estimate.mapBytes == 3 * 16 * 6 * 2 * 4)
        #expect(estimate.seconds > 0)
    }
}
