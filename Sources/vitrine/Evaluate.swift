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
            Maps are .npy files of height x width (files ending in .grid.npy are passed over); a map a.npy or a.method.npy belongs \
            to the mask a.png, a.jpg, a.tif or a.npy. A map without a mask, a size that differs or an empty mask gives a row with a \
            status, and exit code 3 at the end.

            Metrics: \(MetricRegistry.all.map { $0.facts.identifier + ($0.facts.options.isEmpty ? "" : " [:\($0.facts.options.joined(separator: "|"))]") }.joined(separator: ", "))
            """)

    @Option(help: "Folder of maps.")
    var maps: String

    @Option(help: "Folder of masks.")
    var masks: String

    @Option(name: .customLong("metric"), parsing: .upToNextOption, help: "Metrics, such as pointing-game or iou@5.")
    var metrics: [String]

    @Option(name: .customLong("protocol"), help: "study or corrected.")
    var rules: EvaluationProtocol = .corrected

    @Option(name: .customLong("mask-rule"), help: "Which mask values are lesion: \(MaskRule.summary).")
    var maskRule: MaskRule = .positive

    @Option(
        help:
            "Preprocessing that masks of the stored images' size go through, such as resize:224 (default: what the folder's results.jsonl names)."
    )
    var preprocess: String?

    @Option(help: "Seed of the permutations behind chance levels.")
    var seed: UInt64 = 0

    @Option(help: "Worker threads (default: one per core). Results do not depend on it.")
    var workers: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "No progress.")
    var quiet = false

    @Option(name: [.customLong("output"), .customShort("o")], help: "CSV file for the scores.")
    var output: String

    func run() throws {
        let evaluator = try Evaluator(metrics, protocol: rules, seed: seed)
        let mapFiles = try FileCollection.expand([maps], endings: ["npy"]).filter { !$0.hasSuffix(".grid.npy") }
        guard !mapFiles.isEmpty else { throw CommandFailure("\(maps): holds no map (.npy besides .grid.npy)") }
        let maskFiles = try FileCollection.expand([masks], endings: Self.maskEndings)
        var byStem: [String: String] = [:]
        for file in maskFiles {
            if let other = byStem.updateValue(file, forKey: FileCollection.stem(file)) {
                throw CommandFailure("\(file) and \(other): two masks of one name; keep one")
            }
        }
        let geometry = try (preprocess ?? ExplainedFolder.preprocess(maps)).map { try Preprocess(parsing: $0) }
        let progress = Progress(total: mapFiles.count, unit: "maps", isQuiet: quiet)
        let outcomes = Mutex<[Int: Outcome]>([:])
        let masksByStem = byStem
        try parallelFor(mapFiles.count, workers: workers) { _, i in
            let outcome = score(mapFiles[i], masks: masksByStem, geometry: geometry, evaluator: evaluator)
            outcomes.withLock { $0[i] = outcome }
            progress.advance()
        }
        let ordered = outcomes.withLock { $0 }.sorted { $0.key < $1.key }.map(\.value)
        let header = "item,metric,protocol,value,chance,ceiling,status"
        try AtomicFile.write(Array((([header] + ordered.flatMap(\.rows)).joined(separator: "\n") + "\n").utf8), to: output)
        printSummary(ordered)
        complainOnce(ordered.flatMap(\.notes))
        for case let problem? in ordered.map(\.problem) { complain(problem) }
        if ordered.contains(where: { $0.problem != nil }) { throw ExitCode.someItemsFailed }
    }

    static let maskEndings = Set(ImageCodec.fileExtensions)

    private struct Outcome: Sendable {
        var rows: [String]
        /// What the map's name adds to the mask's: the method, for maps of `vitrine explain`.
        var method = ""
        /// One per metric, where there are any.
        var scores: [Score] = []
        var problem: String?
        /// What may be wrong with the mask that was scored against.
        var notes: [(file: String, note: String)] = []
    }

    /// Means by method and metric, over the maps where the metric is defined.
    private func printSummary(_ outcomes: [Outcome]) {
        print("method".padded(24) + "metric".padded(24) + "   n    mean   chance  ceiling   (protocol \(rules.rawValue))")
        for method in Set(outcomes.map(\.method)).sorted() {
            for (m, metric) in metrics.enumerated() {
                let scores = outcomes.filter { $0.method == method && !$0.scores.isEmpty }.map { $0.scores[m] }.filter { $0.value != nil }
                let mean = { (value: (Score) -> Double?) -> String in
                    let values = scores.compactMap(value)
                    return values.isEmpty ? "     -" : String(format: "%6.3f", values.reduce(0, +) / Double(values.count))
                }
                let n = String(scores.count)
                print(
                    method.padded(24) + metric.padded(24) + String(repeating: " ", count: max(0, 4 - n.count)) + n + "  " + mean(\.value)
                        + "   "
                        + mean(\.chance) + "   " + mean(\.ceiling))
            }
        }
    }

    private func score(_ file: String, masks: [String: String], geometry: Preprocess?, evaluator: Evaluator) -> Outcome {
        let item = FileCollection.stem(file)
        let failed = { (status: String, problem: String) in
            Outcome(rows: metrics.map { row(item, $0, [nil, nil, nil], status) }, problem: problem)
        }
        guard let maskFile = mask(of: item, in: masks) else {
            return failed("no-mask", "\(file): there is no mask of this name in \(self.masks)")
        }
        do {
            let array = try NPY.read(file, mostValues: ImageLimits.scored.pixels)
            guard array.shape.count == 2, !array.values.isEmpty else {
                return failed("unreadable", "\(file): has shape \(array.shape), expected height x width")
            }
            let read = try MaskFile(contentsOf: maskFile, rule: maskRule, limits: .scored)
            var mask = read.mask
            if let geometry, mask.height != array.shape[0] || mask.width != array.shape[1] { mask = try geometry.apply(to: mask) }
            let map = ScoredMap(pixels: array.values, height: array.shape[0], width: array.shape[1])
            let scores = try evaluator.scores(of: map, on: ScoredMask(mask), item: item)
            let rows = zip(metrics, scores).map { row(item, $0, [$1.value, $1.chance, $1.ceiling], $1.status.rawValue) }
            let isEmpty = scores.contains { $0.status == .emptyMask }
            let method = String(item.dropFirst(FileCollection.stem(maskFile).count).drop { $0 == "." })
            return Outcome(
                rows: rows, method: method, scores: scores, problem: isEmpty ? "\(maskFile): the mask is empty" : nil,
                notes: read.notes.map { (maskFile, $0) })
        } catch let error as MetricError {
            return failed("size-mismatch", "\(file) and \(maskFile): \(error)")
        } catch {
            return failed("unreadable", "\(error)")
        }
    }

    /// The mask of the same stem, or of the longest stem that the map's continues after a dot.
    private func mask(of item: String, in masks: [String: String]) -> String? {
        var stem = item[...]
        while true {
            if let mask = masks[String(stem)] { return mask }
            guard let dot = stem.lastIndex(of: ".") else { return nil }
            stem = stem[..<dot]
        }
    }

    private func row(_ item: String, _ metric: String, _ values: [Double?], _ status: String) -> String {
        ([CSV.field(item), CSV.field(metric), rules.rawValue] + values.map { $0.map { "\($0)" } ?? "" } + [status]).joined(separator: ",")
    }
}

extension EvaluationProtocol: ExpressibleByArgument {}

extension MaskRule: ExpressibleByArgument {
    public init?(argument: String) {
        if let level = UInt8(argument) {
            self = .atLeast(level)
        } else if let rule = MaskRule(parsing: argument) {
            self = rule
        } else {
            return nil
        }
    }

    public var defaultValueDescription: String { "positive" }
}
