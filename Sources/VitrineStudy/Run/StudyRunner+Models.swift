import Foundation
import VitrineData
import VitrineEvaluate
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineStore
import VitrineTensor

extension StudyRunner {
    /// What is missing under one model: first what only needs scores, then what the model has to look at.
    func run(_ record: ModelRecord, _ source: StudyPlan.DatasetSource, _ prior: MaskPrior?) throws {
        var session: Session?
        do { session = try reopened(record, source) } catch { return try giveUp(record, source, error) }
        var work = try pending(record, source)
        if work.contains(where: \.asksModel) {
            do { session = try session ?? open(record, source) } catch {
                // What needs no model is scored all the same.
                let scoring = work.filter { !$0.asksModel }
                advancePast(scoring, record)
                try rescore(scoring, record, source, prior)
                return try giveUp(record, source, error, units: 0)
            }
            if session?.isOther == true { work = try pending(record, source) }
        }
        advancePast(work, record)
        try rescore(work.filter { !$0.asksModel }, record, source, prior)
        let asking = work.filter(\.asksModel)
        guard let session, !asking.isEmpty else { return }
        let context = try Context(self, record, source, preprocess: session.loaded.preprocess, prior)
        let workspaces = (0..<workers).map { _ in Workspace() }
        let groups = together(asking, source)
        try parallelFor(groups.count, workers: workers) { worker, i in
            try explain(groups[i], session, context, workspace: workspaces[worker])
            advance(groups[i].count)
        }
    }

    /// Scores of maps that are in the store, without the model.
    private func rescore(
        _ work: [StudyWork], _ record: ModelRecord, _ source: StudyPlan.DatasetSource, _ prior: MaskPrior?
    ) throws {
        guard !work.isEmpty, let checkpoint = try store.checkpoints().first(where: { $0.modelID == record.id }) else { return }
        let context = try Context(self, record, source, preprocess: Preprocess(parsing: checkpoint.preprocess), prior)
        try parallelFor(work.count, workers: workers) { _, i in
            try rescore(work[i], context)
            advance(1)
        }
    }

    /// A model that does not load, or cannot be trained: recorded, and the study goes on without it.
    private func giveUp(_ record: ModelRecord, _ source: StudyPlan.DatasetSource, _ error: any Error, units: Int? = nil) throws {
        if error is StoreError || error is StudyInterruption { throw error }
        try store.commit(
            FailureRecord(datasetID: source.id, sampleID: nil, modelID: record.id, stage: .model, message: "\(error)"))
        advance(units ?? plan.samples(of: record, shard: shard).count)
    }

    /// Images that go through a network together: as many as the study file says, and alike in what is asked about them.
    private func together(_ work: [StudyWork], _ source: StudyPlan.DatasetSource) -> [[StudyWork]] {
        var alike: [[StudyWork]] = []
        for one in work {
            if let last = alike.last?.first, last.methods == one.methods,
                source.roles[last.sampleID - source.firstSample] == source.roles[one.sampleID - source.firstSample]
            {
                alike[alike.count - 1].append(one)
            } else {
                alike.append([one])
            }
        }
        return alike.flatMap { group in
            stride(from: 0, to: group.count, by: plan.file.batch).map { Array(group[$0..<min($0 + plan.file.batch, group.count)]) }
        }
    }

    // MARK: The model

    private var trainer: StudyTrainer {
        var trainer = StudyTrainer(plan: plan, results: store.folder)
        trainer.workers = workers
        trainer.shouldStop = shouldStop
        trainer.news = news
        return trainer
    }

    /// A loaded model.
    private struct Session: Sendable {
        var loaded: StudyLoadedModel
        /// The store has results of the same file, read otherwise.
        let isOther: Bool
        /// Versions of it with random weights, for metrics that ask for them.
        let networks: RandomisedNetworks

        init(_ loaded: StudyLoadedModel, isOther: Bool, seed: UInt64) {
            self.loaded = loaded
            self.isOther = isOther
            networks = RandomisedNetworks(loaded.model, seed: seed)
        }
    }

