import ArgumentParser
import Foundation
import Synchronization
import VitrineData
import VitrineEvaluate
import VitrineExplain
import VitrineImage
import VitrineStudy
import VitrineTensor

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Scores maps of any tool against masks, and by asking the model, each score beside its chance level and its ceiling.",
        discussion: """
            Maps are .npy files of height x width, at any depth; a map a.npy or a.method.npy belongs to the mask a.png, a.jpg, a.tif or \
            a.npy, one in a folder p1 to the mask in the folder p1. A map without a mask, a size that differs or an empty mask gives a row \
            with a status, and exit code 3 at the end.

            Metrics of localisation need --masks; metrics of faithfulness, stability and randomisation need --model and --images, and those \
            that ask the method again also a folder that vitrine explain wrote. 'all' and 'family:NAME' stand for many \
            (\(MetricFamily.allCases.map(\.rawValue).joined(separator: ", "))).

            Maps of vitrine explain are scored as in a study: from their .grid.npy and the rule that displays it, so that chance exchanges \
            the places of patches. Maps of other tools are scored as displayed, and chance exchanges pixels; the column map says which.

            The table gives the mean over the images where the metric is defined, with a 95 % interval (BCa bootstrap) over images, or over \
            patients with --labels.

            Metrics:
            \(HelpText.list(MetricRegistry.all.map { ($0.facts.identifier, $0.facts.summary + ($0.facts.options.isEmpty ? "" : " [\($0.facts.options.joined(separator: "|"))]")) }))
            """)

    @Option(help: "Folder of maps.", completion: .directory)
    var maps: String

    @Option(help: "Folder of masks.", completion: .directory)
    var masks: String?

    @Option(
        help: "Checkpoint of the model behind the maps, for metrics that ask it.", completion: .file(extensions: HelpText.checkpoints))
    var model: String?

    @Option(help: "Folder of the images behind the maps, for metrics that ask the model.", completion: .directory)
    var images: String?

    @Option(
        help:
            "Class that the maps explain: its index, its name, or predicted (default: what the folder's results.jsonl names, else predicted)."
    )
    var target: String?

    @OptionGroup(title: "Model options") var modelOptions: ModelOptions

    @Option(
        name: .customLong("metric"), parsing: .upToNextOption, help: "Metrics, such as pointing-game or iou@5.",
        completion: .list(MetricRegistry.all.map { $0.facts.identifier.replacing("@K", with: "@10") }))
    var metrics: [String]

    @Option(name: .customLong("protocol"), help: "study or corrected.", completion: .list(EvaluationProtocol.allCases.map(\.rawValue)))
    var rules: EvaluationProtocol = .corrected

    @Option(name: .customLong("mask-rule"), help: "Which mask values are lesion: \(MaskRule.summary).")
    var maskRule: MaskRule = .positive

    @Option(
        help:
            "Preprocessing that brings images and their masks to the maps' view, such as resize:224 (default: what results.jsonl or the checkpoint names)."
    )
    var preprocess: String?

    @Option(
        name: .customLong("mask-frame"),
        help: "Whether masks lie on the images as stored or on the network's view (default: told by their sizes where these differ).")
    var maskFrame: MaskFrame?

    @Option(help: "CSV file with the columns image and patient: intervals are then over patients.", completion: .file(extensions: ["csv"]))
    var labels: String?

    @Option(help: "Seed of the permutations behind chance levels, and of the bootstrap.")
    var seed: UInt64 = 0

    @Option(help: "Worker threads (default: one per core). Results do not depend on it.")
    var workers: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "No progress.")
    var quiet = false

    @Option(name: [.customLong("output"), .customShort("o")], help: "CSV file for the scores.", completion: .file(extensions: ["csv"]))
    var output: String

    func validate() throws {
        guard workers > 0 else { throw ValidationError("--workers must be at least 1") }
        guard (model == nil) == (images == nil) else { throw ValidationError("--model and --images belong together: give both or neither") }
        guard modelOptions.preset == nil || model != nil else { throw ValidationError("--preset needs --model, whose images it prepares") }
        guard preprocess == nil || modelOptions.preset == nil else { throw ValidationError("--preprocess and --preset: give one of them") }
    }

    func run() throws {
        let evaluator = try Evaluator(MetricRegistry.expand(metrics), protocol: rules, seed: seed)
        for entry in evaluator.entries {
            if entry.metric is any LocalisationMetric, masks == nil {
                throw CommandFailure("metric '\(entry.metric.identifier)' compares with a mask; add --masks")
            }
            if entry.metric is any ModelMetric, model == nil {
                throw CommandFailure("metric '\(entry.metric.identifier)' asks the model; add --model and --images")
            }
        }
        try OutputFolder.check(file: output)
        var folder = try MapFolder(maps, preprocess: preprocess)
        let witnesses = try model.map {
            try MapWitnesses(
                model: modelOptions.load($0, otherwise: MapWitnesses.settings(folder)).model.packing(), images: images ?? "",
                target: target, preprocess: preprocess, preset: modelOptions.preset, maps: folder,
                seed: seed)
        }
        // Maps of another tool say nothing of the images' way to the network; the model behind them may.
        if folder.explained == nil, let witnesses { folder.assume(witnesses.preprocess) }
        let maskFolder = try masks.map { try MaskFolder($0, rule: maskRule, frame: maskFrame, images: folder.files.map(\.name)) }
        let patients = try labels.map { try PatientTable($0) }
        let progress = Progress(total: folder.files.count, unit: "maps", isQuiet: quiet)
        let outcomes = Mutex<[Int: MapScores]>([:])
        let signals = StopSignals()
        // Maps of one image go to one worker, so that what is asked about the image is asked once.
        let groups = Dictionary(grouping: folder.files.indices) { i in
            evaluator.needsWitness ? witnesses?.key(folder.files[i], in: folder) ?? "" : folder.files[i].path
        }.values.sorted { $0[0] < $1[0] }
        let scored = folder
        try parallelFor(groups.count, workers: workers) { _, g in
            guard !signals.isStopped else { return }
            let watch = Watch(isStopped: { signals.isStopped })
            let questioned = evaluator.needsWitness ? witnesses?.image(of: scored.files[groups[g][0]], in: scored, watch) : nil
            let answer = questioned.map { image in Result { try image.get().logits() } }
            for i in groups[g] {
                let file = scored.files[i]
                let checked = questioned.map { image in
                    Result {
                        let image = try image.get()
                        try witnesses?.check(file, scored.line(file), image, answer?.get() ?? [])
                        return image
                    }
                }
                let outcome = MapScores(file, of: scored, on: maskFolder, checked, evaluator)
                guard !outcome.isStopped else { return }
                outcomes.withLock { $0[i] = outcome }
                progress.advance(failed: outcome.scores.isEmpty ? 1 : 0)
            }
        }
        let scores = outcomes.withLock { $0 }.sorted { $0.key < $1.key }.map(\.value)
        try patients?.check(scores.filter { !$0.scores.isEmpty }.map(\.image))
        let table = ScoreTable(entries: evaluator.entries, rules: rules, patients: patients)
        try AtomicFile.write(Array(table.csv(scores).utf8), to: output)
        print(try table.summary(scores, seed: seed, workers: workers))
        complainOnce(scores.flatMap { scores in scores.maskNotes.map { (scores.maskFile, $0) } })
        for line in MapScores.problems(scores, maskFolder: masks ?? "") + MapScores.notes(scores) { complain(line) }
        if scores.count < folder.files.count {
            complain(
                "stopped: \(output) holds the scores of \(scores.count) of \(folder.files.count) maps; the same command scores all of them")
            throw ExitCode.stopped
        }
        if scores.contains(where: { $0.problem != nil }) { throw ExitCode.someItemsFailed }
    }
}

extension EvaluationProtocol: ExpressibleByArgument {}
