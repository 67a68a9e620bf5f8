import VitrineEvaluate
import VitrineImage
import VitrineStore
import VitrineTensor

extension StudyRunner {
    /// What the controls lack: they look at no model, and are made again from the seed whenever they are scored.
    func runControls(_ record: ModelRecord, _ source: StudyPlan.DatasetSource, _ prior: MaskPrior?) throws {
        let work = try pending(record, source)
        advancePast(work, record)
        guard !work.isEmpty else { return }
        let fingerprints = try StudyFingerprints(plan, record, source, store: store)
        let digests = Dictionary(try store.images().map { ($0.sampleID, $0.sha256) }) { $1 }
        let evaluator = try plan.evaluator()
        try parallelFor(work.count, workers: workers) { _, i in
            try runControls(work[i], record, source, prior, fingerprints, digests, evaluator)
            advance(1)
        }
    }

    private func runControls(
        _ work: StudyWork, _ record: ModelRecord, _ source: StudyPlan.DatasetSource, _ prior: MaskPrior?,
        _ fingerprints: StudyFingerprints, _ digests: [Int: String], _ evaluator: Evaluator
    ) throws {
        var clock = Stopwatch()
        let id = work.sampleID
        let input: StudyInput
        do throws(InputFailure) {
            input = try plan.unchangedInput(
                id, of: source, preprocess: source.preprocess, image: digests[id], mask: fingerprints.mask(id))
        } catch {
            try stopIfAsked()
            try store.commit(
                FailureRecord(datasetID: source.id, sampleID: id, modelID: record.id, stage: error.stage, message: error.message))
            return
        }
        var unit = UnitResult(
            unit: UnitRecord(modelID: record.id, sampleID: id, input: input, fingerprint: fingerprints.unit(id)),
            timing: TimingRecord(modelID: record.id, sampleID: id, prepare: clock.lap(), explain: 0, stability: 0, score: 0))
        func map(_ method: Int) -> HeatMap? {
            if case .maskPrior = plan.file.methods[method] { return input.mask.flatMap { prior?.map(without: id, mask: $0) } }
            return plan.controlMap(method, id, source, input)
        }
        for method in work.methods {
            guard let map = map(method) else { continue }
            unit.maps.append(
                UnitResult.Map(methodID: method, map: map, keepsValues: false, fingerprint: fingerprints.map(id, method)))
        }
        unit.timing.explain = clock.lap()
        let scored = input.mask.map { plan.scoredMask($0, id, evaluator.needsOtherMasks ? prior : nil) }
        let item = "\(plan.imageName(id, source))/none"
        for map in unit.maps {
            unit.scored[map.methodID] = fingerprints.scored(id, map.methodID)
            unit.scores += try plan.scores(of: map.map, methodID: map.methodID, on: scored, evaluator, item: item)
        }
        for (method, metrics) in work.scores.sorted(by: { $0.key < $1.key }) {
            guard let map = map(method) else { continue }
            unit.scored[method] = fingerprints.scored(id, method)
            unit.scores += try plan.scores(of: map, methodID: method, metrics: metrics, on: scored, evaluator, item: item)
        }
        unit.timing.score = clock.lap()
        try stopIfAsked()
        try store.commit(unit)
    }
}