    /// The model, if its file or the way it is loaded is another one than when it was used.
    ///
    /// A file that is gone is no change: what was made with it stays.
    private func reopened(_ record: ModelRecord, _ source: StudyPlan.DatasetSource) throws -> Session? {
        guard let stored = try store.checkpoints().first(where: { $0.modelID == record.id }),
            let path = plan.weights(of: record, results: store.folder), let digest = try? sha256(ofFile: path)
        else { return nil }
        let settings = plan.settings(of: record)
        guard digest == stored.sha256 else {
            changed(
                "\(path): has changed since the study used it (\(Self.digests(stored.sha256, digest))); what was made with it is made again"
            )
            return try open(record, source)
        }
        guard stored.settings ?? settings == settings else {
            changed(
                "model '\(record.name)' is loaded otherwise than before ('\(stored.settings ?? "")' then, '\(settings)' now); "
                    + "what was made with it is made again")
            return try open(record, source)
        }
        // What stands beside the file (a configuration, names of classes) may read it otherwise; where that cannot be read any more, what
        // was made with it stays.
        guard let loaded = try? plan.load(record, of: source, results: store.folder) else { return nil }
        return try difference(loaded, settings: settings, record, source) == nil ? nil : open(record, source)
    }

    /// Loads a model, which is trained first where the study says so.
    private func open(_ record: ModelRecord, _ source: StudyPlan.DatasetSource) throws -> Session {
        if case .randomWeights(let like, _)? = plan.entry(record)?.source,
            let other = plan.store.models.first(where: { $0.datasetID == source.id && $0.name == like })
        {
            try trainer.train(other)
        } else {
            try trainer.train(record)
        }
        var loaded = try plan.load(record, of: source, results: store.folder)
        loaded.record.settings = plan.settings(of: record)
        // Every method is checked against the model before the first image.
        _ = try explanations(plan.store.methods.filter { !$0.isControl }.map(\.id), loaded)
        try stopIfAsked()
        let difference = try self.difference(loaded, settings: plan.settings(of: record), record, source)
        if let difference {
            changed("model '\(record.name)': \(difference); what was made with it is made again")
            try store.distrust(model: record.id)
        }
        try store.commit(loaded.record)
        if let left = try trainer.leftOut(record) {
            try store.commit(FailureRecord(datasetID: source.id, sampleID: nil, modelID: record.id, stage: .training, message: left))
        }
        return Session(loaded, isOther: difference != nil, seed: plan.file.seed)
    }

    /// How the store's results of the same file were made otherwise than this program would make them, in words; nil when they were not.
    ///
    /// What a file leaves open is taken from conventions, and a later version of the program may know better.
    private func difference(
        _ loaded: StudyLoadedModel, settings: String, _ record: ModelRecord, _ source: StudyPlan.DatasetSource
    ) throws -> String? {
        guard let stored = try store.checkpoints().first(where: { $0.modelID == record.id }), stored.sha256 == loaded.record.sha256,
            stored.settings == settings
        else { return nil }
        if stored.preprocess != loaded.record.preprocess {
            return "images were prepared with \(stored.preprocess) before, and are with \(loaded.record.preprocess) now"
        }
        // Fields that came later read as what was meant before there were any.
        let then = try? JSONDecoder().decode(ViTConfiguration.self, from: Data(stored.architecture.utf8))
        let now = try? JSONDecoder().decode(ViTConfiguration.self, from: Data(loaded.record.architecture.utf8))
        if then != now { return "its architecture was understood otherwise before" }
        let predictions = try store.predictions(model: record.id)
        if let said = predictions.first(where: { !$0.logits.isEmpty }) {
            let decision = loaded.order.decision(said.logits, loaded.model.configuration)
            // Another machine's exponential may end in another bit.
            let isSame = said.probabilities.elementsEqual(decision.probabilities) { abs($0 - $1) < 1e-5 }
            if said.predicted != decision.predicted || !isSame {
                return "its logits stood for other classes before"
            }
        }
        for prediction in predictions {
            guard case .fixed(let logit)? = loaded.order.target(plan.target(prediction.sampleID, source)), let said = prediction.target
            else { continue }
            return said == logit.description ? nil : "\(said) was explained before, and \(logit) is now"
        }
        return nil
    }

    private func explanations(_ methods: [Int], _ loaded: StudyLoadedModel) throws -> ExplanationPlan {
        let configured = methods.compactMap { id -> ConfiguredMethod? in
            if case .explainer(let explainer) = plan.file.methods[id] { explainer } else { nil }
        }
        return try ExplanationPlan(model: loaded.model, methods: configured, seed: plan.file.seed)
    }

    // MARK: One image

