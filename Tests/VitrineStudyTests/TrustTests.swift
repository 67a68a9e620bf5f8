import Foundation
import Synchronization
import Testing
import VitrineData
import VitrineEvaluate
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineTensor
import VitrineTrain

@testable import VitrineStudy

/// Classifiers that know what a picture shows, and use what they are told to.
private struct KnowingClassifier {
    private var answers: [[UInt8]: Int] = [:]

    /// - Parameter reads: the answer for a picture that shows these parts.
    init(_ task: TrustTask, _ set: PhantomSet, count: Int, reads: (Set<PhantomPart>) -> Int) {
        for i in 0..<count {
            let parts = set.parts(of: i)
            answers[set.phantom(at: i).image.pixels] = reads(parts)
            for removed in CounterfactualCheck.removals(task, parts) {
                answers[set.phantom(at: i, without: removed).image.pixels] = reads(parts.subtracting(removed))
            }
        }
    }

    var classify: @Sendable (Int, [Image]) throws -> [Int] {
        let answers = self.answers
        return { _, images in images.map { answers[$0.pixels] ?? -1 } }
    }
}

@Suite struct TrustTests {
    private func check(_ name: String, _ set: PhantomSet? = nil, reads: ((Set<PhantomPart>) -> Int)? = nil) throws -> CounterfactualCheck {
        let task = try TrustTask(name)
        let set = try set ?? task.set(count: 40, seed: 3)
        let known = KnowingClassifier(task, set, count: 40, reads: reads ?? { task.label($0) ?? -1 })
        return try CounterfactualCheck(task, set, pairs: 20, model: "", workers: 2, classify: known.classify)
    }

    @Test(arguments: ["suppressor", "two-causes", "conjunction", "class-specific"])
    func whoReadsTheCausePasses(name: String) throws {
        let check = try check(name)
        #expect(check.passes, "\(check.faults)")
        #expect(check.balancedAccuracy == 1 && check.images == 40)
        #expect(check.rows.contains { $0.isCause } && check.rows.contains { !$0.isCause })
        #expect(check.rows.allSatisfy { $0.flips == ($0.isCause ? $0.images : 0) })
    }

    @Test func whoReadsAPlantedShortcutFails() throws {
        // The tag goes with the label without fail, so that the accuracy is perfect: only the counterfactual tells.
        let set = try PhantomSet(
            task: .suppressor, count: 40, seed: 3, shortcut: PhantomShortcut(tag: .letter, rate: 1), isMatched: true)
        let check = try check("suppressor", set) { $0.contains(.shortcut) ? 1 : 0 }
        #expect(check.balancedAccuracy == 1)
        #expect(!check.passes)
        #expect(check.rows.first { $0.removed == "lesion" }?.flips == 0)
        #expect(check.rows.first { $0.removed == "shortcut" }?.share == 1)
        #expect(check.faults.count == 2)
    }

    @Test func whoReadsOneOfTwoFails() throws {
        #expect(try !check("conjunction") { $0.contains(.lesion) ? 1 : 0 }.passes)
        #expect(try !check("two-causes") { $0.contains(.lesion) ? 1 : 0 }.passes)
        #expect(try !check("class-specific") { $0.isDisjoint(with: [.lesion, .secondLesion]) ? 0 : 1 }.passes)
        #expect(try !check("suppressor") { _ in 1 }.passes)
    }

    @Test func causesAreWhatTheLabelNeeds() throws {
        let both: Set<PhantomPart> = [.lesion, .secondLesion]
        let all = both.union([.distractor])
        #expect(try TrustTask("two-causes").causes(of: all) == [both])
        #expect(try TrustTask("two-causes").causes(of: [.lesion, .distractor]) == [[.lesion]])
        #expect(try TrustTask("conjunction").causes(of: all) == [[.lesion], [.secondLesion]])
        #expect(try TrustTask("colon:shortcut=letter").causes(of: [.lesion, .shortcut]) == [[.shortcut]])
        #expect(try TrustTask("colon").causes(of: [.lesion, .distractor]) == [[.lesion]])
        #expect(try TrustTask("colon").causes(of: [.distractor]) == [])
    }

