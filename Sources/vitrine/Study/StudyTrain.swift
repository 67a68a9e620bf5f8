import ArgumentParser
import VitrineStudy

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
