import Foundation
import Synchronization
import Testing
import VitrineData
import VitrineImage
import VitrineModel
import VitrineTensor
import VitrineTrain

/// A folder of its own for one test, with a data set that a network of a few hundred weights can learn.
private final class Bench: Sendable {
    let folder: String
    let samples: [Sample]

    /// Bright or dark squares in noise; three images per patient.
    init(count: Int = 30) throws {
        folder = NSTemporaryDirectory() + "vitrine-train-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder + "/images", withIntermediateDirectories: true)
        var list: [Sample] = []
        for i in 0..<count {
            var generator = Philox(seed: 11, name: "test image", index: UInt64(i))
            let label = i % 2
            var image = Image(width: 16, height: 16, channels: 3)
            for k in image.pixels.indices { image.pixels[k] = UInt8(60 + generator.below(80)) }
            let (top, left) = (generator.below(9), generator.below(9))
            if label == 1 {
                for y in top..<top + 7 { for x in left..<left + 7 { for c in 0..<3 { image.pixels[(y * 16 + x) * 3 + c] = 240 } } }
            }
            let path = folder + "/images/\(i).png"
            try Data(image.pngData()).write(to: URL(filePath: path))
            list.append(Sample(id: "\(i)", imagePath: path, label: label, patient: "p\(i / 3)"))
        }
        samples = list
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var recipe: Recipe {
        var recipe = Recipe()
        recipe.model = "patch=8,width=8,depth=2,heads=2"
        recipe.imageSize = 16
        recipe.learningRate = 0.01
        recipe.epochs = 3
        recipe.batch = 4
        recipe.seed = 7
        recipe.augmentation = Augmentation(flips: true, rotation: 10, brightness: 0.1)
        return recipe
    }

    func set(_ samples: [Sample]? = nil, testShare: Double = 0) throws -> TrainingSet {
        try TrainingSet(
            samples: samples ?? self.samples, classNames: ["dark", "bright"], positiveLabel: 1, validationShare: 0.3, testShare: testShare,
            splitSeed: 1)
    }

    func trainer(
        _ name: String, _ recipe: Recipe? = nil, set: TrainingSet? = nil, _ change: (inout TrainingOptions) -> Void = { _ in }
    ) throws -> Trainer {
        let recipe = recipe ?? self.recipe
        var options = TrainingOptions(output: folder + "/" + name)
        change(&options)
        let model = VisionTransformer.scratch(
            try ModelPresets.configuration(recipe.model, imageSize: recipe.imageSize, classes: 2), seed: recipe.seed)
        return try Trainer(
            recipe: recipe, set: set ?? self.set(), store: ImageStore(preprocess: .resize(recipe.imageSize)), model: model, options: options
        )
    }

    func model(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: folder + "/\(name)/model.safetensors"))) }
    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder + "/" + name) }
}

private final class Counter: Sendable {
    private let value = Atomic<Int>(0)
    func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).newValue }
}