    @Test func tasksAreReadAsTheyAreWritten() throws {
        let task = try TrustTask("two-causes:size=0.5,contrast=0.8,number=2")
        #expect(task.options == PhantomOptions(size: 0.5, contrast: 0.8, number: 2))
        #expect(task.folder == "two-causes-size-0.5-contrast-0.8-number-2")
        for name in TrustTask.standard { _ = try TrustTask(name) }
        #expect(try task.isLike(TrustTask("two-causes")) && task.isLike(TrustTask("suppressor")) && !task.isLike(TrustTask("colon")))
        #expect(try TrustTask("breast-mr:size=2").isLike(TrustTask("breast-mr")) && !TrustTask("bone").isLike(TrustTask("breast-mr")))
        #expect(try !TrustTask("colon:shortcut=letter").isLike(TrustTask("colon")))
        for bad in [
            "", "liver", "colon:", "colon:size", "colon:size=x", "colon:number=2", "bone:size=2", "colon:shortcut=badge", "colon:colour=1",
        ] {
            #expect(throws: TrustError.self, "\(bad)") { try TrustTask(bad) }
        }
    }

    // MARK: Scores

    private func subject(_ name: String) throws -> (scorer: TrustScorer, image: TrustImage) {
        let task = try TrustTask(name)
        let set = try task.set(count: 40, seed: 3)
        let known = KnowingClassifier(task, set, count: 40) { task.label($0) ?? -1 }
        let preprocess = Preprocess.resize(64)
        let configuration = ViTConfiguration(
            patchSize: 8, width: 24, depth: 2, heads: 2, classes: task.classNames.count, positionGrid: PatchGrid(rows: 8, columns: 8))
        let model = VisionTransformer.scratch(configuration, seed: 1)
        let check = try CounterfactualCheck(task, set, pairs: 20, model: "", workers: 1, classify: known.classify)
        let proven = ProvenModel(task: task, model: model, preprocess: preprocess, check: check, rounds: 1)
        for i in 0..<40 {
            if let image = try TrustImage(i, of: set, task, preprocess, classify: known.classify, worker: 0),
                image.parts.contains(.distractor)
            {
                return (try TrustScorer(proven, seed: 0), image)
            }
        }
        throw CancellationError()
    }

    /// A map that is 1 where a mask is, as a share of each patch.
    private func map(_ mask: Mask, sign: Float = 1) -> HeatMap {
        HeatMap(
            rows: 64, columns: 64, values: mask.bits.map { $0 ? sign : 0 }, height: 64, width: 64,
            display: DisplayRule(upsampling: .nearest, normalisation: .none))
    }

