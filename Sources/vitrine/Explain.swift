import ArgumentParser
import Foundation
import VitrineData
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineStudy
import VitrineTensor

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draws explanations of a model's decision about images.",
        discussion: """
            Writes for every image and method DIR/<name>.<method>.npy (Float32, as displayed), .grid.npy (raw, native resolution) and .png \
            (overlay), and says what the model answers. Folders are searched at any depth and their tree is mirrored in DIR. \
            DIR/results.jsonl has a line with the provenance of the run, then one per image and method; a second run adds to it, and a map \
            made again replaces its line.

            --stability explains each image ten more times under noise that no eye sees: a map that does not resemble itself (below \
            \(Stability.doubtful)) is noise; it is named at the end and on its picture. On trained models chefer, lrp-rollout and above all \
            lrp-full may be: use chefer-stable, or look at --stability.

            Methods (options after a colon, such as attention:block=3,head=2; all, or family:NAME, stands for every method the model can serve):
            \(HelpText.list(Method.all.map { ($0.identifier, $0.summary + ($0.options.isEmpty ? "" : " [\($0.options)]")) }))
            """)

    @Option(help: "Checkpoint: safetensors, .pth, .pt or .bin.", completion: .file(extensions: HelpText.checkpoints))
    var model: String

    @Option(
        name: .customLong("image"), parsing: .upToNextOption,
        help: "Images, folders, patterns, or CSV files with a column image; an .npy of 3 x H x W is taken as already preprocessed.",
        completion: .file())
    var images: [String]

    @Option(
        name: .customLong("method"), parsing: .upToNextOption, help: "Methods, see above.",
        completion: .list(Method.all.map(\.identifier)))
    var methods: [String]

    @Option(
        name: .customLong("target"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Class to explain: its index from 0, its name if the checkpoint knows it, or predicted (default); contrast: what sets the predicted class apart from its nearest neighbours, contrast:CLASS another. Given more than once, every class-specific method explains each, as METHOD:target=CLASS.",
            valueName: "class"))
    var targets: [String] = []

    @Option(
        name: .customLong("target-expression"), parsing: .unconditional,
        help: "Explain a linear function of the logits instead, such as 'y1 - 0.5 y0 - 0.5 y2'.")
    var targetExpression: String?

    @Option(
        help:
            "\(PreprocessGeometry.all.map(\.name).joined(separator: "|")), or in full, such as resize:224:imagenet (default: what the checkpoint names, else resize)."
    )
    var preprocess: String?

    @OptionGroup(title: "Model options") var modelOptions: ModelOptions

    @Option(help: "Images per batch.")
    var batch: Int = 1

    @Option(help: "Worker threads (default: one per core). Results do not depend on it.")
    var workers: Int = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: "Seed of every random draw, together with the image's name.")
    var seed: UInt64 = 0

    @Flag(help: "Also measure each map's stability under invisible noise (half a grey level, ten draws).")
    var stability = false

    @OptionGroup(title: "Picture options") var overlayOptions: OverlayOptions

    @Flag(
        help: """
            Leave out of the pictures the patches whose token stands out by its norm, which the audit counts as outlier-patches; arrays keep \
            them.
            """)
    var hideOutliers = false

    @Flag(help: "Also draw the standard error of methods that estimate it, as <name>.<method>.error.png.")
    var errors = false

    @Flag(help: "Leave out images that an equal run has finished in the folder; a stopped run goes on where it was.")
    var resume = false

    @Flag(help: "No progress, and no line per image.")
    var quiet = false

    @Option(
        name: [.customLong("output"), .customShort("o")], help: "Folder for the results; made if missing.", completion: .directory)
    var output: String

    func validate() throws {
        guard batch > 0, workers > 0 else { throw ValidationError("--batch and --workers must be at least 1") }
        for target in targets where target.hasPrefix("-") { throw ValidationError("--target \(target): class indices start at 0") }
        guard Set(targets).count == targets.count else { throw ValidationError("--target: names a class twice") }
        guard preprocess == nil || modelOptions.preset == nil else { throw ValidationError("--preprocess and --preset: give one of them") }
        guard targetExpression == nil || targets.isEmpty || targets == ["predicted"] else {
            throw ValidationError("--target and --target-expression: give one of them")
        }
    }

    func run() throws {
        if let preprocess { _ = try Preprocess(parsing: preprocess, defaultSize: 224) }
        if methods.contains(StudyMethod.maskPriorName) {
            throw CommandFailure("--method mask-prior: looks at the masks of a whole data set, so it runs in a study alone (vitrine study)")
        }
        for text in methods where text != "all" && !text.hasPrefix("family:") { _ = try ConfiguredMethod(text) }
        let inputs = try InputImages(images, output: output)
        try OutputFolder.make(output)
        try CPU.selfTest()
        let (loaded, file) = try modelOptions.load(model)
        // Reading all of a large file takes as long as a map or two.
        let digest = Background { file.sha256() }
        // A process that ends under a thread at work crashes, and then an error ends otherwise than it says.
        defer { digest.wait() }
        let chosen = try chosenPreprocess(loaded)
        let target = try ExplainTarget(targets.first ?? "predicted", loaded, expression: targetExpression)
        var (configured, leftOut) = try ConfiguredMethod.expanded(methods, for: loaded.model.configuration)
        configured = try target.applied(to: configured, all: targets, loaded)
        for line in Words.leftOut(leftOut) { complain(line) }
        let assumptions = ModelOptions.assumptions(
            loaded.report.facts, preprocess: chosen.source == .assumed && inputs.needPreprocessing ? chosen.preprocess.description : nil)
        if let assumptions { complain("\(loaded.report.path): \(assumptions)") }
        // Facts are said above, where they were assumed; what is left is about the file.
        let facts = loaded.report.facts.map { "\($0.name): " }
        for note in loaded.report.notes where !facts.contains(where: note.hasPrefix) { complain("note: \(model): \(note)") }
        try refuseWhatNoImageCanMeet(loaded.model, configured, chosen.preprocess)
        let run = try ExplainRun(
            plan: ExplanationPlan(model: loaded.model.packing(), methods: configured, seed: seed), loaded: loaded,
            preparation: chosen.preprocess,
            target: target, modelName: model, overlay: overlayOptions, hidesOutliers: hideOutliers, output: output,
            measuresStability: stability, drawsErrors: errors,
            batch: batch, workers: workers, isQuiet: quiet, provenance: provenance(chosen, loaded), digest: digest)
        let signals = StopSignals()
        let failed: Int
        let recorded: Int
        do {
            (failed, recorded) = try run.explain(inputs.entries, resumes: resume, isStopped: { signals.isStopped })
        } catch is ExplanationStopped {
            complain("stopped; the same command with --resume goes on where it stopped")
            throw ExitCode.stopped
        }
        if !inputs.passedOver.isEmpty {
            complain(
                "\(Words.count(inputs.passedOver.count, "file", "files")) passed over, of formats that are not read: \(Words.some(inputs.passedOver)); convert them to PNG"
            )
        }
        if failed == inputs.entries.count && recorded == 0 { throw ExitCode.failure }
        if failed > 0 || !inputs.passedOver.isEmpty { throw ExitCode.someItemsFailed }
    }

    private func chosenPreprocess(_ loaded: LoadedModel) throws -> ChosenPreprocess {
        let choice: ChosenPreprocess
        do { choice = try ChosenPreprocess(for: loaded, given: preprocess, preset: modelOptions.preset) } catch {
            switch error {
            case .unsupported: throw CommandFailure("\(error) (--preprocess)")
            case .presetConflict: throw CommandFailure("\(error) (--preset, --preprocess)")
            default: throw error
            }
        }
        if case .preset = choice.source { complain("\(loaded.report.path): preprocessing \(choice.preprocess) (\(choice.source))") }
        if preprocess != nil, let own = try? ChosenPreprocess(for: loaded, given: nil, preset: nil), own.source != .assumed,
            own.preprocess != choice.preprocess
        {
            complain(
                "note: the checkpoint was trained with preprocessing \(own.preprocess); --preprocess \(choice.preprocess) overrides it")
        }
        return choice
    }

    /// Options that would fail for every image are refused once, before the first.
    private func refuseWhatNoImageCanMeet(_ model: VisionTransformer, _ methods: [ConfiguredMethod], _ preparation: Preprocess) throws {
        let patch = model.configuration.patchSize
        if let size = preparation.size, size % patch != 0 {
            let below = size / patch * patch
            throw CommandFailure(
                "--preprocess \(preparation): \(size) pixels are no multiple of the model's patch of \(patch); take "
                    + (below > 0 ? "\(below) or " : "") + "\(below + patch)")
        }
        for method in methods {
            do { _ = try method.explainer.needs(model.configuration) } catch { throw CommandFailure("--method \(method.name): \(error)") }
        }
    }

    private func provenance(_ chosen: ChosenPreprocess, _ loaded: LoadedModel) -> Provenance {
        var options = [
            "methods": methods.joined(separator: " "), "target": targets.first ?? "predicted", "preprocess": chosen.preprocess.description,
            "batch": "\(batch)",
            "workers": "\(workers)", "seed": "\(seed)", "stability": "\(stability)",
        ]
        options["preprocess-from"] = chosen.source.description
        options["target-expression"] = targetExpression
        for (setting, text) in modelOptions.settings { options[setting.rawValue] = text }
        if hideOutliers { options["hide-outliers"] = "true" }
        if targets.count > 1 { options["targets"] = targets.joined(separator: ", ") }
        for fact in loaded.report.facts { options["model: \(fact.name)"] = "\(fact.value) (\(fact.source))" }
        return Provenance(files: loaded.report.files, options: options)
    }
}
