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
    /// - Throws: what the loader says, in one line.
    func load(_ record: ModelRecord, of source: DatasetSource) throws -> StudyLoadedModel {
        guard let entry = file.models(of: source.settings).first(where: { $0.name == record.name }) else {
            preconditionFailure("models of the plan come from the study file")
        }
        switch entry.source {
        case .checkpoint: return try checkpoint(entry, source, id: record.id)
        case .randomWeights(let like, let seed):
            guard let other = file.models.first(where: { $0.name == like }) else {
                preconditionFailure("random weights name a model of the study; checked when it was read")
            }
            var loaded = try checkpoint(other, source, id: record.id)
            // LayerScale of 1: with timm's 1e-5 the blocks would pass nothing on, and every map would be that of the patch embedding.
            loaded.model = VisionTransformer.scratch(loaded.model.configuration, seed: file.seed &+ seed, layerScale: 1)
            loaded.record.notes = ["random weights, seed \(seed), in the architecture of \(like)"]
            return loaded
        }
    }

    private func checkpoint(_ entry: StudyModel, _ source: DatasetSource, id: Int) throws -> StudyLoadedModel {
        let path = Self.resolve(entry.path(dataset: source.settings.name), folder)
        let file = try Checkpoint.open(path)
        var options = LoadOptions()
        options.heads = entry.heads
        options.group = entry.group
        options.prefix = entry.prefix
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
                preprocess: preprocess.description, notes: loaded.report.notes))
    }
}
