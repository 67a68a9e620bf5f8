import Foundation
import Synchronization
import Testing
import VitrineModel
import VitrineTensor
import VitrineTrain

@testable import VitrineStore
@testable import VitrineStudy

@Suite("Study with training")
struct StudyTrainingTests {
    private static let study = """
        methods: [attention, random-patch]
        metrics: [pointing-game]
        permutations: 20
        control-grid: 4
        datasets:
          table: {kind: csv, path: table, preprocess: "resize:32", draw-split: {validation: 0.25, test: 0.25}}
        models:
          - name: own
            train: {recipe: recipes/small.yaml, epochs: 3}
          - {name: untrained, random-weights: own}
          - init: [scratch, zoo]
            train:
              recipe: recipes/small.yaml
              init: "weights/{init}.safetensors"
              epochs: 1
        """

    private func scratch(_ text: String = study, count: Int = 16) throws -> Scratch {
        let scratch = try Scratch()
        try scratch.writeTable("table", count: count)
        try scratch.writeModel("weights/zoo.safetensors", seed: 3, classes: 5)
        try scratch.write(
            "model: patch=8,width=24,depth=2,heads=3\nbatch: 4\nlearning-rate: 1e-3\nflip: true\n", to: "recipes/small.yaml")
        try scratch.write(text, to: "study.yaml")
        return scratch
    }

    private func weights(_ scratch: Scratch, _ folder: String, _ model: String) throws -> String {
        try sha256(ofFile: scratch.file("\(folder)/trained/table/\(model)/model.safetensors"))
    }

    @Test("models are trained on the other sides of the split, then explained, and say where they come from")
    func complete() throws {
        let scratch = try scratch()
        let plan = try scratch.plan()
        let store = try Store.open(scratch.run(plan))
        #expect(try store.failures() == [])
        #expect(try store.progress().isComplete)
        #expect(try store.models().map(\.name) == ["none", "own", "untrained", "scratch", "zoo"])
        #expect(try store.models().map(\.kind) == [.none, .trained, .randomWeights, .trained, .trained])
        let checkpoints = try store.checkpoints()
        #expect(try checkpoints[0].sha256 == weights(scratch, "results", "own"))
        #expect(checkpoints[0].notes[0] == "trained by this study, recipe recipes/small.yaml, from scratch, seed 0")
        #expect(checkpoints[3].notes[0].contains("from weights/zoo.safetensors"))
        let own = try sha256(ofFile: scratch.file("weights/zoo.safetensors"))
        #expect(checkpoints[3].notes[1].hasSuffix(own))
        // Twenty-four images: nobody is on two sides.
        let set = try #require(plan.trainings["trained/table/own/model.safetensors"]?.set)
        let explained = Set(try store.samples().map(\.name))
        #expect(set.training.count + set.validation.count + explained.count == 24)
        #expect(explained.isDisjoint(with: (set.training + set.validation).map(\.id)))
        // The weights are those of the same training outside a study.
        let training = try #require(plan.trainings["trained/table/own/model.safetensors"])
        var options = TrainingOptions(output: scratch.file("alone"))
        options.workers = 1
        let model = VisionTransformer.scratch(try #require(training.configuration), seed: 0)
        var trainer = try Trainer(
            recipe: training.recipe, set: training.set, store: ImageStore(preprocess: training.preprocess), model: model, options: options)
        _ = try trainer.run()
        let alone = try Checkpoint.open(scratch.file("alone/model.safetensors"))
        let study = try Checkpoint.open(scratch.file("results/trained/table/own/model.safetensors"))
        let name = "blocks.1.attn.qkv.weight"
        #expect(try alone.tensor(named: name).values == study.tensor(named: name).values)
    }

    @Test("stopped anywhere in a training or after it and continued, weights and content are those of an undisturbed run")
    func resume() throws {
        let scratch = try scratch()
        let plan = try scratch.plan()
        let whole = try Store.open(scratch.run(plan, into: "whole", workers: 1)).contentDigest()
        let expected = try weights(scratch, "whole", "own")
        for k in [20, 33, 37, 41, 48, 60] {
            let asked = Atomic(0)
            #expect(throws: StudyInterruption.self) {
                try scratch.run(plan, into: "stopped-\(k)", shouldStop: { asked.wrappingAdd(1, ordering: .relaxed).newValue > k })
            }
            let resumed = try Store.open(scratch.run(plan, into: "stopped-\(k)", workers: 3))
            #expect(try resumed.contentDigest() == whole, "stopped after \(k) questions")
            #expect(try weights(scratch, "stopped-\(k)", "own") == expected)
        }
    }

