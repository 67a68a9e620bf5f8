import ArgumentParser
import Foundation
import Synchronization
import VitrineImage
import VitrineReport
import VitrineStudy
import VitrineTensor
import VitrineTrain

struct Study: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evaluates methods over data sets, models and metrics: one file, one command, results that can be continued.",
        subcommands: [
            StudyInit.self, StudyRun.self, StudyTrain.self, StudyStatus.self, StudyMerge.self, StudyReport.self, StudySlurm.self,
        ])
}

struct StudyInit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Writes a commented study file to begin with.",
        discussion: "Presets:\n" + StudyPreset.all.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n"))

    @Option(help: "\(StudyPreset.all.map(\.name).joined(separator: "|"))")
    var preset: String = "minimal"

    @Option(name: [.customLong("output"), .customShort("o")], help: "The file to write.")
    var output: String = "study.yaml"

    @Flag(help: "Replace the file if it exists.")
    var force = false

    func validate() throws {
        guard StudyPreset.all.contains(where: { $0.name == preset }) else {
            throw ValidationError("there is no preset '\(preset)'; there are \(StudyPreset.all.map(\.name).joined(separator: ", "))")
        }
    }

    func run() throws {
        guard let text = StudyPreset.all.first(where: { $0.name == preset })?.text else { return }
        if FileManager.default.fileExists(atPath: output) && !force {
            throw CommandFailure("\(output) exists; name another file with --output, or replace it with --force")
        }
        try AtomicFile.write(Array(text.utf8), to: output)
        print("\(output) written; edit its paths, then: vitrine study run \(output) --dry-run")
    }
}

struct StudyRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Computes what is not stored yet, and stores it.",
        discussion: """
            The results stand in OUTPUT/results.sqlite (a shard's in OUTPUT/results-I-of-N.sqlite), the file with all overrides and defaults in \
            OUTPUT/study.resolved.yaml. Whatever is stored is not computed again: the same command continues after an interruption of any kind. \
            Models under 'train' are trained first, into OUTPUT/trained, and reused.

            Exit code 3: something is damaged or missing; it was recorded, and the rest was done. SIGTERM and SIGUSR1 end the run with exit \
            code 4, a training after a checkpoint.
            """)

    @Argument(help: "The study file.")
    var file: String

    @Argument(help: "Overrides, such as seed=1 or datasets.kvasir.path=data/kvasir; list items are numbered from 0, values are YAML.")
    var overrides: [String] = []

    @Option(
        help: "Computes the I-th of N slices, as I/N, into a file of its own; vitrine study merge joins them.",
        transform: { text in
            guard let shard = StudyShard(text) else { throw ValidationError("'\(text)' is no I/N with I in 1...N, such as 2/4") }
            return shard
        })
    var shard: StudyShard = .whole

    @Option(help: "Worker threads (default: the study file's, else one per core). Results do not depend on it.")
    var workers: Int?

    @Flag(name: .customLong("dry-run"), help: "Prints what would be done and an estimate of the time, and does nothing.")
    var dryRun = false

    @Flag(help: "No progress.")
    var quiet = false

    func validate() throws {
        if let workers, workers < 1 { throw ValidationError("--workers must be at least 1") }
    }

    func run() throws {
        let plan = try StudyPlan.read(file, overrides: overrides)
        let threads = workers ?? plan.file.threads
        if dryRun { return try describe(plan, workers: threads) }

        let store = try StudyRunner.openStore(plan, folder: plan.output, shard: shard)
        try AtomicFile.write(Array(plan.file.resolved.utf8), to: plan.output + "/study.resolved.yaml")
        var runner = StudyRunner(plan: plan, store: store)
        runner.shard = shard
        runner.workers = threads
        let progress = Progress(total: runner.unitCount, unit: "images x models", isQuiet: quiet)
        runner.advance = { if $0 > 0 { progress.advance(by: $0) } }
        runner.news = TrainingNews(isQuiet: quiet).show
        let signals = StopSignals()
        runner.shouldStop = { signals.isStopped }
        do { try runner.run() } catch let stop as StudyInterruption {
            complain("\(stop)")
            throw ExitCode.stopped
        }
        let failures = try store.failures()
        try store.close()
        for failure in failures.prefix(20) { complain(failure.message) }
        if failures.count > 20 { complain("... and \(failures.count - 20) more; see vitrine study status") }
        if !quiet { complain("results in \(store.path)") }
        if !failures.isEmpty { throw ExitCode.someItemsFailed }
    }

    private func describe(_ plan: StudyPlan, workers: Int) throws {
        let estimate = try plan.estimate()
        for part in estimate.parts {
            var line = "\(part.dataset): \(part.scored) images explained and scored"
            if part.predicted > 0 { line += ", \(part.predicted) only classified" }
            line += ", \(part.models) models"
            if let seconds = part.secondsPerExplained { line += "; \(Self.format(seconds)) s per explained image and model" }
            if part.models > 0 && part.secondsPerExplained == nil { line += "; no model could be loaded, so its time is unknown" }
            print(line)
        }
        for training in estimate.trainings {
            var line = "\(training.dataset) / \(training.model): "
            line += training.isFinished ? "trained already" : "to be trained"
            line += ", recipe \(training.recipe), from \(training.start), \(training.trainingImages) images and "
            line += "\(training.validationImages) to validate on, \(training.epochs) epochs"
            if !training.isFinished {
                line += training.secondsPerTraining.map { "; \(Self.format($0)) s per image" } ?? "; its model does not load"
            }
            print(line)
        }
        let methods = plan.store.methods.map { $0.isControl ? "\($0.name) (control)" : $0.name }
        print("methods: \(methods.joined(separator: ", "))")
        print(
            "metrics: \(plan.file.metrics.joined(separator: ", ")); protocols: \(plan.file.protocols.map(\.rawValue).joined(separator: ", "))"
        )
        print("\(estimate.units) units (images x models, and images x controls), \(estimate.scores) scores")
        if let bytes = estimate.mapBytes { print("stored maps: \(bytes / 1_000_000 + 1) MB") }
        let trainings = estimate.trainingSeconds / Double(workers)
        let seconds = trainings + (estimate.seconds - estimate.trainingSeconds) / Double(workers * shard.count)
        if trainings > 0 { print("trainings: about \(Progress.duration(trainings))") }
        print("about \(Progress.duration(seconds)) with \(workers) workers\(shard.count > 1 ? ", for each of \(shard.count) shards" : "")")
    }

    private static func format(_ seconds: Double) -> String { String(format: "%.3f", seconds) }
}

