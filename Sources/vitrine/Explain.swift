import ArgumentParser
import Foundation
import Synchronization
import VitrineData
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineStudy
import VitrineTensor

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draws explanations of a model's decision about images.",
        discussion: """
            Writes for every image and method DIR/<stem>.<method>.npy (Float32, as displayed), .grid.npy (raw, native \
            resolution) and .png (overlay), and DIR/results.jsonl: one line with the provenance, then one per image and method.

            Methods (options after a colon, such as attention:block=3,head=2):
            \(Method.all.map { "  \($0.identifier): \($0.summary)" + ($0.options.isEmpty ? "" : " [\($0.options)]") }.joined(separator: "\n"))
            """)

    @Option(help: "Checkpoint: safetensors, .pth, .pt or .bin.")
    var model: String

    @Option(
        name: .customLong("image"), parsing: .upToNextOption,
        help: "Image files, folders or patterns; an .npy of 3 x H x W is taken as already preprocessed.")
    var images: [String]

    @Option(name: .customLong("method"), parsing: .upToNextOption, help: "Methods, see above.")
    var methods: [String]

    @Option(help: "Class to explain: its index, its name, or predicted.")
    var target: String = "predicted"

    @Option(
        help:
            "\(PreprocessGeometry.all.map(\.name).joined(separator: "|")), or in full, such as resize:224:imagenet (default: what the checkpoint names, else resize)."
    )
    var preprocess: String?

    @OptionGroup var modelOptions: ModelOptions

    @Option(help: "Images per batch.")
    var batch: Int = 1

    @Option(help: "Worker threads (default: one per core). Results do not depend on it.")
    var workers: Int = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: "Seed of every random draw, together with the image's name.")
    var seed: UInt64 = 0

    @Flag(help: "Also measure each map's stability under invisible noise (half a grey level, ten draws).")
    var stability = false

    @Option(name: .customLong("color-map"), help: "\(ColorMap.allCases.map(\.rawValue).joined(separator: "|"))")
    var colorMap: ColorMap = .viridis

    @Option(help: "Opacity of the map in the overlay, 0...1.")
    var alpha: Float = 0.5

    @Flag(help: "No progress.")
    var quiet = false

    @Option(name: [.customLong("output"), .customShort("o")], help: "Folder for the results; made if missing.")
    var output: String

    func validate() throws {
        guard batch > 0, workers > 0 else { throw ValidationError("--batch and --workers must be at least 1") }
        guard (0...1).contains(alpha) else { throw ValidationError("--alpha must lie between 0 and 1") }
    }

    func run() throws {
        let configured = try ConfiguredMethod.parse(methods)
        let files = try FileCollection.expand(images, endings: ["png", "jpg", "jpeg", "tif", "tiff", "npy", "dcm"])
        try refuseEqualStems(files)
        try CPU.selfTest()
        let (loaded, digest) = try modelOptions.load(model)
        let plan = try ExplanationPlan(model: loaded.model, methods: configured, seed: seed)
        let chosen = try chosenPreprocess(loaded)
        let preparation = chosen.preprocess
        let choice = try TargetChoice(argument: target, of: loaded)
        // Arrays come prepared.
        let preparesImages = files.contains { !$0.lowercased().hasSuffix(".npy") }
        let assumptions = ModelOptions.assumptions(
            loaded.report.facts, preprocess: chosen.source == .assumed && preparesImages ? preparation.description : nil)
        if let assumptions { complain("\(loaded.report.path): \(assumptions)") }
        try FileSystem.makeFolder(output)

        let results = try OrderedLines(path: output + "/results.jsonl")
        try results.write(index: 0, [provenanceLine(chosen, loaded, digest: digest)])
        let progress = Progress(total: files.count, unit: "images", isQuiet: quiet)
        let batches = stride(from: 0, to: files.count, by: batch).map { $0..<min($0 + batch, files.count) }
        // A single batch has all workers to itself; several are shared among them.
        let workspaces = batches.count == 1 ? [Workspace(threads: workers)] : (0..<workers).map { _ in Workspace() }
        let failures = Mutex<[Int: String]>([:])
        try parallelFor(batches.count, workers: workspaces.count) { worker, index in
            var lines: [String] = []
            for group in prepare(files, batches[index], plan, preparation, choice, loaded, failures) {
                do {
                    lines += try explain(
                        group, plan: plan, configuration: loaded.model.configuration, preparation: preparation,
                        workspace: workspaces[worker])
                } catch let error as ViTError {
                    for item in group { failures.withLock { $0[item.index] = "\(item.path): \(error)" } }
                }
            }
            try results.write(index: index + 1, lines)
            progress.advance(by: batches[index].count)
        }
        try results.close()
        let failed = failures.withLock { $0 }
        for (_, message) in failed.sorted(by: { $0.key < $1.key }) { complain(message) }
        if failed.count == files.count { throw ExitCode.failure }
        if !failed.isEmpty { throw ExitCode.someItemsFailed }
    }

    // MARK: Input

    private struct Item {
        var index: Int
        var path: String
        var prepared: PreprocessedImage
        var subject: PreparedImage
    }

    /// Images of different files with one stem would overwrite each other's maps.
    private func refuseEqualStems(_ files: [String]) throws {
        var seen: [String: String] = [:]
        for file in files {
            if let other = seen.updateValue(file, forKey: FileCollection.stem(file)) {
                throw CommandFailure("\(file) and \(other) would write the same files in \(output); explain them in two runs")
            }
        }
    }

    private func chosenPreprocess(_ loaded: LoadedModel) throws -> ChosenPreprocess {
        let (grid, patch) = (loaded.model.configuration.positionGrid, loaded.model.configuration.patchSize)
        let published = loaded.report.preparations.map { ($0.path, $0.text) }
        let stored = loaded.report.metadata[Preprocess.metadataKey]
        func chosen(_ given: String?) throws -> ChosenPreprocess {
            try ChosenPreprocess(
                given: given, stored: stored, published: published, height: grid.rows * patch, width: grid.columns * patch)
        }
        let choice: ChosenPreprocess
        do { choice = try chosen(preprocess) } catch let error as PreprocessError {
            guard case .unsupported = error else { throw error }
            throw CommandFailure("\(error) (--preprocess)")
        }
        if preprocess != nil, let own = try? chosen(nil), own.source != .assumed, own.preprocess != choice.preprocess {
            complain(
                "note: the checkpoint was trained with preprocessing \(own.preprocess); --preprocess \(choice.preprocess) overrides it")
        }
        return choice
    }

    /// Reads and preprocesses a batch; images of unlike sizes fall into groups, unreadable ones are recorded and left out.
    private func prepare(
        _ files: [String], _ range: Range<Int>, _ plan: ExplanationPlan, _ preparation: Preprocess, _ choice: TargetChoice,
        _ loaded: LoadedModel,
        _ failures: borrowing Mutex<[Int: String]>
    ) -> [[Item]] {
        var groups: [[Item]] = []
        for i in range {
            do {
                let prepared = try PreprocessedImage(contentsOf: files[i], preprocess: preparation)
                try plan.checkMemory(of: prepared.tensor.shape, batch: batch)
                // An image that does not fit the patches is refused by the model, in its own words.
                if let grid = try? loaded.model.configuration.grid(height: prepared.image.height, width: prepared.image.width) {
                    try ModelOptions.namingFlags { try loaded.check(grid: grid) }
                }
                let item = Item(
                    index: i, path: files[i], prepared: prepared,
                    subject: PreparedImage(name: FileCollection.stem(files[i]), pixels: prepared.tensor, target: choice))
                if let last = groups.last?.first, last.subject.pixels.shape == item.subject.pixels.shape {
                    groups[groups.count - 1].append(item)
                } else {
                    groups.append([item])
                }
            } catch let error as MemoryShortage {
                failures.withLock { $0[i] = "\(files[i]): \(error)" }
            } catch {
                failures.withLock { $0[i] = "\(error)" }
            }
        }
        return groups
    }

    // MARK: Output

    private func explain(
        _ items: [Item], plan: ExplanationPlan, configuration: ViTConfiguration, preparation: Preprocess, workspace: Workspace
    ) throws -> [String] {
        let start = DispatchTime.now().uptimeNanoseconds
        let results = try plan.explain(items.map(\.subject), workspace: workspace)
        let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9 / Double(items.count)
        var lines: [String] = []
        for (item, result) in zip(items, results) {
            let stabilities =
                stability
                ? try plan.stability(
                    of: item.subject, undisturbed: result, greyLevel: preparation.greyLevel, batch: batch, workspace: workspace) : nil
            for failure in result.failures { complain("\(item.path): \(failure.method): \(failure.message)") }
            for explanation in result.explanations {
                try write(explanation, of: item)
                lines.append(
                    try ResultLine(
                        image: item.path, method: explanation.method, target: result.target?.description,
                        logits: result.logits, probabilities: configuration.probabilities(result.logits),
                        audit: .init(map: explanation.map.audit, notes: explanation.notes, stability: stabilities?[explanation.index]),
                        seconds: seconds
                    ).json())
            }
        }
        return lines
    }

    private func write(_ explanation: Explanation, of item: Item) throws {
        let map = explanation.map
        let name = ConfiguredMethodFile.name(explanation.method)
        let path = "\(output)/\(FileCollection.stem(item.path)).\(name)"
        try NPY.write(map.displayed(), shape: [map.height, map.width], to: path + ".npy")
        try NPY.write(map.values, shape: [map.rows, map.columns], to: path + ".grid.npy")
        let overlay = Overlay(colorMap: colorMap, alpha: alpha)
        try overlay.picture(of: map, over: item.prepared.image).write(png: path + ".png")
    }

    private func provenanceLine(_ chosen: ChosenPreprocess, _ loaded: LoadedModel, digest: String) throws -> String {
        struct Line: Encodable { var provenance: Provenance }
        var options = [
            "methods": methods.joined(separator: " "), "target": target, "preprocess": chosen.preprocess.description, "batch": "\(batch)",
            "workers": "\(workers)", "seed": "\(seed)", "stability": "\(stability)",
        ]
        options["preprocess-from"] =
            switch chosen.source {
            case .given: "--preprocess"
            case .stored: "the checkpoint"
            case .published(let path): path
            case .assumed: "assumed"
            }
        for fact in loaded.report.facts { options["model: \(fact.name)"] = "\(fact.value) (\(fact.source))" }
        return try encodedLine(Line(provenance: Provenance(files: [model: digest], options: options)))
    }
}

