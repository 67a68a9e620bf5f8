import Foundation
import VitrineData
import VitrineModel
import VitrineTensor
import VitrineTrain

/// A model ready to be explained, and what the store keeps of it.
struct StudyLoadedModel: Sendable {
    var model: VisionTransformer
    var preprocess: Preprocess
    var record: CheckpointRecord
}

extension StudyPlan {
    /// Loads a model of a data set.
    ///
    /// - Parameter results: the folder of the results, below which models of the study's own training stand.
    /// - Throws: what the loader says, in one line.
    func load(_ record: ModelRecord, of source: DatasetSource, results: String) throws -> StudyLoadedModel {
        guard let entry = file.models(of: source.settings).first(where: { $0.name == record.name }) else {
            preconditionFailure("models of the plan come from the study file")
        }
        switch entry.source {
        case .checkpoint, .trained: return try checkpoint(entry, source, results, id: record.id)
        case .randomWeights(let like, let seed):
            guard let other = file.models.first(where: { $0.name == like }) else {
                preconditionFailure("random weights name a model of the study; checked when it was read")
            }
            var loaded = try checkpoint(other, source, results, id: record.id)
            // LayerScale of 1: with timm's 1e-5 the blocks would pass nothing on, and every map would be that of the patch embedding.
            loaded.model = VisionTransformer.scratch(loaded.model.configuration, seed: file.seed &+ seed, layerScale: 1)
            loaded.record.notes = ["random weights, seed \(seed), in the architecture of \(like)"]
            return loaded
        }
    }

    private func checkpoint(_ entry: StudyModel, _ source: DatasetSource, _ results: String, id: Int) throws -> StudyLoadedModel {
        let own = entry.path(dataset: source.settings.name)
        var options = LoadOptions()
        var path = results + "/" + own
        var notes: [String] = []
        if let training = trainings[own] {
            let provenance = try TrainingProvenance.read(Self.parent(path))
            notes = provenance?.notes(recipe: training.recipe.name) ?? []
        } else {
            path = Self.resolve(own, folder)
            options.heads = entry.heads
            options.group = entry.group
            options.prefix = entry.prefix
        }
        let file = try Checkpoint.open(path)
        let loaded = try VisionTransformer.load(file, options: options)
        var preprocess = source.preprocess
        if source.settings.preprocess == nil, let saved = file.metadata[Preprocess.metadataKey] {
            let configuration = loaded.model.configuration
            preprocess = try Preprocess(parsing: saved, defaultSize: configuration.positionGrid.rows * configuration.patchSize)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return StudyLoadedModel(
            model: loaded.model, preprocess: preprocess,
            record: CheckpointRecord(
                modelID: id, sha256: try sha256(ofFile: path), family: loaded.report.family.rawValue,
                parameters: loaded.report.parameterCount, classes: loaded.model.configuration.classes,
                architecture: String(decoding: try encoder.encode(loaded.model.configuration), as: UTF8.self),
                preprocess: preprocess.description, notes: notes + loaded.report.notes))
    }
}
