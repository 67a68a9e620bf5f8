import ArgumentParser
import Foundation
import VitrineData
import VitrineModel
import VitrineStudy
import VitrineTensor
import VitrineTrain

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fine-tunes a vision transformer, or trains one from scratch, and writes a model that every command reads.",
        discussion: """
            Writes DIR/model.safetensors (the best epoch), log.jsonl, tensorboard/, report.md, epochs.csv, predictions.csv, curves.svg, \
            curves.png and recipe.yaml; state.safetensors is what --resume goes on from, bit for bit.

            Settings come from --recipe, then --config, then the flags. Every setting has a name, for recipe files and --set:
            \(RecipeField.all.map { "  \($0.name): \($0.summary) (\($0.get(Recipe())))" }.joined(separator: "\n"))

            SIGTERM, SIGUSR1, Ctrl-C and a closed terminal write a checkpoint and end the command with exit code 4.
            """)

    @Option(help: "Folder with a folder per class, or a CSV file: image, label and, optionally, patient, split, mask.")
    var data: String?

    @Option(help: "Images to validate on, instead of a share of --data.")
    var validation: String?

    @Option(
        name: .customLong("data-option"), parsing: .upToNextOption,
        help: ArgumentHelp("Options of the data set, such as patient-pattern=^(\\w+)_.", valueName: "name=value"))
    var dataOptions: [String] = []

    @Option(
        name: .customLong("init"),
        help: "scratch, scratch-fan-in (for small networks), or a checkpoint to start from; its head is replaced.")
    var initialisation: String?

    @Option(help: "Architecture for scratch: \(ModelPresets.names.joined(separator: ", ")); a configuration file; or sizes.")
    var model: String?

    @Option(help: "A preset, see --list-recipes.", completion: .list(Recipe.study.map(\.name)))
    var recipe: String?

    @Flag(name: .customLong("list-recipes"), help: "Show the presets and their settings.")
    var listRecipes = false

    @Option(help: "A YAML file of settings.")
    var config: String?

    @Option(help: "sgd, adam or adamw.")
    var optimizer: String?

    @Option(name: .customLong("learning-rate"), help: "Learning rate.")
    var learningRate: String?

    @Option(name: .customLong("weight-decay"), help: "Weight decay.")
    var weightDecay: String?

    @Option(help: "Epochs.")
    var epochs: String?

    @Option(help: "Images per batch.")
    var batch: String?

    @Option(name: .customLong("image-size"), help: "Side of the network's input in pixels.")
    var imageSize: String?

    @Option(help: "Preprocessing, saved in the model so that explain uses the same.")
    var preprocess: String?

    @Option(help: "Seed of weights, order and augmentation.")
    var seed: String?

    @Option(name: .customLong("set"), parsing: .upToNextOption, help: ArgumentHelp("Any other setting.", valueName: "name=value"))
    var settings: [String] = []

    @OptionGroup var modelOptions: ModelOptions

    @Option(help: "Worker threads (default: one per core). Results do not depend on it.")
    var workers: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Go on with the run in the output folder; without one, start.")
    var resume = false

    @Flag(help: "An unreadable image ends the run instead of being left out.")
    var strict = false

    @Flag(help: "Also write model.pth, which PyTorch loads with weights_only=True.")
    var pth = false

    @Option(name: .customLong("checkpoint-minutes"), help: "Minutes between checkpoints inside an epoch.")
    var checkpointMinutes: Double = 10

    @Flag(help: "No progress.")
    var quiet = false

    @Option(name: [.customLong("output"), .customShort("o")], help: "Folder for the results; made if missing.")
    var output: String?

    func validate() throws {
        guard workers > 0 else { throw ValidationError("--workers must be at least 1") }
        guard checkpointMinutes > 0 else { throw ValidationError("--checkpoint-minutes must be above 0") }
        guard listRecipes || (data != nil && output != nil) else { throw ValidationError("--data and --output are needed") }
        guard data != "" && output != "" else { throw ValidationError("--data and --output must name a path, not nothing") }
    }

    func run() throws {
        if listRecipes {
            Self.printRecipes()
            return
        }
        try refuseTaken()
        let recipe = try adoptingPreprocess(chosenRecipe())
        try CPU.selfTest()
        let preprocess = try Preprocess(parsing: recipe.preprocess, defaultSize: recipe.imageSize)
        let store = try ImageStore(preprocess: preprocess)
        var (set, notes) = try trainingSet(recipe)
        for note in notes where note.isLoss || !quiet { complain(note.text) }
        try set.leaveOutUnreadable(store: store, workers: workers, isStrict: strict)
        for line in set.unreadable { complain("left out: \(line)") }
        if !quiet { for line in set.facts { complain(line) } }

        let start = try startingModel(recipe, classes: set.classNames.count, imageSize: store.size, preprocess: preprocess)
        if !quiet { for line in start.report { complain(line) } }
        let signals = StopSignals()
        var options = TrainingOptions(output: output!)
        options.workers = workers
        options.resumes = resume
        options.checkpointMinutes = checkpointMinutes
        options.writesPyTorch = pth
        options.metadata["vitrine.provenance"] = try provenance(recipe)
        options.initialisation = start.report
        var trainer = try Trainer(recipe: recipe, set: set, store: store, model: start.model, options: options)
        if resume && !quiet { complain("\(output!): \(Self.standing(trainer))") }
        let progress = Progress(total: trainer.imagesLeft, unit: "images", isQuiet: quiet)
        defer { progress.clear() }
        trainer.stop(when: { signals.isStopped })
        trainer.report(progress: { progress.advance(by: $0) }, epochEnded: { print(Self.line($0, of: recipe.epochs)) })
        let result = try trainer.run()
        progress.clear()
        guard result.isFinished else {
            complain("stopped by a signal after a checkpoint; go on with --resume")
            throw ExitCode.stopped
        }
        for (split, m) in result.metrics.sorted(by: { $0.key > $1.key }) {
            print(Self.line(m, split: split))
            if let only = m.onlyPrediction { print("\(split): the model takes every image for \(set.classNames[only])") }
        }
        for i in result.testIntervals {
            print("test \(i.name) \(Self.number(i.value)), \(i.words(Self.number))")
        }
        print("kept epoch \(result.bestEpoch ?? 0): \(output!)/\(Trainer.modelName)")
        if !set.unreadable.isEmpty || notes.contains(where: \.isLoss) { throw ExitCode.someItemsFailed }
    }

    // MARK: Input

    /// Said before any image is read; the trainer takes the lock itself.
    private func refuseTaken() throws {
        if let output, let holder = FileLock.holder(of: output + "/" + Trainer.lockName) {
            throw FileLock.Taken(path: output, work: "is training here", holder: holder)
        }
    }

    private func chosenRecipe() throws -> Recipe {
        var chosen = try recipe.map { try Recipe.named($0) } ?? Recipe()
        if let config { chosen = try Recipe.load(config, base: chosen) }
        let flags = [
            ("init", initialisation), ("model", model), ("optimizer", optimizer), ("learning-rate", learningRate),
            ("weight-decay", weightDecay), ("epochs", epochs), ("batch", batch), ("image-size", imageSize), ("preprocess", preprocess),
            ("seed", seed),
        ]
        let named = flags.compactMap { name, value in value.map { (name: name, value: $0) } }
        try RecipeField.apply(named + Self.pairs(settings, flag: "--set"), to: &chosen, source: "--set")
        return chosen
    }

    /// What a library published beside the checkpoint to start from, where the user says nothing else.
    private func adoptingPreprocess(_ chosenRecipe: Recipe) throws -> Recipe {
        var recipe = chosenRecipe
        let isSaid = preprocess != nil || self.recipe != nil || config != nil || settings.contains { $0.hasPrefix("preprocess=") }
        if modelOptions.preset != nil, isSaid || recipe.scratch != nil {
            throw ValidationError("--preset serves a checkpoint to start from; where the preprocessing is said otherwise, leave it out")
        }
        guard preprocess == nil, self.recipe == nil, config == nil, recipe.preprocess == Recipe().preprocess,
            FileManager.default.fileExists(atPath: recipe.initialisation),
            !settings.contains(where: { $0.hasPrefix("preprocess=") })
        else { return recipe }
        var loaded = try modelOptions.load(recipe.initialisation, head: .fresh(classes: 2)).model
        loaded.report.metadata[Preprocess.metadataKey] = nil
        let chosen = try ChosenPreprocess(for: loaded, given: nil, preset: modelOptions.preset)
        guard chosen.source != .assumed, let size = chosen.preprocess.size else { return recipe }
        if imageSize == nil { recipe.imageSize = size }
        recipe.preprocess =
            recipe.imageSize == size
            ? chosen.preprocess.description
            : chosen.preprocess.description.split(separator: ":").filter { !$0.allSatisfy { $0.isNumber || $0 == "," } }.joined(
                separator: ":")
        if !quiet { complain("preprocessing \(recipe.preprocess) (\(chosen.source)); --preprocess changes it") }
        return recipe
    }

    static func pairs(_ texts: [String], flag: String) throws -> [(name: String, value: String)] {
        try texts.map { text in
            guard let mark = text.firstIndex(of: "=") else { throw ValidationError("\(flag) \(text): write name=value") }
            return (String(text[..<mark]), String(text[text.index(after: mark)...]))
        }
    }

    /// The images, and what is to be said of how they were found.
    private func trainingSet(_ recipe: Recipe) throws -> (set: TrainingSet, notes: [DataNote]) {
        let given = Dictionary(try Self.pairs(dataOptions, flag: "--data-option").map { ($0.name, $0.value) }) { $1 }
        func contents(_ path: String) throws -> DatasetContents {
            let kind = Datasets.kind(of: path)
            return try Datasets.open(kind, path: path, options: given).contents()
        }
        let own = try contents(data!)
        let more = try validation.map { try contents($0) }
        if let more, more.classNames != own.classNames {
            throw TrainingError.differentClasses(training: own.classNames, validation: more.classNames)
        }
        let set = try TrainingSet(
            samples: own.samples, classNames: own.classNames, positiveLabel: own.positiveLabel, validation: more?.samples ?? [],
            validationShare: recipe.validationShare, testShare: recipe.testShare, splitSeed: recipe.splitSeed)
        return (set, own.notes + (more?.notes ?? []) + set.notes)
    }

    /// The weights to begin with, and what is to be said of them: what was taken of a checkpoint, and what was not.
    private func startingModel(
        _ recipe: Recipe, classes: Int, imageSize: Int, preprocess: Preprocess
    ) throws -> (model: VisionTransformer, report: [String]) {
        if let weights = recipe.scratch {
            let configuration = try ModelPresets.configuration(recipe.model, imageSize: imageSize, classes: classes)
            return (
                VisionTransformer.scratch(configuration, seed: recipe.seed, weights: weights),
                ["\(weights.rawValue): \(recipe.model), random weights of seed \(recipe.seed)"]
            )
        }
        if ["sup", "dino", "mae"].contains(recipe.initialisation) {
            throw TrainingError.needsCheckpoint(recipe: recipe.name, initialisation: recipe.initialisation)
        }
        let loaded = try modelOptions.load(recipe.initialisation, head: .fresh(classes: classes)).model
        let model = loaded.model.withFreshHead(classes: classes, seed: recipe.seed)
        let headCount = model.parameters.filter { $0.info.name.hasPrefix("head") }.reduce(0) { $0 + $1.tensor.count }
        let c = model.configuration
        var lines = [
            "\(loaded.report.path): \(loaded.report.family.rawValue), \(c.depth) blocks of width \(c.width), patch \(c.patchSize); "
                + "\(model.parameterCount - headCount) values taken, a new head of \(headCount)"
        ]
        lines += loaded.report.unusedKeys.map { "not taken: \($0.key) (\($0.reason))" } + loaded.report.notes
        if let assumptions = ModelOptions.assumptions(loaded.report.facts) { lines.append("\(loaded.report.path): \(assumptions)") }
        let sides = imageSize / c.patchSize
        if c.hasPositionEmbedding && c.positionGrid != PatchGrid(rows: sides, columns: sides) {
            lines.append("positions resampled from \(c.positionGrid) to \(sides)x\(sides) (\(c.positionResampling.rawValue))")
        }
        if self.model != nil || recipe.keptEpoch != nil {
            let asked = try? ModelPresets.configuration(recipe.model, imageSize: imageSize, classes: classes)
            if asked.map({ ($0.depth, $0.width, $0.patchSize) != (c.depth, c.width, c.patchSize) }) ?? true {
                lines.append("note: the model is the checkpoint's, not \(recipe.model)")
            }
        }
        if let saved = loaded.report.metadata[Preprocess.metadataKey], saved != preprocess.description {
            lines.append("note: the checkpoint was trained with preprocessing \(saved), this run uses \(preprocess)")
        }
        return (model, lines)
    }

    /// Versions and inputs, without anything that differs between a run and its continuation.
    private func provenance(_ recipe: Recipe) throws -> String {
        var files = recipe.scratch != nil ? [:] : ["init": try sha256(ofFile: recipe.initialisation)]
        files["adapter"] = modelOptions.adapter.flatMap { AdapterFile.sha256($0) }
        var options = ["data": data!, "recipe": recipe.name]
        for (setting, text) in modelOptions.settings { options[setting.rawValue] = text }
        if let validation { options["validation"] = validation }
        return try JSON.line(Provenance(files: files, options: options))
    }

    // MARK: Output

    /// What `--resume` found.
    private static func standing(_ trainer: Trainer) -> String {
        if trainer.imagesLeft == 0 { return "the training is finished; its report is written again" }
        let (epochs, steps) = trainer.position
        return epochs == 0 && steps == 0
            ? "no checkpoint to resume; the run starts from its beginning" : "going on after \(epochs) epochs and \(steps) steps"
    }

    private static func printRecipes() {
        let fields = ["optimizer", "learning-rate", "momentum", "weight-decay", "epochs", "batch", "preprocess", "model"]
        let columns = ["recipe", "init"] + fields + ["kept epoch in the study"]
        let rows = Recipe.study.map { recipe in
            [recipe.name, recipe.initialisation] + fields.map { name in RecipeField.all.first { $0.name == name }!.get(recipe) }
                + [recipe.keptEpoch.map(String.init) ?? ""]
        }
        let widths = columns.indices.map { i in ([columns] + rows).map { $0[i].count }.max()! }
        for row in [columns] + rows {
            print(zip(row, widths).map { $0.padding(toLength: $1 + 2, withPad: " ", startingAt: 0) }.joined())
        }
    }

    static func line(_ record: EpochRecord, of epochs: Int) -> String {
        var text =
            "epoch \(record.epoch)/\(epochs): training loss \(number(record.trainingLoss)), accuracy \(number(record.trainingAccuracy))"
        if let v = record.validation {
            text += "; validation loss \(number(v.loss))"
            if let balanced = v.balancedAccuracy { text += ", balanced accuracy \(number(balanced))" }
            if let auroc = v.auroc { text += ", AUROC \(number(auroc))" }
        }
        return text + String(format: "; %.2f images/s", record.imagesPerSecond) + (record.isBest ? "; kept" : "")
    }

    private static func line(_ m: ClassificationMetrics, split: String) -> String {
        let parts: [(String, Double?)] = [
            ("accuracy", m.accuracy), ("balanced accuracy", m.balancedAccuracy), ("AUROC", m.auroc), ("sensitivity", m.sensitivity),
            ("specificity", m.specificity),
        ]
        return "\(split) (\(m.count) images): loss \(number(m.loss))"
            + parts.compactMap { name, value in value.map { ", \(name) \(number($0))" } }.joined()
    }

    private static func number(_ value: Double) -> String { String(format: "%.4f", value) }
}

extension ExitCode {
    /// Asked to stop by a signal, after a checkpoint.
    static let stopped = ExitCode(4)
}
