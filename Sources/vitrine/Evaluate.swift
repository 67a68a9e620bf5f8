import ArgumentParser
import Foundation
import Synchronization
import VitrineData
import VitrineEvaluate
import VitrineImage
import VitrineTensor

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Scores maps of any tool against masks, each score beside its chance level and its ceiling.",
        discussion: """
            Maps are .npy files of height x width, at any depth; a map a.npy or a.method.npy belongs to the mask a.png, a.jpg, a.tif or \
            a.npy, one in a folder p1 to the mask in the folder p1. A map without a mask, a size that differs or an empty mask gives a row \
            with a status, and exit code 3 at the end.

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
    var masks: String

    @Option(
        name: .customLong("metric"), parsing: .upToNextOption, help: "Metrics, such as pointing-game or iou@5.",
        completion: .list(MetricRegistry.all.map { $0.facts.identifier.replacing("@K", with: "@10") }))
    var metrics: [String]

    @Option(name: .customLong("protocol"), help: "study or corrected.", completion: .list(EvaluationProtocol.allCases.map(\.rawValue)))
    var rules: EvaluationProtocol = .corrected

    @Option(name: .customLong("mask-rule"), help: "Which mask values are lesion: \(MaskRule.summary).")
    var maskRule: MaskRule = .positive

    @Option(
        help: "Preprocessing that brings masks of the images to the maps' view, such as resize:224 (default: what results.jsonl names).")
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

    func run() throws {
        let evaluator = try Evaluator(metrics, protocol: rules, seed: seed)
        try OutputFolder.check(file: output)
        let folder = try MapFolder(maps, preprocess: preprocess)
        let maskFolder = try MaskFolder(masks, rule: maskRule, frame: maskFrame, images: folder.files.map(\.name))
        let patients = try labels.map { try PatientTable($0) }
        let progress = Progress(total: folder.files.count, unit: "maps", isQuiet: quiet)
        let outcomes = Mutex<[Int: MapScores]>([:])
        try parallelFor(folder.files.count, workers: workers) { _, i in
            let outcome = MapScores(folder.files[i], of: folder, on: maskFolder, evaluator)
            outcomes.withLock { $0[i] = outcome }
            progress.advance()
        }
        let scores = outcomes.withLock { $0 }.sorted { $0.key < $1.key }.map(\.value)
        try patients?.check(scores.filter { !$0.scores.isEmpty }.map(\.image))
        let table = ScoreTable(metrics: metrics, rules: rules, patients: patients)
        try AtomicFile.write(Array(table.csv(scores).utf8), to: output)
        print(try table.summary(scores, seed: seed, workers: workers))
        complainOnce(scores.flatMap { scores in scores.maskNotes.map { (scores.maskFile, $0) } })
        for line in MapScores.problems(scores, maskFolder: masks) + MapScores.notes(scores) { complain(line) }
        if scores.contains(where: { $0.problem != nil }) { throw ExitCode.someItemsFailed }
    }
}

extension EvaluationProtocol: ExpressibleByArgument {}