/// One image and method in `results.jsonl`.
private struct ResultLine: Encodable {
    struct Audit: Encodable {
        var map: HeatMapAudit
        var notes: [String: [Double]]
        var stability: Stability?
    }

    var image: String
    var method: String
    var target: String?
    var logits: [Float]
    var probabilities: [Float]
    var audit: Audit
    var seconds: Double

    func json() throws -> String { try encodedLine(self) }
}

/// A value as one line of JSON; numbers that JSON does not know become strings.
func encodedLine(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// A file of lines that workers finish in any order and that stands in the order of their indices; whatever was finished in
/// order is on disk.
final class OrderedLines: Sendable {
    private struct State {
        var next = 0
        var waiting: [Int: [String]] = [:]
    }

    private let path: String
    private let handle: FileHandle
    private let state = Mutex(State())

    init(path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil), let handle = FileHandle(forWritingAtPath: path) else {
            throw CommandFailure("\(path): cannot be written; check the folder and its permissions")
        }
        self.path = path
        self.handle = handle
    }

    func write(index: Int, _ lines: [String]) throws {
        try state.withLock { state in
            state.waiting[index] = lines
            while let ready = state.waiting.removeValue(forKey: state.next) {
                state.next += 1
                do { try handle.write(contentsOf: Data(ready.map { $0 + "\n" }.joined().utf8)) } catch {
                    throw FileFailure(path, .write, code: SystemError.code(of: error) ?? 0)
                }
            }
        }
    }

    func close() throws { try handle.close() }
}

extension ColorMap: ExpressibleByArgument {}