    @Test(arguments: ["suppressor", "two-causes", "conjunction", "class-specific"])
    func theCauseItselfWinsAndItsInverseLoses(name: String) throws {
        let (scorer, image) = try subject(name)
        let right = try scorer.scores(of: map(image.cause), image)
        let wrong = try scorer.scores(of: map(image.cause, sign: -1), image)
        let location = try #require(right[TrustMeasure.localisation])
        let inverse = try #require(wrong[TrustMeasure.localisation])
        // Shares of the cause order the patches best; the ceiling takes whole patches for cause, which they are not.
        #expect(location.value > 2 * location.chance && inverse.value < inverse.chance)
        #expect(location.value <= (location.ceiling ?? 0) + 1e-12)
        var random = Philox(seed: 2, name: name)
        for _ in 0..<50 {
            let any = HeatMap(
                rows: 8, columns: 8, values: (0..<64).map { _ in Float(random.uniform()) }, height: 64, width: 64, display: .attention)
            #expect(try #require(scorer.scores(of: any, image)[TrustMeasure.localisation]).value <= location.value)
        }
        let pointing = try #require(right[TrustMeasure.pointing])
        #expect(pointing.value > pointing.chance)
        let distractor = TrustMeasure.credit(.distractor)
        let region = try #require(image.regions[.distractor])
        let misled = try scorer.scores(of: map(region), image)
        let (credited, spared) = (try #require(misled[distractor]), try #require(right[distractor]))
        #expect(credited.value > 4 * credited.chance && spared.value < credited.value)
        #expect(try #require(misled[TrustMeasure.localisation]).value < location.value)
    }

    @Test func aMapThatIgnoresTheClassContrastsNothing() throws {
        let (scorer, image) = try subject("class-specific")
        let both = try #require(image.both)
        let (a, b) = (both.regions[0].mask, both.regions[1].mask)
        #expect(TrustScorer.outranks(scorer.reduced(map(a)), a, b) > 0.95)
        #expect(TrustScorer.outranks(scorer.reduced(map(b)), a, b) < 0.05)
        // The two directions of one map sum to 1, so that their mean is 1/2.
        var random = Philox(seed: 1, name: "map")
        let any = HeatMap(
            rows: 8, columns: 8, values: (0..<64).map { _ in Float(random.uniform()) }, height: 64, width: 64, display: .attention)
        #expect(abs(TrustScorer.outranks(any, a, b) + TrustScorer.outranks(any, b, a) - 1) < 1e-12)

        var record = TrustRecord(index: 0, label: 1, parts: [])
        try scorer.complete(
            &record, image, methods: ConfiguredMethod.parse(["rollout", "gradcam", "centre"]), metrics: Evaluator([]),
            networks: RandomisedNetworks(scorer.model, seed: 0), workspace: Workspace(), watch: Watch())
        #expect(Set(record.scores.keys) == ["rollout", "gradcam", "centre"] && record.failures.isEmpty)
        #expect(abs(try #require(record.scores["rollout"]?[TrustMeasure.classContrast]).value - 0.5) < 1e-12)
        #expect(abs(try #require(record.scores["centre"]?[TrustMeasure.classContrast]).value - 0.5) < 1e-12)
    }

    @Test func oneImageGivesNoInterval() throws {
        func estimate(_ denominators: [Double]) throws -> TrustResult.Estimate {
            let ratio = try ClusterRatio(numerators: denominators.map { 2 * $0 }, denominators: denominators)
            return .init(ratio, try ClusterResamples(clusters: 3, count: 200, seed: 1, workers: 1).interval(of: ratio))
        }
        #expect(try estimate([0, 0.5, 0]).value == 2)
        #expect(try estimate([0, 0.5, 0]).lower == nil && estimate([0, 0.5, 0]).upper == nil)
        #expect(try estimate([1, 0.5, 0]).lower == 2)
    }

    @Test func rankCorrelationsAreThoseOfTheTextbook() throws {
        #expect(MetricTrust.spearman([1, 2, 3, 4], [10, 20, 30, 40]) == 1)
        #expect(MetricTrust.spearman([1, 2, 3, 4], [4, 3, 2, 1]) == -1)
        // 1 - 6 * (0 + 1 + 1 + 0) / (4 * 15)
        #expect(abs(try #require(MetricTrust.spearman([1, 2, 3, 4], [1, 3, 2, 4])) - 0.8) < 1e-12)
        #expect(MetricTrust.spearman([1, 1, 1], [1, 2, 3]) == nil)
        #expect(abs(try #require(MetricTrust.spearman([1, 2, 3, 4, .nan], [1, 3, 2, 4, 9])) - 0.8) < 1e-12)
    }

    /// A bootstrap over four images gave intervals that did not hold their own estimate.
    @Test func intervalsOfRankCorrelationsHoldTheirEstimate() throws {
        #expect(MetricTrust.interval([0.9, 0.8]) == nil)
        // Of 3 values with deviation 0.1: 0.8 +- 4.302653 (Student's t, two degrees of freedom) * 0.1 / sqrt(3).
        let interval = try #require(MetricTrust.interval([0.7, 0.8, 0.9]))
        #expect(abs(interval.lower - (0.8 - 4.302653 * 0.1 / 3.0.squareRoot())) < 1e-6)
        #expect(interval.upper == 1, "no correlation lies above 1")
        let equal = try #require(MetricTrust.interval([0.5, 0.5, 0.5]))
        #expect(equal.lower == 0.5 && equal.upper == 0.5)
    }

    @Test func metricsOfOneNeighbourhoodAskTheMethodOnce() throws {
        let (scorer, image) = try subject("conjunction")
        let asked = Mutex(0)
        let watch = Watch(passed: { images in asked.withLock { $0 += images } })
        func values(_ metrics: [String]) throws -> (values: [Double?], passes: Int) {
            asked.withLock { $0 = 0 }
            let method = try ConfiguredMethod("gradcam")
            let map = try ExplanationPlan(model: scorer.model, methods: [method], seed: 0).explain([image.input], workspace: Workspace())[0]
            let questioned = try QuestionedImage(
                image.input, scale: try #require(image.input.scale), model: scorer.model,
                networks: RandomisedNetworks(scorer.model, seed: 0), seed: 0, methodSeed: 0, workspace: Workspace(), watch: watch)
            let found = try Evaluator(metrics, protocol: .corrected).values(
                of: ScoredMap(map.explanations[0].map), on: nil, witness: questioned.witness(of: method), item: "i")
            return (found, asked.withLock { $0 })
        }
        let names = [
            "max-sensitivity:samples=3", "average-sensitivity:samples=3", "local-lipschitz:samples=3", "parameter-randomisation",
            "efficient-randomisation",
        ]
        let together = try values(names)
        let alone = try names.map { try values([$0]) }
        #expect(together.values == alone.map { $0.values[0] } && together.values.allSatisfy { $0?.isFinite == true })
        // What the second and third, and the last, ask has been asked.
        #expect(together.passes == alone[0].passes + alone[3].passes && alone[0].passes > 0 && alone[3].passes > 0)
    }

    // MARK: Runs

    @Test func aRunDependsOnItsSettingsAloneAndRefusesWhatIsNotProved() throws {
        let scratch = try Scratch()
        var settings = TrustSettings()
        (settings.count, settings.epochs, settings.rounds, settings.checked, settings.images) = (40, 1, 1, 6, 2)
        func run(_ name: String, workers: Int) throws -> TrustResult {
            var run = TrustRun(
                tasks: [try TrustTask("conjunction")], settings: settings, methods: ["gradcam"], metrics: [], output: scratch.file(name))
            run.workers = workers
            return try run.run()
        }
        let one = try run("one", workers: 1)
        let two = try run("two", workers: 2)
        #expect(one == two)
        // A network that has seen forty images has proved nothing, and its maps are not scored.
        #expect(!one.tasks[0].check.passes && one.tasks[0].methods.isEmpty && !one.tasks[0].check.faults.isEmpty)
        // What is there is not made again; other settings are refused.
        let model = scratch.file("one/conjunction/round-1/" + Trainer.modelName)
        let before = try FileManager.default.attributesOfItem(atPath: model)[.modificationDate] as? Date
        #expect(try run("one", workers: 1) == one)
        #expect(try FileManager.default.attributesOfItem(atPath: model)[.modificationDate] as? Date == before)
        settings.epochs = 2
        #expect(throws: TrustError.self) { try run("one", workers: 1) }
    }

    @Test func theStandardTasksOfTissueStartFromBothKindsOfMasses() throws {
        let tissue = try TrustTask.standard.map { try TrustTask($0) }.filter(\.phantom.isTissue)
        #expect(tissue.min { $0.isEasier(than: $1) }?.name == "two-causes:size=3")
    }

    @Test func aTaskStartsFromTheEasiestOneLikeIt() throws {
        let scratch = try Scratch()
        var settings = TrustSettings()
        (settings.count, settings.epochs, settings.rounds, settings.checked, settings.images) = (40, 1, 1, 6, 2)
        func weights(_ names: [String], _ folder: String) throws -> Data? {
            let run = TrustRun(
                tasks: try names.map { try TrustTask($0) }, settings: settings, methods: ["gradcam"], metrics: [],
                output: scratch.file(folder))
            #expect(try run.run().tasks.map(\.name) == names)
            return FileManager.default.contents(atPath: scratch.file("\(folder)/conjunction/round-1/" + Trainer.modelName))
        }
        let alone = try #require(try weights(["conjunction"], "alone"))
        let after = try #require(try weights(["conjunction:size=2", "conjunction"], "after"))
        #expect(alone != after)
        // Whatever the order, and never mixed in one folder.
        #expect(try weights(["conjunction", "conjunction:size=2"], "before") == after)
        #expect(throws: TrustError.self) { try weights(["conjunction"], "after") }
    }

    @Test func aStoppedRunSaysSo() throws {
        let scratch = try Scratch()
        var settings = TrustSettings()
        (settings.count, settings.epochs, settings.rounds, settings.checked) = (40, 1, 1, 6)
        var run = TrustRun(
            tasks: [try TrustTask("conjunction")], settings: settings, methods: ["gradcam"], metrics: [], output: scratch.file("trust"))
        run.shouldStop = { true }
        #expect(throws: StudyInterruption.self) { try run.run() }
        run.shouldStop = { false }
        _ = try run.run()
    }
}
