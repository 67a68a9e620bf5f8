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
            pass says is not scored. DIR holds trust.json, trust.csv and metrics.csv, and the networks; what it holds is not computed \
            again.

            Exit code 3: some network did not pass; 4: stopped by a signal, and the same command goes on.
            """)

    @OptionGroup(title: "One model and its images") var judged: TrustModelOptions

    @Flag(help: "Measure on phantoms, whose cause is planted.")
    var phantoms = false

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Tasks of vitrine phantom, with options such as two-causes:size=0.5,contrast=0.8,number=2, or colon:shortcut=scope-box. (default: \(TrustTask.standard.joined(separator: " ")))",
            valueName: "TASK"))
    var tasks: [String] = []

    @Option(
        name: .customLong("method"), parsing: .upToNextOption,
        help: ArgumentHelp(
            "Methods, family:NAME or all. (default: methods that draw nothing at random, and the controls)", valueName: "METHOD"))
    var methods: [String] = []

    @Option(
        name: .customLong("metric"), parsing: .upToNextOption,
        help: ArgumentHelp(
            "Metrics to audit, family:NAME, or none. (default: faithfulness, stability and randomisation)", valueName: "METRIC"))
    var metrics: [String] = []

    @Option(help: "Phantoms of each task that a round of training sees.")
    var count: Int = TrustSettings().count

    @Option(help: "Epochs of a round.")
    var epochs: Int = TrustSettings().epochs

    @Option(help: "Rounds of training at most.")
    var rounds: Int = TrustSettings().rounds

    @Option(help: "Positive images on which the counterfactual check is made.")
    var checked: Int = TrustSettings().checked

    @Option(help: "Images of each task whose maps are scored.")
    var images: Int = TrustSettings().images

    @Option(help: "Of these, images on which metrics are asked.")
    var audited: Int = TrustSettings().audited

    @Option(help: "Seed of every random draw.")
    var seed: UInt64 = 0

    @Option(help: "Worker threads (default: one per core). Results do not depend on it.")
    var workers: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "No progress.")
    var quiet = false

    @Option(name: [.customLong("output"), .customShort("o")], help: "Folder for the results; made if missing.", completion: .directory)
    var output: String

    func validate() throws {
        guard phantoms != (judged.model != nil) else {
            throw ValidationError(
                phantoms ? "--phantoms and --model: measure on one of them" : "say what to measure on: --model with --data, or --phantoms")
        }
        guard count >= 20, count % 2 == 0 else { throw ValidationError("--count \(count): ask for an even number, 20 or more") }
        for (name, value) in [
            ("epochs", epochs), ("rounds", rounds), ("checked", checked), ("images", images), ("audited", audited), ("workers", workers),
        ] where value < 1 {
            throw ValidationError("--\(name) must be at least 1")
        }
    }

    func run() throws {
        if let model = judged.model { try judge(model) } else { try measureOnPhantoms() }
    }
}
