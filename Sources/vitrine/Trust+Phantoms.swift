import ArgumentParser
import Foundation
import Synchronization
import VitrineEvaluate
import VitrineExplain
import VitrineReport
import VitrineStudy

/// What `vitrine trust` measures besides a model: networks trained on phantoms.
struct TrustPhantomOptions: ParsableArguments {
    @Flag(help: "Measure on phantoms.")
    var phantoms = false

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Tasks of vitrine phantom, with options such as two-causes:size=0.5,contrast=0.8,number=2, or colon:shortcut=scope-box. (default: \(TrustTask.standard.joined(separator: " ")))",
            valueName: "TASK"))
    var tasks: [String] = []

    @Option(help: "Phantoms of each task that a round of training sees. (default: \(TrustSettings().count))")
    var count: Int?

    @Option(help: "Epochs of a round. (default: \(TrustSettings().epochs))")
    var epochs: Int?

    @Option(help: "Rounds of training at most. (default: \(TrustSettings().rounds))")
    var rounds: Int?

    @Option(help: "Positive images on which the counterfactual check is made. (default: \(TrustSettings().checked))")
    var checked: Int?

    @Option(help: "Of --images, images on which metrics are asked. (default: \(TrustSettings().audited))")
    var audited: Int?

    func validate() throws {
        let numbers = [("count", count), ("epochs", epochs), ("rounds", rounds), ("checked", checked), ("audited", audited)]
        if !phantoms, let other = tasks.isEmpty ? numbers.first(where: { $0.1 != nil })?.0 : "tasks" {
            throw ValidationError("--\(other) needs --phantoms")
        }
        if let count, count < 20 || count % 2 != 0 { throw ValidationError("--count \(count): ask for an even number, 20 or more") }
        for (name, value) in numbers { if let value, value < 1 { throw ValidationError("--\(name) must be at least 1") } }
    }

    var settings: TrustSettings {
        var settings = TrustSettings()
        if let count { settings.count = count }
        if let epochs { settings.epochs = epochs }
        if let rounds { settings.rounds = rounds }
        if let checked { settings.checked = checked }
        if let audited { settings.audited = audited }
        return settings
    }
}

extension Trust {
    /// The mode `--phantoms`.
    func measureOnPhantoms() throws {
        let tasks = try (phantom.tasks.isEmpty ? TrustTask.standard : phantom.tasks).map { try TrustTask($0) }
        if let twice = Dictionary(grouping: tasks, by: \.folder).first(where: { $0.value.count > 1 }) {
            throw ValidationError("--tasks: '\(twice.value[0].name)' is there twice")
        }
        for text in methods where text != "all" && !text.hasPrefix("family:") { _ = try ConfiguredMethod(text) }
        let metrics =
            self.metrics == ["none"] ? [] : self.metrics.isEmpty ? TrustRun.standardMetrics : try MetricRegistry.expand(self.metrics)
        for name in metrics where try MetricRegistry.metric(name, protocol: .corrected).better == .none {
            throw ValidationError("--metric \(name): describes a map, and no end of it is better")
        }
        try OutputFolder.make(output)
        var settings = phantom.settings
        (settings.images, settings.seed) = (images, seed)
        var run = TrustRun(
            tasks: tasks, settings: settings, methods: methods.isEmpty ? TrustRun.standardMethods : methods, metrics: metrics,
            output: output)
        let signals = StopSignals()
        run.workers = workers
        run.shouldStop = { signals.isStopped }
        run.news = TrustNews(isQuiet: quiet).show
        let result: TrustResult
        do { result = try run.run() } catch let stop as StudyInterruption {
            complain("\(stop)")
            throw ExitCode.stopped
        }
        let table = TrustTable(result)
        let facts =
            "Vitrine \(Provenance.version); vitrine trust --phantoms: \(settings.count) phantoms and \(settings.epochs) epochs a round, "
            + "\(settings.checked) positives checked, \(settings.images) images scored and metrics asked on \(settings.audited) of them in each "
            + "task; seed \(settings.seed)"
        try table.page(facts: facts).write(to: output + "/trust.html")
        let compared = result.metrics.map {
            PlantedTruth.Metric(name: $0.name, correlation: $0.correlation, lower: $0.lower, upper: $0.upper, tasks: $0.tasks)
        }
        let proven = result.tasks.filter { !$0.methods.isEmpty }.map(\.name)
        if !compared.isEmpty {
            try PlantedTruth(provenance: "\(facts); tasks \(proven.joined(separator: ", "))", metrics: compared).write(to: output)
        }
        print(table.text)
        print("\(output)/trust.html, trust.csv, trust.json" + (result.metrics.isEmpty ? "" : ", metrics.csv, metrics.json"))
        if result.tasks.contains(where: { !$0.check.passes }) { throw ExitCode.someItemsFailed }
    }
}

/// Shows how a trust run goes.
private final class TrustNews: Sendable {
    private let isQuiet: Bool
    private let progress = Mutex<Progress?>(nil)

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    @Sendable func show(_ news: TrustRun.News) {
        switch news {
        case .model(.training(let task, let round, let images)):
            if !isQuiet { complain("\(task): training, round \(round)") }
            begin(images, "images")
        case .model(.advanced(let images)): progress.withLock { $0 }?.advance(by: images)
        case .model(.checked(let task, let round, let check)):
            guard !isQuiet else { return }
            complain(
                "\(task): round \(round): "
                    + (check.passes ? "the network provably uses the cause" : check.faults.joined(separator: "; ")))
        case .scoring(let task, let images):
            if !isQuiet { complain("\(task): scoring maps") }
            begin(images, "images")
        case .scored: progress.withLock { $0 }?.advance()
        case .done: progress.withLock { $0 }?.clear()
        }
    }

    private func begin(_ total: Int, _ unit: String) {
        progress.withLock { $0 = Progress(total: total, unit: unit, isQuiet: isQuiet) }
    }
}