@Suite struct TrainerTests {
    @Test func learnsAndWritesEverything() throws {
        let bench = try Bench(count: 48)
        var recipe = bench.recipe
        recipe.epochs = 12
        var trainer = try bench.trainer("run", recipe, set: bench.set(testShare: 0.25)) { $0.writesPyTorch = true }
        let result = try trainer.run()
        #expect(result.isFinished && result.records.count == 12)
        #expect(result.records.last!.trainingLoss < 0.7 * result.records.first!.trainingLoss)
        let best = try #require(result.bestEpoch)
        let losses = result.records.map { $0.validation!.loss }
        #expect(losses[best - 1] == losses.min()!)
        #expect(result.metrics["validation"]!.loss == losses[best - 1])
        #expect(result.testIntervals.count == 5)
        for name in [
            "model.safetensors", "model.pth", "state.safetensors", "log.jsonl", "report.md", "epochs.csv", "predictions.csv", "curves.svg",
            "curves.png", "recipe.yaml", "tensorboard/events.out.tfevents.0.vitrine",
        ] { #expect(bench.exists("run/" + name), "\(name)") }
        // The model loads as any checkpoint does and says how its images are prepared.
        let loaded = try VisionTransformer.load(bench.folder + "/run/model.safetensors")
        #expect(loaded.model.configuration.classes == 2 && loaded.model.configuration.positionGrid.count == 4)
        let metadata = try Checkpoint.open(bench.folder + "/run/model.safetensors").metadata
        #expect(metadata[Preprocess.metadataKey] == "resize:16:imagenet" && metadata["vitrine.classes"] == "[\"dark\",\"bright\"]")
        #expect(metadata["vitrine.split-seed"] == "0" && metadata["vitrine.epoch"] == "\(best)")
        let pth = try VisionTransformer.load(bench.folder + "/run/model.pth", options: LoadOptions(heads: 2))
        for (a, b) in zip(pth.model.parameters, loaded.model.parameters) { #expect(a.tensor.values == b.tensor.values) }
        // The written recipe is the recipe.
        var read = try Recipe.load(bench.folder + "/run/recipe.yaml")
        read.name = recipe.name
        #expect(read == recipe)
        let lines = try String(contentsOfFile: bench.folder + "/run/log.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(lines.count == result.records.last!.steps + 12)
        for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
        _ = try Image(contentsOf: bench.folder + "/run/curves.png")
        let rows = try String(contentsOfFile: bench.folder + "/run/predictions.csv", encoding: .utf8).split(separator: "\n")
        #expect(rows.count == 1 + result.metrics["validation"]!.count + result.metrics["test"]!.count)
    }

    @Test func workersChangeNoBit() throws {
        let bench = try Bench()
        for workers in [1, 2, 3] {
            var trainer = try bench.trainer("w\(workers)") { $0.workers = workers }
            _ = try trainer.run()
        }
        #expect(try bench.model("w1") == bench.model("w2"))
        #expect(try bench.model("w1") == bench.model("w3"))
    }

    @Test func seedsChangeTheModel() throws {
        let bench = try Bench()
        var other = bench.recipe
        other.seed = 8
        for (name, recipe) in [("a", bench.recipe), ("b", other)] {
            var trainer = try bench.trainer(name, recipe)
            _ = try trainer.run()
        }
        #expect(try bench.model("a") != bench.model("b"))
    }

    /// Stopped again and again at any question "go on?", in training and in validation, and resumed: the same bytes.
    @Test(arguments: ["plain", "probe", "accumulated"])
    func resumesBitForBit(_ kind: String) throws {
        let bench = try Bench()
        var recipe = bench.recipe
        recipe.optimizer = kind == "plain" ? .adamw : .sgd
        recipe.isLinearProbe = kind == "probe"
        recipe.accumulation = kind == "accumulated" ? 2 : 1
        var whole = try bench.trainer("whole", recipe)
        _ = try whole.run()
        var stops = 0
        for attempt in 0..<200 {
            let questions = Counter()
            let patience = 3 + attempt % 7
            var trainer = try bench.trainer("parts", recipe) { options in
                options.resumes = true
                options.workers = 1 + attempt % 2
            }
            trainer.stop(when: { questions.next() > patience })
            if try trainer.run().isFinished { break }
            stops += 1
        }
        #expect(stops >= 2)
        #expect(try bench.model("whole") == bench.model("parts"))
        func losses(_ name: String) throws -> [String] {
            try String(contentsOfFile: bench.folder + "/\(name)/log.jsonl", encoding: .utf8).split(separator: "\n")
                .filter { $0.contains("gradientNorm") }.map(String.init)
        }
        // The log holds every step once.
        #expect(try losses("whole") == losses("parts"))
    }

    @Test func resumingAFinishedRunReportsIt() throws {
        let bench = try Bench()
        var first = try bench.trainer("run")
        let result = try first.run()
        let bytes = try bench.model("run")
        var again = try bench.trainer("run") { $0.resumes = true }
        #expect(again.imagesLeft == 0)
        let second = try again.run()
        #expect(second.metrics == result.metrics && second.isFinished)
        #expect(try bench.model("run") == bytes)
    }

    @Test func foldersAndRecipesAreGuarded() throws {
        let bench = try Bench()
        var first = try bench.trainer("run")
        _ = try first.run()
        #expect(throws: TrainingError.outputExists(folder: bench.folder + "/run")) { try bench.trainer("run") }
        var other = bench.recipe
        other.learningRate = 0.5
        #expect(throws: TrainingError.resumeMismatch(field: "learning-rate", stored: "0.01", given: "0.5")) {
            try bench.trainer("run", other) { $0.resumes = true }
        }
        #expect(throws: TrainingError.self) {
            try bench.trainer("run", set: bench.set(Array(bench.samples.dropLast()))) { $0.resumes = true }
        }
        // A cut state is refused with its name.
        let state = bench.folder + "/run/state.safetensors"
        try Data(Data(contentsOf: URL(filePath: state)).prefix(1000)).write(to: URL(filePath: state))
        #expect(throws: CheckpointError.self) { try bench.trainer("run") { $0.resumes = true } }
        let failure = #expect(throws: FileFailure.self) { try bench.trainer("images/0.png") }
        #expect(failure?.description.contains("a file stands where a folder is needed") == true)
    }

    @Test("two trainings in one folder: the second is refused, and the first loses nothing (case 18)")
    func twoTrainingsInOneFolder() throws {
        let bench = try Bench()
        var undisturbed = try bench.trainer("alone")
        _ = try undisturbed.run()
        let other = Mutex<[String]>([])
        var first = try bench.trainer("run")
        first.report(
            progress: { _ in
                for resumes in [true, false] {
                    do {
                        _ = try bench.trainer("run") { $0.resumes = resumes }
                        other.withLock { $0.append("was not refused") }
                    } catch { other.withLock { $0.append("\(error)") } }
                }
            }, epochEnded: { _ in })
        #expect(try first.run().isFinished)
        let said = other.withLock { $0 }
        #expect(said.count > 2)
        for line in said {
            #expect(
                line.hasPrefix("\(bench.folder)/run: another process is training here; wait for it, or stop it first (process \(getpid())"))
        }
        #expect(try bench.model("run") == bench.model("alone"))
        // The end of a run gives the folder back, whoever still holds the trainer.
        #expect(try bench.trainer("run") { $0.resumes = true }.imagesLeft == 0)
        withExtendedLifetime(first) {}
    }

