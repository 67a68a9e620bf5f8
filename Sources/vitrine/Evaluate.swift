import ArgumentParser
import Foundation
import Synchronization
import VitrineData
import VitrineEvaluate
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineStudy
import VitrineTensor

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Scores maps of any tool against masks, and by asking the model, each score beside its chance level and its ceiling.",
        discussion: """
            Maps are .npy files of height x width; a map a.npy or a.method.npy belongs to the mask a.png, a.jpg, a.tif or a.npy, and to \
            the image of that name. Where a.method.grid.npy stands beside it, metrics that ask the model and those of the map alone read \
            the values there. A map without a mask or an image, a size that differs or an empty mask gives a row with a status, and exit \
            code 3 at the end.

            Metrics of localisation need --masks; metrics of faithfulness, stability and randomisation need --model and --images, and those \
            that ask the method again also a folder that vitrine explain wrote. 'all' and 'family:NAME' stand for many \
            (\(MetricFamily.allCases.map(\.rawValue).joined(separator: ", "))).

            Metrics: \(MetricRegistry.all.map { $0.facts.identifier + ($0.facts.options.isEmpty ? "" : " [:\($0.facts.options.joined(separator: "|"))]") }.joined(separator: ", "))
            """)

    @Option(help: "Folder of maps.")
    var maps: String

    @Option(help: "Folder of masks.")
    var masks: String?

    @Option(help: "Checkpoint of the model behind the maps, for metrics that ask it.")
    var model: String?

    @Option(help: "Folder of the images behind the maps, for metrics that ask the model.")
    var images: String?

    @Option(
        help:
            "Class that the maps explain: its index, its name, or predicted (default: what the folder's results.jsonl names, else predicted)."
    )
    var target: String?

    @OptionGroup var modelOptions: ModelOptions

    @Option(name: .customLong("metric"), parsing: .upToNextOption, help: "Metrics, such as pointing-game or iou@5.")
    var metrics: [String]

    @Option(name: .customLong("protocol"), help: "study or corrected.")
    var rules: EvaluationProtocol = .corrected

    @Option(name: .customLong("mask-rule"), help: "Which mask values are lesion: \(MaskRule.summary).")
    var maskRule: MaskRule = .positive

    @Option(
        help:
            "Preprocessing of images, and of masks of the stored images' size, such as resize:224 (default: what the folder's results.jsonl or the checkpoint names)."
    )
    var preprocess: String?

    @Option(help: "Seed of the random draws of metrics and chance levels.")
    var seed: UInt64 = 0

    @Option(help: "Worker threads (default: one per core). Results do not depend on it.")
    var workers: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "No progress.")
    var quiet = false

    @Option(name: [.customLong("output"), .customShort("o")], help: "CSV file for the scores.")
    var output: String

    func validate() throws {
        guard workers > 0 else { throw ValidationError("--workers must be at least 1") }
        guard (model == nil) == (images == nil) else { throw ValidationError("--model and --images belong together: give both or neither") }
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
        let mapFiles = try FileCollection.expand([maps], endings: ["npy"]).filter { !$0.hasSuffix(".grid.npy") }
        guard !mapFiles.isEmpty else { throw CommandFailure("\(maps): holds no map (.npy besides .grid.npy)") }
        let explained = try ExplainedFolder(maps)
        let witnesses = try model.map {
            try MapWitnesses(
                model: modelOptions.load($0).model, images: images ?? "", target: target, preprocess: preprocess, explained: explained,
                seed: seed)
        }
        let geometry = try (preprocess ?? explained?.preprocess).map { try Preprocess(parsing: $0) }
        let masks = try masks.map { try MaskFiles($0, rule: maskRule, geometry: geometry ?? witnesses?.preprocess) }
        let progress = Progress(total: mapFiles.count, unit: "maps", isQuiet: quiet)
        let outcomes = Mutex<[Int: Outcome]>([:])
        // Maps of one image go to one worker, so that what is asked about the image is asked once.
        let groups = Dictionary(grouping: mapFiles.indices) { i -> String in
            let item = FileCollection.stem(mapFiles[i])
            return witnesses?.images.stem(of: item) ?? item
        }.values.sorted { $0[0] < $1[0] }
        try parallelFor(groups.count, workers: workers) { _, g in
            let questioned = evaluator.needsWitness ? witnesses?.image(of: FileCollection.stem(mapFiles[groups[g][0]])) : nil
            for i in groups[g] {
                let outcome = score(mapFiles[i], masks, explained, questioned, evaluator)
                outcomes.withLock { $0[i] = outcome }
                progress.advance()
            }
        }
        let ordered = outcomes.withLock { $0 }.sorted { $0.key < $1.key }.map(\.value)
        let header = "item,metric,protocol,value,chance,ceiling,status,better,chance_source,chance_error,reason,curve"
        try AtomicFile.write(Array((([header] + ordered.flatMap(\.rows)).joined(separator: "\n") + "\n").utf8), to: output)
        printSummary(ordered, evaluator)
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
    private func printSummary(_ outcomes: [Outcome], _ evaluator: Evaluator) {
        let width = max(24, (evaluator.entries.map { $0.metric.identifier.count }.max() ?? 0) + 2)
        print(
            "method".padded(24) + "metric".padded(width) + "better  " + "   n    mean   chance  ceiling   (protocol \(rules.rawValue))")
        for method in Set(outcomes.map(\.method)).sorted() {
            for (m, entry) in evaluator.entries.enumerated() {
                let scores = outcomes.filter { $0.method == method && !$0.scores.isEmpty }.map { $0.scores[m] }.filter { $0.value != nil }
                let mean = { (value: (Score) -> Double?) -> String in
                    let values = scores.compactMap(value)
                    return values.isEmpty ? "     -" : String(format: "%6.3f", values.reduce(0, +) / Double(values.count))
                }
                let n = String(scores.count)
                let better = entry.metric.better == .none ? "-" : entry.metric.better.rawValue
                print(
                    method.padded(24) + entry.metric.identifier.padded(width) + better.padded(8)
                        + String(repeating: " ", count: max(0, 4 - n.count)) + n + "  " + mean(\.value) + "   " + mean(\.chance) + "   "
                        + mean(\.ceiling))
            }
        }
    }

    private func score(
        _ file: String, _ masks: MaskFiles?, _ explained: ExplainedFolder?, _ questioned: Result<QuestionedImage, any Error>?,
        _ evaluator: Evaluator
    ) -> Outcome {
        let item = FileCollection.stem(file)
        let failed = { (status: String, problem: String) in
            Outcome(rows: evaluator.entries.map { row(item, $0, nil, status) }, problem: problem)
        }
        var maskFile: String?
        if let masks {
            guard let found = masks.files.file(of: item) else {
                return failed("no-mask", "\(file): there is no mask of this name in \(masks.folder)")
            }
            maskFile = found
        }
        do {
            let array = try NPY.read(file, mostValues: ImageLimits.scored.pixels)
            guard array.shape.count == 2, !array.values.isEmpty else {
                return failed("unreadable", "\(file): has shape \(array.shape), expected height x width")
            }
            let (height, width) = (array.shape[0], array.shape[1])
            let map = ScoredMap(pixels: array.values, height: height, width: width, native: try native(file, height, width))
            let mask = try maskFile.flatMap { try masks?.mask($0, height: height, width: width, withOthers: evaluator.needsOtherMasks) }
            let witness = try questioned.map { try $0.get().witness(of: explained?.method(item)) }
            let scores = try evaluator.scores(of: map, on: mask?.mask, witness: witness, item: item)
            let rows = zip(evaluator.entries, scores).map { row(item, $0, $1, $1.status.rawValue) }
            let isEmpty = evaluator.needsMask && scores.contains { $0.status == .emptyMask }
            let stem = maskFile.map(FileCollection.stem) ?? explained?.stem(of: item) ?? item
            let method = String(item.dropFirst(stem.count).drop { $0 == "." })
            return Outcome(
                rows: rows, method: method, scores: scores, problem: isEmpty ? "\(maskFile ?? ""): the mask is empty" : nil,
                notes: (mask?.notes ?? []).map { (maskFile ?? "", $0) })
        } catch let error as MetricError {
            return failed("size-mismatch", "\(file)\(maskFile.map { " and \($0)" } ?? ""): \(error)")
        } catch {
            return failed("unreadable", "\(file): \(error)")
        }
    }

    /// The raw values that `vitrine explain` wrote beside a map as displayed.
    private func native(_ file: String, _ height: Int, _ width: Int) throws -> HeatMap? {
        let path = String(file.dropLast(".npy".count)) + ".grid.npy"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let array = try NPY.read(path, mostValues: ImageLimits.scored.pixels)
        guard array.shape.count == 2, !array.values.isEmpty else {
            throw CommandFailure("\(path): has shape \(array.shape), expected rows x columns")
        }
        return HeatMap(
            rows: array.shape[0], columns: array.shape[1], values: array.values, height: height, width: width, display: .relevance)
    }

    private func row(_ item: String, _ entry: Evaluator.Entry, _ score: Score?, _ status: String) -> String {
        let numbers = [score?.value, score?.chance, score?.ceiling].map { $0.map { "\($0)" } ?? "" }
        let rest = [
            status, entry.metric.better.rawValue, score?.chanceSource?.rawValue ?? "",
            score.flatMap { score in score.chanceSource.map { _ in "\(score.chanceStandardError)" } } ?? "",
            CSV.field(score?.reason ?? ""), score?.curve.map { $0.map { "\($0)" }.joined(separator: " ") } ?? "",
        ]
        return ([CSV.field(item), CSV.field(entry.metric.identifier), entry.rules.rawValue] + numbers + rest).joined(separator: ",")
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