struct StudyTrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Trains the models of a study and does nothing else; the run then reuses them.",
        discussion: """
            A run does this by itself. Before shards on several machines it saves them from waiting for the one that trains.

            Exit code 3: a model could not be trained; 4: stopped by a signal after a checkpoint, and the same command goes on.
            """)

    @Argument(help: "The study file.")
    var file: String

    @Argument(help: "Overrides, as for vitrine study run.")
    var overrides: [String] = []

    @Option(help: "Worker threads (default: the study file's, else one per core). Results do not depend on it.")
    var workers: Int?

    @Flag(help: "No progress.")
    var quiet = false

    func validate() throws {
        if let workers, workers < 1 { throw ValidationError("--workers must be at least 1") }
    }

    func run() throws {
        let plan = try StudyPlan.read(file, overrides: overrides)
        let signals = StopSignals()
        var trainer = StudyTrainer(plan: plan, results: plan.output)
        trainer.workers = workers ?? plan.file.threads
        trainer.shouldStop = { signals.isStopped }
        trainer.news = TrainingNews(isQuiet: quiet).show
        let problems: [String]
        do { problems = try trainer.trainAll() } catch let stop as StudyInterruption {
            complain("\(stop)")
            throw ExitCode.stopped
        }
        for problem in problems { complain(problem) }
        if !problems.isEmpty { throw ExitCode.someItemsFailed }
    }
}

/// Shows how trainings go, one after the other.
private final class TrainingNews: Sendable {
    private let isQuiet: Bool
    private let progress = Mutex<Progress?>(nil)

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    @Sendable func show(_ news: StudyTrainingNews) {
        switch news {
        case .began(let dataset, let model, let images):
            if !isQuiet { complain("training \(dataset) / \(model)") }
            progress.withLock { $0 = Progress(total: images, unit: "images", isQuiet: isQuiet) }
        case .advanced(let images): progress.withLock { $0 }?.advance(by: images)
        case .epoch(let record, let epochs): if !isQuiet { complain(Train.line(record, of: epochs)) }
        }
    }
}

struct StudyStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows how far a study is and what failed.", discussion: "Exit code 3 when something failed.")

    @Argument(help: "The results: a .sqlite file, or the study's output folder.")
    var results: String

    @Flag(help: "Also print the checksum of the content, which is the same for every way of running a study.")
    var digest = false

    func run() throws {
        let store = try Store.open(storePath(results))
        let progress = try store.progress()
        let names = Dictionary(uniqueKeysWithValues: try store.datasets().map { ($0.id, $0.name) })
        let models = Dictionary(uniqueKeysWithValues: try store.models().map { ($0.id, $0.kind == .none ? "(controls)" : $0.name) })
        let titles = progress.models.map { "\(names[$0.datasetID] ?? "") / \(models[$0.modelID] ?? "")" }
        let width = titles.map(\.count).max() ?? 0
        for (title, model) in zip(titles, progress.models) {
            print(
                title + String(repeating: " ", count: width - title.count) + "  \(model.done) of \(model.total)"
                    + (model.failed > 0 ? ", \(model.failed) failed" : ""))
        }
        print(
            "\(progress.done) of \(progress.total) done" + (progress.failed > 0 ? ", \(progress.failed) failed" : "")
                + (progress.isComplete ? "; complete" : "; run the study again to continue"))
        let failures = try store.failures()
        for failure in failures { print("\(failure.stage.rawValue): \(failure.message)") }
        if digest { print(try store.contentDigest()) }
        if !failures.isEmpty { throw ExitCode.someItemsFailed }
    }
}