    @Test func divergenceAtOnceKeepsNothing() throws {
        let bench = try Bench()
        var recipe = bench.recipe
        recipe.optimizer = .sgd
        recipe.learningRate = 1e30
        var trainer = try bench.trainer("run", recipe)
        do {
            _ = try trainer.run()
            Issue.record("a loss that is no number was trained on")
        } catch TrainingError.diverged(_, _, _, _, let keptEpoch) { #expect(keptEpoch == nil) }
        #expect(!bench.exists("run/model.safetensors"))
    }

    /// A weight decay that rises with the warm-up: it shrinks the weights in the first epoch and blows them up later.
    @Test func divergenceLeavesTheLastGoodModel() throws {
        let bench = try Bench()
        var recipe = bench.recipe
        recipe.optimizer = .sgd
        recipe.momentum = 0
        recipe.weightDecay = 1
        recipe.learningRate = 180
        recipe.warmup = 100
        recipe.epochs = 100
        var trainer = try bench.trainer("run", recipe)
        do {
            _ = try trainer.run()
            Issue.record("a loss that is no number was trained on")
        } catch let error as TrainingError {
            guard case .diverged(let epoch, _, _, _, let keptEpoch?) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(keptEpoch <= epoch)
            #expect("\(error)".hasSuffix("the model of epoch \(keptEpoch) and the last checkpoint are intact"))
            let metadata = try Checkpoint.open(bench.folder + "/run/model.safetensors").metadata
            #expect(metadata["vitrine.epoch"] == "\(keptEpoch)")
            let model = try VisionTransformer.load(bench.folder + "/run/model.safetensors").model
            #expect(model.parameters.allSatisfy { $0.tensor.values.allSatisfy(\.isFinite) })
            // The state before it is a state: resumed, the run fails in the same place.
            var again = try bench.trainer("run", recipe) { $0.resumes = true }
            #expect(again.position.epochs == epoch)
            #expect(throws: TrainingError.self) { try again.run() }
        }
    }

    @Test func anImageLostDuringTheRunIsAnError() throws {
        let bench = try Bench()
        let model = VisionTransformer.scratch(try ModelPresets.configuration(bench.recipe.model, imageSize: 16, classes: 2), seed: 1)
        let set = try bench.set()
        // Nothing is kept in memory: every image is read again in each epoch.
        var trainer = try Trainer(
            recipe: bench.recipe, set: set, store: ImageStore(preprocess: .resize(16), memory: 0), model: model,
            options: TrainingOptions(output: bench.folder + "/run"))
        let path = set.training[5].imagePath
        try FileManager.default.removeItem(atPath: path)
        do {
            let result = try trainer.run()
            Issue.record("a run with a lost image ended, finished: \(result.isFinished)")
        } catch { #expect("\(error)".contains(path)) }
    }

    @Test func resumingRemovesWhatAKilledRunWasWriting() throws {
        let bench = try Bench()
        let part = bench.folder + "/run/state.safetensors.1.2.part"
        try FileManager.default.createDirectory(atPath: bench.folder + "/run", withIntermediateDirectories: true)
        try Data("half".utf8).write(to: URL(filePath: part))
        let trainer = try bench.trainer("run") { $0.resumes = true }
        #expect(trainer.position == (0, 0))
        #expect(!FileManager.default.fileExists(atPath: part))
    }

    @Test func theReportSaysWhereTheWeightsComeFrom() throws {
        let bench = try Bench()
        var trainer = try bench.trainer("run") { $0.initialisation = ["backbone.pth: timm", "not taken: head.weight"] }
        _ = try trainer.run()
        let report = try String(contentsOfFile: bench.folder + "/run/report.md", encoding: .utf8)
        #expect(report.contains("Initialisation:\n\n- backbone.pth: timm\n- not taken: head.weight\n\n|"))
    }

    /// Values that mean something else in YAML come back as they were.
    @Test(arguments: ["@weights/it's: 1.pth", "*all.pth", "!x", "- a", "[b]", "%c", "~d"])
    func writtenRecipesAreRead(_ path: String) throws {
        let bench = try Bench()
        var recipe = bench.recipe
        recipe.initialisation = path
        _ = try bench.trainer("run", recipe)
        #expect(try Recipe.load(bench.folder + "/run/recipe.yaml").initialisation == path)
    }

    @Test func unreadableImagesAreLeftOutOrRefused() throws {
        let bench = try Bench()
        let whole = try Data(contentsOf: URL(filePath: bench.samples[4].imagePath))
        try whole.prefix(whole.count / 2).write(to: URL(filePath: bench.samples[4].imagePath))
        try Data("no image".utf8).write(to: URL(filePath: bench.samples[7].imagePath))
        var set = try bench.set()
        let total = set.training.count + set.validation.count
        let store = try ImageStore(preprocess: .resize(16))
        #expect(throws: TrainingError.self) {
            var strict = set
            try strict.leaveOutUnreadable(store: store, workers: 2, isStrict: true)
        }
        try set.leaveOutUnreadable(store: store, workers: 2, isStrict: false)
        #expect(set.unreadable.count == 2 && set.training.count + set.validation.count == total - 2)
        #expect(set.unreadable.contains { $0.contains("images/4.png") } && set.unreadable.contains { $0.contains("images/7.png") })
        var trainer = try bench.trainer("run", set: set)
        #expect(try trainer.run().isFinished)
    }

    @Test func dataThatCannotBeTrainedOn() throws {
        let bench = try Bench()
        let dark = bench.samples.filter { $0.label == 0 }
        #expect(throws: TrainingError.emptyClass(name: "bright", samples: 0)) { try bench.set(dark) }
        var unlabelled = bench.samples
        unlabelled[3].label = nil
        #expect(throws: TrainingError.unlabelled(sample: "3")) { try bench.set(unlabelled) }
        var torn = bench.samples
        for i in torn.indices { torn[i].split = i % 3 == 0 ? .validation : .train }
        do {
            _ = try bench.set(torn)
            Issue.record("a patient on both sides was taken")
        } catch { #expect("\(error)".contains("patient 'p0' is on both sides")) }
        #expect(throws: TrainingError.tooFewClasses(found: 1)) {
            try TrainingSet(
                samples: dark, classNames: ["dark"], positiveLabel: 0, validationShare: 0.2, testShare: 0, splitSeed: 0)
        }
        #expect(throws: TrainingError.noImageSize(preprocess: "none:imagenet")) { try ImageStore(preprocess: .none()) }
        var recipe = bench.recipe
        recipe.frozenBlocks = 3
        #expect(throws: TrainingError.self) { try bench.trainer("run", recipe) }
        recipe = bench.recipe
        recipe.classWeights = .fixed([1, 2, 3])
        #expect(throws: TrainingError.classWeights(count: 3, classes: 2)) { try bench.trainer("run", recipe) }
    }

    @Test func drawnSplitsKeepPatientsTogether() throws {
        let set = try Bench(count: 60).set(testShare: 0.2)
        let sides = [set.training, set.validation, set.test].map { Set($0.map { $0.patient! }) }
        #expect(sides.allSatisfy { !$0.isEmpty })
        #expect(sides[0].isDisjoint(with: sides[1]) && sides[0].isDisjoint(with: sides[2]) && sides[1].isDisjoint(with: sides[2]))
    }

    @Test func probingAndFreezingLeaveTheRestAlone() throws {
        let bench = try Bench()
        let start = VisionTransformer.scratch(
            try ModelPresets.configuration(bench.recipe.model, imageSize: 16, classes: 2), seed: bench.recipe.seed)
        var recipe = bench.recipe
        recipe.isLinearProbe = true
        recipe.augmentation = Augmentation()
        var probe = try bench.trainer("probe", recipe)
        _ = try probe.run()
        recipe.isLinearProbe = false
        recipe.frozenBlocks = 1
        var frozen = try bench.trainer("frozen", recipe)
        _ = try frozen.run()
        func changed(_ name: String) throws -> Set<String> {
            let model = try VisionTransformer.load(bench.folder + "/\(name)/model.safetensors").model
            return Set(zip(model.parameters, start.parameters).filter { $0.tensor.values != $1.tensor.values }.map { $0.0.info.name })
        }
        #expect(try changed("probe") == ["head.weight", "head.bias"])
        let names = try changed("frozen")
        #expect(names.contains("blocks.1.attn.qkv.weight") && names.contains("head.weight"))
        #expect(!names.contains { $0.hasPrefix("blocks.0.") || $0.contains("embed") || $0 == "cls_token" })
    }

    /// Probing on cached features is what training with everything but the head frozen would be.
    @Test func probingEqualsTheHeadsGradient() throws {
        let bench = try Bench()
        var recipe = bench.recipe
        recipe.isLinearProbe = true
        recipe.optimizer = .sgd
        recipe.momentum = 0
        recipe.weightDecay = 0
        recipe.epochs = 1
        recipe.batch = 1000
        recipe.learningRate = 0.1
        let set = try bench.set()
        var trainer = try bench.trainer("probe", recipe, set: set)
        _ = try trainer.run()
        let after = try VisionTransformer.load(bench.folder + "/probe/model.safetensors").model
        let start = VisionTransformer.scratch(
            try ModelPresets.configuration(recipe.model, imageSize: 16, classes: 2), seed: recipe.seed)
        var gradients = WeightGradients(like: start)
        for sample in set.training {
            let image = try Preprocess.resize(16)(Image(contentsOf: sample.imagePath))
            _ = try start.weightGradient(of: image.reshaped([1, 3, 16, 16]), into: &gradients, workspace: Workspace()) {
                CrossEntropy()(logits: $0, labels: [sample.label!], scale: 1 / Double(set.training.count)).gradient
            }
        }
        let slope = gradients.parameters.first { $0.info.name == "head.weight" }!.tensor.values
        let expected = zip(start.head!.weight.values, slope).map { $0 - 0.1 * $1 }
        // Float32 sums over the images in another order.
        #expect(relativeDifference(after.head!.weight.values, expected) < 1e-5)
    }

    @Test func accumulationAveragesBatches() throws {
        let bench = try Bench(count: 34)
        var recipe = bench.recipe
        recipe.optimizer = .sgd
        recipe.epochs = 1
        // 32 images: four whole batches of eight.
        let set = try TrainingSet(
            samples: Array(bench.samples.prefix(32)), classNames: ["dark", "bright"], positiveLabel: 1, validationShare: 0, testShare: 0,
            splitSeed: 1)
        recipe.batch = 8
        var big = try bench.trainer("big", recipe, set: set)
        _ = try big.run()
        recipe.batch = 4
        recipe.accumulation = 2
        var small = try bench.trainer("small", recipe, set: set)
        _ = try small.run()
        let a = try VisionTransformer.load(bench.folder + "/big/model.safetensors").model.parameters
        let b = try VisionTransformer.load(bench.folder + "/small/model.safetensors").model.parameters
        for (x, y) in zip(a, b) where x.info.name.hasSuffix("weight") {
            // Float32 sums in another order over four steps.
            #expect(relativeDifference(x.tensor.values, y.tensor.values) < 1e-4, "\(x.info.name)")
        }
    }

    @Test func patienceEndsARun() throws {
        let bench = try Bench()
        var recipe = bench.recipe
        recipe.epochs = 200
        recipe.patience = 2
        recipe.schedule = .constant
        recipe.learningRate = 0.2
        var trainer = try bench.trainer("run", recipe)
        let result = try trainer.run()
        #expect(result.records.count < 200 && result.records.count == result.bestEpoch! + 2)
    }

    @Test func withoutValidationTheLastEpochIsKept() throws {
        let bench = try Bench()
        let set = try TrainingSet(
            samples: bench.samples, classNames: ["dark", "bright"], positiveLabel: 1, validationShare: 0, testShare: 0, splitSeed: 1)
        var trainer = try bench.trainer("run", set: set)
        let result = try trainer.run()
        #expect(result.bestEpoch == 3 && result.metrics.isEmpty && result.records.allSatisfy { $0.validation == nil })
    }

    @Test func aSecondFolderValidates() throws {
        let bench = try Bench()
        let set = try TrainingSet(
            samples: Array(bench.samples.prefix(21)), classNames: ["dark", "bright"], positiveLabel: 1,
            validation: Array(bench.samples.dropFirst(21)), validationShare: 0.5, testShare: 0, splitSeed: 1)
        #expect(set.training.count == 21 && set.validation.count == 9)
        #expect(throws: TrainingError.imageOnBothSides(path: bench.samples[20].imagePath)) {
            try TrainingSet(
                samples: Array(bench.samples.prefix(21)), classNames: ["dark", "bright"], positiveLabel: 1,
                validation: Array(bench.samples.dropFirst(20)), validationShare: 0.5, testShare: 0, splitSeed: 1)
        }
        #expect(throws: DataError.self) {
            try TrainingSet(
                samples: Array(bench.samples.prefix(20)), classNames: ["dark", "bright"], positiveLabel: 1,
                validation: Array(bench.samples.dropFirst(20)), validationShare: 0.5, testShare: 0, splitSeed: 1)
        }
    }
}
