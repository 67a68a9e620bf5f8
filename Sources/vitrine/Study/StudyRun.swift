import ArgumentParser
import Foundation
import Synchronization
import VitrineStore
import VitrineStudy
import VitrineTensor

struct StudyRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Computes what is not stored yet, and stores it.",
        discussion: """
            The results stand in OUTPUT/results.sqlite (a shard's in OUTPUT/results-I-of-N.sqlite), the file with all overrides and defaults in \
            OUTPUT/study.resolved.yaml. Whatever is stored is not computed again: the same command continues after an interruption of any kind. \
            Models under 'train' are trained first, into OUTPUT/trained, and reused.

            Exit code 3: something is damaged or missing; it was recorded, and the rest was done. SIGTERM, SIGUSR1, \
            Ctrl-C and a closed terminal end the run with exit code 4, a training after a checkpoint.
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
        for note in plan.notes where note.isLoss || !quiet { complain(note.text) }
        if dryRun { return try describe(plan, workers: threads) }
        if !quiet { for warning in plan.powerWarnings { complain("note: \(warning)") } }

        let store = try StudyRunner.openStore(plan, folder: plan.output, shard: shard)
        try AtomicFile.write(Array(plan.file.resolved.utf8), to: plan.output + "/study.resolved.yaml")
        var runner = StudyRunner(plan: plan, store: store)
        runner.shard = shard
        runner.workers = threads
        let progress = Progress(total: runner.unitCount, unit: "images x models", isQuiet: quiet)
        runner.advance = { if $0 > 0 { progress.advance(by: $0) } }
        runner.news = TrainingNews(isQuiet: quiet).show
        if !quiet {
            complain(
                "\(store.path): \(runner.unitCount) images x models\(shard == .whole ? "" : ", shard \(shard)"), "
                    + "\(threads) workers on \(ProcessInfo.processInfo.hostName)")
        }
        runner.changed = { complain($0) }
        runner.noted = { complain("note: \($0)") }
        let passes = Atomic<Int>(0)
        runner.passed = { passes.add($0, ordering: .relaxed) }
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
        if !quiet { complain("results in \(store.path); \(passes.load(ordering: .relaxed)) forward passes") }
        if !failures.isEmpty || plan.notes.contains(where: \.isLoss) { throw ExitCode.someItemsFailed }
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
        for warning in plan.powerWarnings { print("note: \(warning)") }
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
