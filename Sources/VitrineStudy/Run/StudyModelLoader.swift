import Foundation
import VitrineData
import VitrineModel
import VitrineStore
import VitrineTensor
import VitrineTrain

/// A model ready to be explained, and what the store keeps of it.
struct StudyLoadedModel: Sendable {
    var model: VisionTransformer
    var preprocess: Preprocess
    var record: CheckpointRecord
    /// Which logit stands for which class of the data set.
    var order: ClassOrder
    /// As it was read, for what depends on an image's size.
    var loaded: LoadedModel?
}

extension StudyPlan {
    /// The file of a model's weights; for random weights, of the model whose architecture they have.
    func weights(of record: ModelRecord, results: String) -> String? {
        let source = sources[record.datasetID]
        guard var entry = entry(record) else { return nil }
        if case .randomWeights(let like, _) = entry.source {
            guard let other = file.models.first(where: { $0.name == like }) else { return nil }
            entry = other
        }
        let own = entry.path(dataset: source.settings.name)
        return trainings[own] == nil ? Self.resolve(own, folder) : results + "/" + own
    }

    /// Loads a model of a data set.
    ///
    /// - Parameter results: the folder of the results, below which models of the study's own training stand.
    /// - Throws: what the loader says, in one line.
    func load(_ record: ModelRecord, of source: DatasetSource, results: String) throws -> StudyLoadedModel {
        guard let entry = file.models(of: source.settings).first(where: { $0.name == record.name }) else {
            // The record may come from a store that somebody edited.
            throw InputFailure(
                stage: .model, message: "the study file has no model '\(record.name)' for data set '\(source.settings.name)'")
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
            options = try entry.loadOptions(below: folder)
        }
        let file: CheckpointFile
        let loaded: LoadedModel
        do {
            file = try Checkpoint.open(path)
            loaded = try VisionTransformer.load(file, options: options).packing()
        } catch { throw Self.namingKeys(error) }
        var preprocess = source.preprocess
        if source.settings.preprocess == nil {
            let (grid, patch) = (loaded.model.configuration.positionGrid, loaded.model.configuration.patchSize)
            let chosen = try ChosenPreprocess(
                given: nil, stored: file.metadata[Preprocess.metadataKey],
                published: loaded.report.preparations.map { ($0.path, $0.text) }, height: grid.rows * patch, width: grid.columns * patch)
            if chosen.source == .assumed {
                notes.append("assumed: preprocessing \(preprocess), of the data set's kind; 'preprocess' below the data set changes it")
            } else {
                preprocess = chosen.preprocess
            }
            if case .published(let file) = chosen.source {
                notes.append("preprocessing: \(preprocess) (\(file.split(separator: "/").last ?? ""))")
            }
        }
        let order: ClassOrder
        do {
            order = try ClassOrder(
                model: loaded.report.classNames, dataset: store.datasets[source.id].classNames, count: loaded.model.configuration.classes)
        } catch { throw InputFailure(stage: .model, message: "\(path): \(error) ('classes' below the model)") }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return StudyLoadedModel(
            model: loaded.model, preprocess: preprocess,
            record: CheckpointRecord(
                modelID: id, sha256: file.sha256(), family: loaded.report.family.rawValue,
                parameters: loaded.report.parameterCount, classes: loaded.model.configuration.classes,
                architecture: String(decoding: try encoder.encode(loaded.model.configuration), as: UTF8.self),
                preprocess: preprocess.description, notes: notes + loaded.report.notes),
            order: order, loaded: loaded)
    }

    /// An error with the key of the study file that answers it.
    static func namingKeys(_ error: any Error) -> any Error {
        guard let setting = (error as? LoadError)?.setting ?? (error as? CheckpointError)?.setting else { return error }
        return InputFailure(stage: .model, message: "\(error) ('\(setting.rawValue)' below the model: \(setting.values))")
    }
}