struct StudyMerge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Joins the results of shards into one file.",
        discussion: "Shards may overlap or be unfinished; exit code 3 when units are missing or failed.")

    @Argument(help: "The shards' .sqlite files.")
    var shards: [String]

    @Option(name: [.customLong("output"), .customShort("o")], help: "The file to write; must not exist.")
    var output: String

    func validate() throws {
        if shards.isEmpty { throw ValidationError("name the shards' files") }
    }

    func run() throws {
        if FileManager.default.fileExists(atPath: output) { throw CommandFailure("\(output) exists; name another file") }
        let store = try Store.merge(shards, into: output)
        let progress = try store.progress()
        try store.close()
        print("\(output): \(progress.done) of \(progress.total) units, \(progress.failed) failed")
        if !progress.isComplete || progress.failed > 0 { throw ExitCode.someItemsFailed }
    }
}

struct StudySlurm: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slurm", abstract: "Writes a shell script that hands a study to Slurm.",
        discussion: """
            Run the script with bash in the folder where this command was run: it submits the trainings, an array of shards, and a job that \
            merges and writes the report into OUTPUT/report, each after the one before. Run it again to continue.
            """)

    @Argument(help: "The study file.")
    var file: String

    @Argument(help: "Overrides, as for vitrine study run.")
    var overrides: [String] = []

    @Option(help: "Slices of the study, each a job of the array.")
    var shards: Int = 8

    @Option(help: "Processors of each job.")
    var cpus: Int = 8

    @Option(help: "Memory of each job, as Slurm reads it.")
    var memory: String = "16G"

    @Option(help: "Time of each job, as Slurm reads it.")
    var time: String = "04:00:00"

    @Option(help: "Partition.")
    var partition: String?

    @Option(name: [.customLong("output"), .customShort("o")], help: "The file to write.")
    var output: String = "study.slurm"

    func validate() throws {
        if shards < 1 || cpus < 1 { throw ValidationError("--shards and --cpus must be at least 1") }
    }

    func run() throws {
        let plan = try StudyPlan.read(file, overrides: overrides)
        var script = SlurmScript(arguments: [file] + overrides, results: plan.output)
        script.shards = shards
        script.cpus = cpus
        script.memory = memory
        script.time = time
        script.partition = partition
        script.trains = plan.trainsModels
        try AtomicFile.write(Array(script.text.utf8), to: output)
        print("\(output) written; submit it with: bash \(output)")
    }
}

struct StudyReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Says what the scores are worth: one page, tables, figures.",
        discussion: """
            Writes DIR/report.html (one file that needs no network), scores.csv and scores.jsonl (a row per image, model, method, metric and \
            protocol), summary.csv (a row per cell), comparisons.csv (pairs, and methods against controls), tables.tex, figures/, and \
            timings.csv. All but the last depend on the results alone, byte for byte.

            Pictures are read again from the study's data sets; an image that has changed is not shown. Exit code 3 when the study is not whole.
            """)

    @Argument(help: "The results: a .sqlite file, or the study's output folder.")
    var results: String

    @Option(name: [.customLong("output"), .customShort("o")], help: "Folder for the report; made if missing.")
    var output: String

    @Option(
        help: "\(ColorMap.allCases.map(\.rawValue).joined(separator: "|")); the study drew jet, whose lightness misleads.",
        transform: { text in
            guard let map = ColorMap(rawValue: text) else {
                throw ValidationError("'\(text)' is none of \(ColorMap.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return map
        })
    var colormap: ColorMap = .viridis

    @Option(help: "Best, worst and random images of every data set in the gallery; 0 for none.")
    var gallery: Int = 3

    @Option(help: "Bootstrap resamples, sign flips.")
    var resamples: Int = 10_000

    @Option(
        name: .customLong("study-folder"), help: "The folder that paths in the study file start from (default: found from the results).")
    var studyFolder: String?

    @Flag(help: "Also write every stored map as .npy, at its native resolution.")
    var maps = false

    @Option(help: "Worker threads (default: one per core). Results do not depend on it.")
    var workers: Int = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        if gallery < 0 { throw ValidationError("--gallery must not be negative") }
        if resamples < 100 { throw ValidationError("--resamples must be at least 100") }
        if workers < 1 { throw ValidationError("--workers must be at least 1") }
    }

    func run() throws {
        let store = try Store.open(storePath(results))
        var report = Report()
        report.resamples = resamples
        report.workers = workers
        report.colorMap = colormap
        report.galleryImages = gallery
        report.writesMaps = maps
        report.studyFolder = studyFolder
        let answer = try report.write(store, to: output)
        print(answer.question)
        for sentence in answer.sentences { print(sentence) }
        complain("report in \(output)/report.html")
        let progress = try store.progress()
        if !progress.isComplete || progress.failed > 0 { throw ExitCode.someItemsFailed }
    }
}

/// The store that an argument names: the file itself, or `results.sqlite` in a folder.
func storePath(_ argument: String) -> String {
    guard FileCollection.isFolder(argument) == true else { return argument }
    return argument + (argument.hasSuffix("/") ? "" : "/") + StudyShard.whole.fileName
}