    /// What every image of a model is looked at with.
    private struct Context: Sendable {
        var record: ModelRecord
        var source: StudyPlan.DatasetSource
        var preprocess: Preprocess
        var fingerprints: StudyFingerprints
        var evaluator: Evaluator
        /// SHA-256 of the images as inspected.
        var digests: [Int: String]
        /// The masks of other images, where a metric compares with them.
        var prior: MaskPrior?

        init(
            _ runner: StudyRunner, _ record: ModelRecord, _ source: StudyPlan.DatasetSource, preprocess: Preprocess, _ prior: MaskPrior?
        ) throws {
            self.record = record
            self.source = source
            self.preprocess = preprocess
            fingerprints = try StudyFingerprints(runner.plan, record, source, store: runner.store)
            evaluator = try runner.plan.evaluator()
            self.prior = evaluator.needsOtherMasks ? prior : nil
            digests = Dictionary(try runner.store.images().map { ($0.sampleID, $0.sha256) }) { $1 }
        }
    }

    /// Lets a method of many passes stop between two of them.
    private var watch: Watch { Watch(isStopped: shouldStop, passed: passed) }

    /// Images under one model, all asked about by the same methods.
    private func explain(_ group: [StudyWork], _ session: Session, _ context: Context, workspace: Workspace) throws {
        var clock = Stopwatch()
        let methods = group[0].methods
        let explaining = try explanations(methods, session.loaded)
        var shapes: [[(work: StudyWork, input: StudyInput)]] = []
        for work in group {
            do throws(InputFailure) {
                let input = try self.input(work.sampleID, context)
                do { try explaining.checkMemory(of: input.pixels.shape, batch: max(1, min(plan.file.stabilityDraws, 10))) } catch {
                    throw InputFailure(
                        stage: .explain, message: "\(context.source.sample(work.sampleID).imagePath): \(error)")
                }
                if let last = shapes.last?.first, last.input.pixels.shape == input.pixels.shape {
                    shapes[shapes.count - 1].append((work, input))
                } else {
                    shapes.append([(work, input)])
                }
            } catch { try fail(work.sampleID, context, error.stage, error.message) }
        }
        let prepare = clock.lap() / Double(group.count)
        for whole in shapes {
            var shape: [(work: StudyWork, input: StudyInput)] = []
            var subjects: [PreparedImage] = []
            for item in whole {
                do throws(InputFailure) {
                    subjects.append(try subject(item.work.sampleID, item.input, session.loaded, context))
                    shape.append(item)
                } catch { try fail(item.work.sampleID, context, error.stage, error.message) }
            }
            guard !shape.isEmpty else { continue }
            let results: [ImageExplanations]
            do { results = try explaining.explain(subjects, workspace: workspace, watch: watch) } catch is ExplanationStopped {
                throw StudyInterruption()
            } catch {
                for item in shape { try fail(item.work.sampleID, context, .explain, "\(error)") }
                continue
            }
            let explain = clock.lap() / Double(shape.count)
            for (i, item) in shape.enumerated() {
                let id = item.work.sampleID
                if let problem = results[i].problem {
                    try fail(id, context, .explain, "\(context.source.sample(id).imagePath): \(context.record.path): \(problem)")
                    continue
                }
                var unit = self.unit(item.work, item.input, context)
                (unit.timing.prepare, unit.timing.explain) = (prepare, explain)
                unit.addPrediction(results[i], of: session.loaded, isAsked: !item.work.scores.isEmpty)
                unit.addMaps(results[i], methods: methods)
                unit.addFailures(results[i], methods: methods, dataset: context.source.id)
                for m in unit.maps.indices { unit.maps[m].fingerprint = context.fingerprints.map(id, unit.maps[m].methodID) }
                if plan.file.stabilityDraws > 0 && !methods.isEmpty {
                    let draws = plan.file.stabilityDraws
                    let stabilities: [Int: Stability]
                    do {
                        stabilities = try explaining.stability(
                            of: subjects[i], undisturbed: results[i], greyLevel: session.loaded.preprocess.greyLevel, draws: draws,
                            batch: min(draws, 10), workspace: workspace, watch: watch)
                    } catch is ExplanationStopped { throw StudyInterruption() }
                    unit.addStabilities(stabilities, methods: methods)
                    unit.timing.stability = clock.lap()
                }
                do {
                    let asks = !methods.isEmpty || !item.work.scores.isEmpty
                    let questioned = asks ? try questioned(subjects[i], results[i].target, session, context, workspace) : nil
                    try score(item.work, item.input, &unit, context, questioned)
                } catch is ExplanationStopped { throw StudyInterruption() }
                unit.timing.score = clock.lap()
                try stopIfAsked()
                try store.commit(unit)
            }
        }
    }

