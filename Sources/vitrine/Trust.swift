import ArgumentParser
import Foundation
import VitrineEvaluate
import VitrineExplain
import VitrineStudy

/// `vitrine trust`: which explanations deserve trust, of one model on its images, or on planted truth.
struct Trust: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures which explanations, and which metrics, deserve trust.",
        discussion: """
            --model judges the maps of one checkpoint on --data: whether they point at the lesion, were used by the network, depend on what \
            it learnt and on the class, and stay under invisible noise; each with an interval, a test adjusted for all others, and one of shown, \
            not shown, shown to fail. DIR holds the study file, its results, from which the same command goes on, and the report.

            --phantoms trains small networks on phantoms until they provably use the planted cause: drawn without it, the same picture is \
            called otherwise on at least 95 % of the images, drawn without anything else on at most 5 %. Then it scores every method \
            against what the network used, and every metric that asks the network against these scores. What a network that does not \
            pass says is not scored. DIR holds trust.html, trust.json, trust.csv, metrics.csv and the networks; what it holds is not computed \
            again.

            Exit code 3: some network did not pass; 4: stopped by a signal, and the same command goes on.
            """)

    @OptionGroup(title: "One model and its images") var judged: TrustModelOptions

    @OptionGroup(title: "Phantoms, whose cause is planted") var phantom: TrustPhantomOptions

    @Option(
        name: .customLong("method"), parsing: .upToNextOption,
        help: ArgumentHelp(
            "Methods, family:NAME or all. (default: with --model \(VerdictStudy.standardMethods.joined(separator: ", ")); with --phantoms every method, with few draws)",
            valueName: "METHOD"))
    var methods: [String] = []

    @Option(
        name: .customLong("metric"), parsing: .upToNextOption,
        help: ArgumentHelp(
            "Metrics, family:NAME, all or none: with --model beside those of the cards, with --phantoms those that are compared with the planted truth. (default: with --phantoms faithfulness, stability and randomisation, with few draws)",
            valueName: "METRIC"))
    var metrics: [String] = []

    @Option(help: "Images whose maps are scored: of the data, or of each task.")
    var images: Int = TrustSettings().images

    @Option(help: "Seed of every random draw.")
    var seed: UInt64 = 0

    @Option(help: "Worker threads (default: one per core). Results do not depend on it.")
    var workers: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "No progress.")
    var quiet = false

    @Option(name: [.customLong("output"), .customShort("o")], help: "Folder for the results; made if missing.", completion: .directory)
    var output: String

    func validate() throws {
        guard phantom.phantoms != (judged.model != nil) else {
            throw ValidationError(
                phantom.phantoms
                    ? "--phantoms and --model: measure on one of them" : "say what to measure on: --model with --data, or --phantoms")
        }
        for (name, value) in [("images", images), ("workers", workers)] where value < 1 {
            throw ValidationError("--\(name) must be at least 1")
        }
    }

    func run() throws {
        if let model = judged.model { try judge(model) } else { try measureOnPhantoms() }
    }
}
