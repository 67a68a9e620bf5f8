import VitrineData
import VitrineStore
import VitrineTensor

extension StudyRunner {
    /// Reads every image and mask of the shard: checksums, sizes, mask quality, and what is damaged. What the store knows already is only
    /// compared.
    func inspect(_ source: StudyPlan.DatasetSource) throws {
        let images = Dictionary(try store.images().map { ($0.sampleID, $0) }) { $1 }
        let masks = Dictionary(try store.masks(dataset: source.id).map { ($0.sampleID, $0) }) { $1 }
        let models = plan.store.models.filter { $0.datasetID == source.id }
        let ids = Set(models.flatMap { plan.samples(of: $0, shard: shard) }).sorted()
        try parallelFor(ids.count, workers: workers) { _, i in
            let id = ids[i]
            let (image, mask) = (images[id], masks[id])
            guard !plan.isAsKnown(id, of: source, image: image, mask: mask) else { return }
            let found = plan.inspect(id, of: source)
            let failures = found.failure.map {
                [FailureRecord(datasetID: source.id, sampleID: id, modelID: nil, stage: $0.stage, message: $0.message)]
            }
            let path = source.sample(id).imagePath
            if let old = image?.sha256, let new = found.image?.sha256, old != new {
                changed("\(path): has changed since the study read it (\(Self.digests(old, new))); what was made from it is made again")
            } else if let old = mask?.digest, let new = found.mask?.digest, old != new {
                let file = source.hasImages ? source.sample(id).maskPath ?? "the mask of \(path)" : path
                let why =
                    mask?.sha256 == found.mask?.sha256
                    ? "is read by another rule than before" : "has changed since the study read it (\(Self.digests(old, new)))"
                changed("\(file): \(why); its scores are made again")
            }
            try stopIfAsked()
            try store.commit(image: found.image, mask: found.mask, failures: failures ?? [], sample: id)
        }
    }

    static func digests(_ then: String, _ now: String) -> String { "SHA-256 \(then.prefix(12))... then, \(now.prefix(12))... now" }

    func maskPrior(of source: StudyPlan.DatasetSource) throws -> MaskPrior? {
        let isMethod = plan.file.methods.contains { if case .maskPrior = $0 { true } else { false } }
        guard try isMethod || plan.evaluator().needsOtherMasks else { return nil }
        let preprocess = "\(source.preprocess)"
        if let stored = try store.maskPrior(dataset: source.id), stored.preprocess == preprocess {
            return MaskPrior(stored, plan: plan, source: source)
        }
        do {
            let record = try MaskPrior.count(plan, source, workers: workers)
            try stopIfAsked()
            try store.commit(record)
            return MaskPrior(record, plan: plan, source: source)
        } catch let failure as InputFailure {
            try store.commit(
                FailureRecord(datasetID: source.id, sampleID: nil, modelID: nil, stage: .prior, message: failure.message))
            return nil
        }
    }
}