    /// The image under the model, where a metric will ask about it.
    private func questioned(
        _ subject: PreparedImage, _ target: Target?, _ session: Session, _ context: Context, _ workspace: Workspace
    ) throws -> QuestionedImage? {
        guard context.evaluator.needsWitness, session.loaded.model.head != nil, let target else { return nil }
        var subject = subject
        subject.target = .fixed(target)
        return try QuestionedImage(
            subject, scale: session.loaded.preprocess.scale, model: session.loaded.model, networks: session.networks,
            seed: plan.file.seed, methodSeed: plan.file.seed, workspace: workspace, watch: watch)
    }

    /// An image with what is asked about it, in the model's own logits.
    private func subject(
        _ id: Int, _ input: StudyInput, _ model: StudyLoadedModel, _ context: Context
    ) throws(InputFailure) -> PreparedImage {
        let name = plan.imageName(id, context.source)
        let asked = plan.target(id, context.source)
        guard let target = model.model.head == nil ? asked : model.order.target(asked) else {
            throw InputFailure(
                stage: .explain,
                message: "\(name): the model has no logit for this class; one of a single logit speaks for class 1 alone: "
                    + "choose another target")
        }
        if let grid = try? model.model.configuration.grid(height: input.height, width: input.width) {
            do { try model.loaded?.check(grid: grid) } catch {
                throw InputFailure(stage: .explain, message: "\(StudyPlan.namingKeys(error))")
            }
        }
        return PreparedImage(name: name, pixels: input.pixels, target: target, scale: model.preprocess.scale)
    }

    /// Scores of maps that are in the store, without the model.
    private func rescore(_ work: StudyWork, _ context: Context) throws {
        var clock = Stopwatch()
        let input: StudyInput
        do throws(InputFailure) { input = try self.input(work.sampleID, context) } catch {
            return try fail(work.sampleID, context, error.stage, error.message)
        }
        var unit = self.unit(work, input, context)
        unit.timing.prepare = clock.lap()
        try score(work, input, &unit, context)
        unit.timing.score = clock.lap()
        try stopIfAsked()
        try store.commit(unit)
    }

    /// The scores of new maps, and those that stored maps lack.
    ///
    /// - Parameter questioned: answers metrics that ask the model; absent where only scores without it are missing.
    private func score(
        _ work: StudyWork, _ input: StudyInput, _ unit: inout UnitResult, _ context: Context, _ questioned: QuestionedImage? = nil
    ) throws {
        let id = work.sampleID
        let scored = input.mask.map { plan.scoredMask($0, id, context.prior) }
        let item = "\(plan.imageName(id, context.source))/\(context.record.name)"
        for map in unit.maps {
            unit.scored[map.methodID] = context.fingerprints.scored(id, map.methodID)
            unit.scores += try plan.scores(
                of: map.map, methodID: map.methodID, on: scored, context.evaluator, questioned: questioned, item: item)
        }
        for (method, metrics) in work.scores.sorted(by: { $0.key < $1.key }) {
            guard let map = try store.map(model: work.modelID, method: method, sample: id) else { continue }
            unit.scored[method] = context.fingerprints.scored(id, method)
            unit.scores += try plan.scores(
                of: map, methodID: method, metrics: metrics, on: scored, context.evaluator, questioned: questioned, item: item)
        }
    }

    private func unit(_ work: StudyWork, _ input: StudyInput, _ context: Context) -> UnitResult {
        UnitResult(
            unit: UnitRecord(
                modelID: work.modelID, sampleID: work.sampleID, input: input, fingerprint: context.fingerprints.unit(work.sampleID)),
            timing: TimingRecord(modelID: work.modelID, sampleID: work.sampleID, prepare: 0, explain: 0, stability: 0, score: 0))
    }

    private func input(_ id: Int, _ context: Context) throws(InputFailure) -> StudyInput {
        try plan.unchangedInput(
            id, of: context.source, preprocess: context.preprocess, image: context.digests[id], mask: context.fingerprints.mask(id))
    }

    private func fail(_ id: Int, _ context: Context, _ stage: FailureRecord.Stage, _ message: String) throws {
        try stopIfAsked()
        try store.commit(
            FailureRecord(datasetID: context.source.id, sampleID: id, modelID: context.record.id, stage: stage, message: message))
    }
}