    @Test("a trained model is reused, by shards too, and is not trained twice")
    func reuse() throws {
        let scratch = try scratch()
        let plan = try scratch.plan()
        let whole = try Store.open(scratch.run(plan, into: "whole")).contentDigest()
        let begun = Atomic(0)
        var paths: [String] = []
        for i in 1...3 {
            let shard = try #require(StudyShard("\(i)/3"))
            let store = try StudyRunner.openStore(plan, folder: scratch.file("shards"), shard: shard)
            var runner = StudyRunner(plan: plan, store: store)
            runner.shard = shard
            runner.news = { if case .began = $0 { begun.add(1, ordering: .relaxed) } }
            try runner.run()
            try store.close()
            paths.append(store.path)
        }
        #expect(begun.load(ordering: .relaxed) == 3)
        #expect(try Store.merge(paths, into: scratch.file("merged.sqlite")).contentDigest() == whole)
        // A shard on another disk trains for itself and gets the same.
        let elsewhere = try scratch.run(plan, into: "elsewhere", shard: #require(StudyShard("2/3")))
        #expect(try Store.merge([paths[0], elsewhere, paths[2]], into: scratch.file("again.sqlite")).contentDigest() == whole)
    }

    @Test("processes that want the same model at once train it once")
    func atOnce() throws {
        let scratch = try scratch()
        let plan = try scratch.plan()
        let begun = Atomic(0)
        try parallelFor(3, workers: 3) { _, _ in
            var trainer = StudyTrainer(plan: plan, results: scratch.file("results"))
            trainer.news = { if case .began = $0 { begun.add(1, ordering: .relaxed) } }
            let problems = try trainer.trainAll()
            #expect(problems == [])
        }
        #expect(begun.load(ordering: .relaxed) == 3)
    }

    @Test("of many that ask at once for a lock whose file is not there yet, one gets it")
    func lockFile() throws {
        struct Taken: Error {}
        let scratch = try scratch()
        for round in 0..<100 {
            let path = scratch.file("lock-\(round)")
            let held = Mutex<[FileLock]>([])
            let started = Atomic(0)
            let ended = DispatchSemaphore(value: 0)
            for _ in 0..<2 {
                Thread {
                    started.add(1, ordering: .relaxed)
                    while started.load(ordering: .relaxed) < 2 {}
                    if let lock = try? FileLock(path, whileTaken: { throw Taken() }) { held.withLock { $0.append(lock) } }
                    ended.signal()
                }.start()
            }
            for _ in 0..<2 { ended.wait() }
            #expect(held.withLock { $0.count } == 1)
        }
    }

    @Test("an unreadable training image is left out, named, and nothing else fails")
    func unreadable() throws {
        let scratch = try scratch()
        let plan = try scratch.plan()
        let victim = try #require(plan.trainings["trained/table/own/model.safetensors"]?.set.training.first)
        try Data("no picture".utf8).write(to: URL(fileURLWithPath: victim.imagePath))
        let store = try Store.open(scratch.run(plan))
        let failures = try store.failures()
        #expect(failures.map(\.stage) == [.training, .training, .training])
        #expect(failures.map(\.modelID) == [1, 3, 4])
        #expect(failures[0].message.hasPrefix("data set 'table', model 'own': trained without an unreadable image: \(victim.imagePath)"))
        let progress = try store.progress()
        #expect(progress.isComplete && progress.failed == 0)
        let digest = try store.contentDigest()
        try store.close()
        #expect(try Store.open(scratch.run(plan)).contentDigest() == digest)
    }

    @Test("images that change while a training is interrupted, and a model that is not the one trained, are not mixed in")
    func changed() throws {
        let scratch = try scratch()
        let plan = try scratch.plan()
        let isStopped = Atomic(false)
        var trainer = StudyTrainer(plan: plan, results: scratch.file("results"))
        trainer.news = { if case .epoch = $0 { isStopped.store(true, ordering: .relaxed) } }
        trainer.shouldStop = { isStopped.load(ordering: .relaxed) }
        #expect(throws: StudyInterruption.self) { try trainer.trainAll() }
        let image = try #require(plan.trainings["trained/table/own/model.safetensors"]?.set.training.first?.imagePath)
        let kept = try Data(contentsOf: URL(fileURLWithPath: image))
        try Data(contentsOf: URL(fileURLWithPath: scratch.file("table/masks/p0.png"))).write(to: URL(fileURLWithPath: image))
        let changed = try Store.open(scratch.run(plan)).failures()
        #expect(changed.first?.message.contains("have changed since training began") == true)

        try kept.write(to: URL(fileURLWithPath: image))
        try scratch.run(plan)
        let path = scratch.file("results/trained/table/zoo/model.safetensors")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.copyItem(atPath: scratch.file("results/trained/table/own/model.safetensors"), toPath: path)
        trainer.shouldStop = { false }
        #expect(try trainer.trainAll().map { $0.contains("is not the model that was trained here") } == [true])
    }

    @Test(
        "every mistake about a training is named with its line, before any work",
        arguments: [
            ("train: fast", 11, "train is a mapping of keys to values, not 'fast'"),
            ("train: {recipes: x}", 11, "train has no key 'recipes'; it has recipe, model, init,"),
            ("train: {epochs: 0}", 11, "train, epochs: '0' is not a whole number of 1...1000000"),
            ("train: {init: 'weights/{seed}.pth'}", 11, "train, init 'weights/{seed}.pth': '{seed}' is none of {dataset}, {init}"),
            ("train: {recipe: '{init}'}", 11, "train needs a list 'init'"),
            ("train: {}\n    init: [a]", 12, "train has no {init} to fill in"),
            ("train: {}\n    seed: 3", 12, "seed belongs to random-weights; a model that is trained has its own under 'train'"),
            ("train: {}\n    path: x.pth", 10, "a model needs exactly one of path, pattern, train, random-weights; it has path and train"),
            ("train: {recipe: nope}", 11, "model 'm', data set 'table': recipe 'nope' is none of cpchild-scratch"),
            ("train: {recipe: kvasir-dino}", 11, "recipe 'kvasir-dino' starts from dino weights; name their file with init below train"),
            ("train: {init: absent.pth}", 11, "absent.pth to start from does not exist; check init below train"),
            ("train: {model: vit_huge}", 11, "model 'vit_huge' is none of"),
            ("train: {image-size: 30, preprocess: resize}", 11, "images of 30 pixels cannot be cut into patches of 16"),
            ("train: {preprocess: none}", 11, "keeps images at their own sizes"),
        ])
    func mistakes(entry: String, line: Int, message: String) throws {
        let text = """
            methods: [attention]
            datasets:
              table:
                kind: csv
                path: table
                draw-split:
                  validation: 0.25
                  test: 0.25
            models:
              - name: m
                \(entry)
            """
        let scratch = try scratch(text, count: 8)
        do {
            _ = try StudyPlan.read(scratch.file("study.yaml"))
            Issue.record("the study has mistakes")
        } catch {
            let mistake = try #require(error.mistakes.first)
            #expect(mistake.place == .line(line))
            #expect(mistake.message.contains(message), "\(mistake.message)")
        }
        #expect(!FileManager.default.fileExists(atPath: scratch.file("results")))
    }

    @Test("mistakes of the text and of what it names come together; nobody is trained on and explained")
    func together() throws {
        let scratch = try scratch(
            """
            methods: [attention, gradcamm]
            datasets:
              table: {kind: csv, path: table}
              drawn: {kind: csv, path: table, split: all, draw-split: {test: 0.25}}
              own: {kind: csv, path: table, preprocess: "resize:64", draw-split: {test: 0.25}}
              gone: {kind: csv, path: gone}
            models:
              - name: m
                train: {preprocess: "resize:32"}
            """, count: 8)
        do {
            _ = try StudyPlan.read(scratch.file("study.yaml"))
            Issue.record("the study has mistakes")
        } catch {
            #expect(error.mistakes.map(\.place) == [.line(1), .line(6), .line(9), .line(9), .line(9)])
            #expect(error.mistakes[2].message.contains("there is no training side to its split"))
            #expect(error.mistakes[3].message.contains("would be both trained on and explained"))
            #expect(error.mistakes[4].message.contains("trained with preprocess resize:32:imagenet but explained with resize:64:imagenet"))
        }
    }

    @Test("a recipe file that changes makes another study")
    func otherRecipe() throws {
        let scratch = try scratch()
        let path = try scratch.run(scratch.plan())
        try scratch.write("model: patch=8,width=24,depth=2,heads=3\nbatch: 4\nlearning-rate: 1e-4\nflip: true\n", to: "recipes/small.yaml")
        do {
            _ = try StudyRunner.openStore(scratch.plan(), folder: scratch.file("results"))
            Issue.record("the recipe has changed")
        } catch let error as StoreError {
            #expect("\(error)".contains("\(path): holds the results of another study (its models are trained otherwise: now"))
            #expect("\(error)".contains("learning-rate: 0.0001"))
        }
    }

    @Test("the estimate names what is to be trained, and the resolved file gives the same study")
    func estimate() throws {
        let scratch = try scratch()
        let plan = try scratch.plan()
        let before = try plan.estimate()
        #expect(before.trainings.map(\.model) == ["own", "scratch", "zoo"])
        #expect(before.trainings.map(\.epochs) == [3, 1, 1])
        #expect(before.trainings.allSatisfy { !$0.isFinished && $0.seconds > 0 })
        #expect(before.parts[0].secondsPerExplained != nil)
        let again = try StudyFile.parse(plan.file.resolved, path: "study.resolved.yaml")
        #expect(again.resolved == plan.file.resolved)
        #expect(again.fingerprint == plan.file.fingerprint)
        try scratch.run(plan)
        #expect(try plan.estimate().trainings.allSatisfy { $0.isFinished && $0.seconds == 0 })
    }
}
