import ArgumentParser
import Foundation
import Synchronization
import VitrineEvaluate
import VitrineExplain
import VitrineStudy

extension Trust {
    /// The mode `--phantoms`.
    func measureOnPhantoms() throws {
        let tasks = try (self.tasks.isEmpty ? TrustTask.standard : self.tasks).map { try TrustTask($0) }
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
        var settings = TrustSettings()
        (settings.count, settings.epochs, settings.rounds) = (count, epochs, rounds)
        (settings.checked, settings.images, settings.audited, settings.seed) = (checked, images, audited, seed)
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
        print(TrustTable(result).text)
        print("\(output)/trust.csv, trust.json" + (result.metrics.isEmpty ? "" : ", metrics.csv"))
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
