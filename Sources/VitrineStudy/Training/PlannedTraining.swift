import Foundation
import VitrineData
import VitrineModel
import VitrineTrain

/// One model that a study trains: everything decided before the first step.
struct PlannedTraining: Sendable {
    /// With all overrides; `initialisation` as the study file writes it, so that no machine's path becomes part of the result.
    var recipe: Recipe
    /// The checkpoint to start from, as seen from here; nil for random weights.
    var checkpoint: String?
    /// Of a model with random weights to start from.
    var configuration: ViTConfiguration?
    /// The training and validation images; those to be explained are not among them.
    var set: TrainingSet
    var preprocess: Preprocess
    /// Of the study file, from which paths start.
    var folder: String
    /// Digest of an adapter that is merged into the checkpoint; nil without one.
    var adapter: String?

    /// What the result depends on besides the contents of the files, by name: the fields of the recipe, who is trained on, the classes.
    var identity: [String: String] {
        var identity = Dictionary(uniqueKeysWithValues: RecipeField.all.map { ($0.name, $0.get(recipe)) })
        identity["images"] = set.fingerprint
        identity["classes"] = set.classNames.joined(separator: ", ")
        identity["adapter"] = adapter
        return identity
    }
}

extension PlannedTraining {
    /// - Parameters:
    ///   - contents: of the data set, all sides of its split.
    ///   - explained: names of the images that the study looks at.
    /// - Throws: `StudyMistake` at the line of the training; what `TrainingSet` and recipes throw.
    init(
        _ training: StudyTraining, model: String, dataset: StudyDataset, information: DatasetInformation, contents: DatasetContents,
        explained: Set<String>, folder: String
    ) throws {
        let what = "model '\(model)', data set '\(dataset.name)'"
        func mistake(_ message: String) -> StudyMistake { StudyMistake(training.place, "\(what): \(message)") }
        self.folder = folder
        var recipe: Recipe
        do {
            recipe = try Self.recipe(training, dataset: dataset, standard: information.preprocess, folder: folder)
            preprocess = try Preprocess(parsing: recipe.preprocess, defaultSize: recipe.imageSize)
        } catch { throw mistake("\(error)") }
        if let own = dataset.preprocess, own != preprocess {
            throw mistake("trained with preprocess \(preprocess) but explained with \(own); name one of them, or the same twice")
        }
        guard let size = preprocess.size else { throw mistake("\(TrainingError.noImageSize(preprocess: preprocess.description))") }
        recipe.imageSize = size
        recipe.preprocess = preprocess.description

        if recipe.scratch != nil {
            do {
                let path = StudyPlan.resolve(recipe.model, folder)
                let text = FileManager.default.fileExists(atPath: path) ? path : recipe.model
                configuration = try ModelPresets.configuration(text, imageSize: size, classes: contents.classNames.count)
            } catch { throw mistake("\(error)") }
        } else {
            let path = StudyPlan.resolve(recipe.initialisation, folder)
            guard FileManager.default.fileExists(atPath: path) else {
                let isKind = recipe.keptEpoch != nil && training.value("init", dataset: dataset.name) == nil
                throw mistake(
                    isKind
                        ? "recipe '\(recipe.name)' starts from \(recipe.initialisation) weights; name their file with init below train"
                        : "\(path) to start from does not exist; check init below train")
            }
            checkpoint = path
        }

        guard contents.samples.contains(where: { $0.split == .train }) else {
            throw mistake("there is no training side to its split; draw one with draw-split, or take a checkpoint")
        }
        do {
            set = try TrainingSet(
                samples: contents.samples.filter { $0.split != .test }, classNames: contents.classNames,
                positiveLabel: contents.positiveLabel, validationShare: recipe.validationShare, testShare: 0,
                splitSeed: recipe.splitSeed)
        } catch { throw mistake("\(error)") }
        if let sample = (set.training + set.validation).first(where: { explained.contains($0.id) }) {
            throw mistake("'\(sample.id)' would be both trained on and explained; take the test side with split: test")
        }
        self.recipe = recipe
    }

    /// The recipe for one data set: defaults, the named recipe or file, the fields of the study file, in this order.
    private static func recipe(
        _ training: StudyTraining, dataset: StudyDataset, standard: Preprocess, folder: String
    ) throws -> Recipe {
        // The data set's own preprocessing is the default, at the recipe's image size.
        var base = Recipe()
        base.preprocess = standard.description.split(separator: ":").filter { !$0.allSatisfy { $0.isNumber || $0 == "," } }
            .joined(separator: ":")
        base.imageSize = standard.size ?? base.imageSize
        var recipe = base
        if let name = training.recipe?.replacing("{dataset}", with: dataset.name) {
            let path = StudyPlan.resolve(name, folder)
            recipe = FileManager.default.fileExists(atPath: path) ? try Recipe.load(path, base: base) : try Recipe.named(name)
            recipe.name = name
        }
        if let own = dataset.preprocess { recipe.preprocess = own.description }
        for field in training.fields {
            guard let value = training.value(field.name, dataset: dataset.name) else { continue }
            try RecipeField.apply([(name: field.name, value: value)], to: &recipe, source: "train")
        }
        return recipe
    }

    /// The model before its first step.
    ///
    /// - Throws: what the loader says, in one line.
    func startingModel(_ entry: StudyModel) throws -> VisionTransformer {
        guard let checkpoint else {
            guard let configuration else { preconditionFailure("without a checkpoint a training has a configuration") }
            return VisionTransformer.scratch(configuration, seed: recipe.seed, weights: recipe.scratch ?? .timm)
        }
        var options = try entry.loadOptions(below: folder)
        options.head = .fresh(classes: set.classNames.count)
        return try VisionTransformer.load(checkpoint, options: options).model.withFreshHead(
            classes: set.classNames.count, seed: recipe.seed)
    }
}
