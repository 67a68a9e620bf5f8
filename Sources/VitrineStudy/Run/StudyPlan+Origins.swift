import VitrineStore

/// A store of an earlier version does not say what its rows were made from. What it knew when it was opened is what they were made from:
/// its images and checkpoints were compared before every use. Its masks were not; a mask file that is still the same is trusted.
extension StudyPlan {
    /// Before anything is compared with the files.
    ///
    /// - Parameter then: the study file that the store was made by.
    func fillOrigins(in store: Store, madeBy then: StudyFile?) throws(StoreError) {
        for source in sources {
            guard var prior = try store.maskPrior(dataset: source.id), prior.preprocess == nil,
                let before = then?.datasets.first(where: { $0.name == source.settings.name }),
                before.preprocess == source.settings.preprocess
            else { continue }
            prior.preprocess = "\(source.preprocess)"
            try store.commit(prior)
        }
        for model in self.store.models where try store.units(model: model.id).contains(where: { $0.fingerprint == nil }) {
            let source = sources[model.datasetID]
            if var checkpoint = try store.checkpoints().first(where: { $0.modelID == model.id }), checkpoint.settings == nil {
                // Unknown is not the same.
                checkpoint.settings = then.flatMap { $0.settings(of: model.name, dataset: source.settings.name) } ?? ""
                try store.commit(checkpoint)
            }
            let before = then?.datasets.first { $0.name == source.settings.name }
            guard model.kind != .none || (before != nil && before?.preprocess == source.settings.preprocess) else {
                try store.fill(model: model.id, Store.Origins(unit: { _ in "" }, map: { _, _ in "" }))
                continue
            }
            let fingerprints = try StudyFingerprints(self, model, source, store: store)
            try store.fill(model: model.id, Store.Origins(unit: { fingerprints.unit($0) }, map: { fingerprints.map($0, $1) }))
        }
    }

    /// After the masks were compared with their files; those that had changed are known not to be what was scored against.
    func fillMasks(in store: Store) throws(StoreError) {
        for model in self.store.models
        where try store.units(model: model.id).contains(where: { $0.maskStatus == .scored && $0.maskDigest == nil }) {
            let fingerprints = try StudyFingerprints(self, model, sources[model.datasetID], store: store)
            try store.fill(
                model: model.id,
                Store.Origins(
                    unit: { fingerprints.unit($0) }, mask: { fingerprints.mask($0) }, map: { fingerprints.map($0, $1) },
                    scored: { fingerprints.scored($0, $1) }))
        }
    }
}
