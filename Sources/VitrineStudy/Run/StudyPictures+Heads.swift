import VitrineData
import VitrineExplain
import VitrineImage
import VitrineStore
import VitrineTensor

extension StudyPictures {
    /// The attention of every head of the last block to the patches, computed again with the model of the study.
    ///
    /// - Returns: maps by image, head by head; empty where the model or an image is not what it was when the study ran, by its SHA-256.
    /// - Complexity: one forward pass per image.
    public func headAttention(model id: Int, samples: [Int]) throws(StoreError) -> [Int: [HeatMap]] {
        guard let record = try store.models().first(where: { $0.id == id }), record.kind == .checkpoint || record.kind == .trained,
            let stored = try store.checkpoints().first(where: { $0.modelID == id }), let source = sources[record.datasetID],
            let plan = plans[record.datasetID], let loaded = try? plan.load(record, of: source, results: store.folder),
            loaded.record.sha256 == stored.sha256
        else { return [:] }
        let heads = (0..<loaded.model.configuration.heads).compactMap { try? ConfiguredMethod("attention:head=\($0)") }
        guard heads.count == loaded.model.configuration.heads,
            let explanations = try? ExplanationPlan(model: loaded.model, methods: heads, seed: plan.file.seed)
        else { return [:] }
        let workspace = Workspace()
        var maps: [Int: [HeatMap]] = [:]
        for sample in samples {
            guard let input = try? plan.input(sample, of: source, preprocess: loaded.preprocess), input.digest == digests[sample] else {
                continue
            }
            let subject = PreparedImage(name: plan.imageName(sample, source), pixels: input.pixels, target: plan.target(sample, source))
            maps[sample] = try? explanations.explain([subject], workspace: workspace)[0].explanations.map(\.map)
        }
        return maps
    }
}
