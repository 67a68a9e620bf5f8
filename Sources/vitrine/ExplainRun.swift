import Dispatch
import Foundation
import Synchronization
import VitrineData
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineStudy
import VitrineTensor

/// Explains a list of images into a folder: batches on all workers, files and lines as they are finished.
struct ExplainRun {
    let plan: ExplanationPlan
    let loaded: LoadedModel
    let preparation: Preprocess
    let target: ExplainTarget
    let modelName: String
    let overlay: OverlayOptions
    /// Whether pictures leave out patches that stand out by their token's norm.
    let hidesOutliers: Bool
    let output: String
    let measuresStability: Bool
    let drawsErrors: Bool
    let batch: Int
    let workers: Int
    let isQuiet: Bool
    /// Without the model's own file.
    let provenance: Provenance
    /// SHA-256 of the model's file.
    let digest: Background<String>

    private struct Item {
        var index: Int
        var entry: InputImages.Entry
        /// What was assumed about the file.
        var notes: [String]
        /// SHA-256 of the file.
        var digest: String
        var picture: MapPicture
        var stored: [Int]?
        var view: [Int]
        var subject: PreparedImage
    }

    /// What is said and stored about one image.
    private struct Outcome: Sendable {
        var lines: [String] = []
        var words: String?
        var failure: String?
        /// The failure stands in the results.
        var isRecorded = false
        var stabilities: [String: Stability] = [:]
        var notes: [(file: String, note: String)] = []
    }

    private struct RunLine: Encodable {
        var run: String
        var provenance: Provenance
        var notes: [String]
    }

    /// - Parameters:
    ///   - resumes: leaves out images that an equal run has finished.
    ///   - isStopped: asked between passes; images that are finished by then are kept.
    /// - Returns: how many images failed, each of which was named, and how many of these stand in the results.
    /// - Throws: `ExplanationStopped`, after everything that is finished was written.
    func explain(
        _ all: [InputImages.Entry], resumes: Bool = false, isStopped: @escaping @Sendable () -> Bool = { false }
    ) throws -> (failed: Int, recorded: Int) {
        let log = ResultsLog(folder: output)
        let entries = resumes ? try unfinished(all, run: runLine().run) : all
        if entries.count < all.count {
            if !isQuiet { complain("\(Words.count(all.count - entries.count, "image is", "images are")) done already") }
            if entries.isEmpty { return (0, 0) }
        }
        let watch = Watch(isStopped: isStopped)
        let progress = Progress(total: entries.count, unit: "images", isQuiet: isQuiet)
        let batches = stride(from: 0, to: entries.count, by: batch).map { $0..<min($0 + batch, entries.count) }
        // A single batch has all workers to itself; several are shared among them.
        let workspaces = batches.count == 1 ? [Workspace(threads: workers)] : (0..<workers).map { _ in Workspace() }
        let summary = Mutex<(failures: [String], recorded: Int, notes: [(file: String, note: String)], stability: StabilityTable)>(
            ([], 0, [], StabilityTable()))
        let isBegun = Atomic<Bool>(false)
        let isQuiet = isQuiet
        let emitter = InOrder<[Outcome]> { outcomes in
            // The first lines of a run follow the one that says what it was.
            let first = isBegun.exchange(true, ordering: .relaxed) ? [] : [try JSON.line(runLine())]
            try log.append(first + outcomes.flatMap(\.lines))
            summary.withLock { summary in
                for outcome in outcomes {
                    if let failure = outcome.failure { summary.failures.append(failure) }
                    summary.recorded += outcome.isRecorded ? 1 : 0
                    summary.notes += outcome.notes
                    summary.stability.add(outcome.stabilities)
                }
            }
            if !isQuiet {
                let words = outcomes.compactMap(\.words)
                if !words.isEmpty { progress.clear() }
                for line in words { print(line) }
            }
        }
        let isInterrupted = Atomic<Bool>(false)
        try parallelFor(batches.count, workers: workspaces.count) { worker, index in
            guard !isInterrupted.load(ordering: .relaxed) else { return }
            var outcomes = [Outcome](repeating: Outcome(), count: batches[index].count)
            let first = batches[index].lowerBound
            for group in prepare(entries, batches[index], &outcomes) {
                do {
                    for (item, outcome) in zip(group, try explain(group, workspace: workspaces[worker], watch)) {
                        outcomes[item.index - first] = outcome
                    }
                } catch is ExplanationStopped {
                    isInterrupted.store(true, ordering: .relaxed)
                    return
                } catch let error as ViTError {
                    for item in group { outcomes[item.index - first].failure = "\(item.entry.path): \(error)" }
                }
            }
            try emitter.give(outcomes, index: index)
            progress.advance(by: outcomes.count, failed: outcomes.count { $0.failure != nil && $0.words == nil })
        }
        // What other workers finished after the first that was stopped has its lines too.
        if isInterrupted.load(ordering: .relaxed) { try emitter.finish() }
        try log.dropSuperseded()
        let (failures, recorded, notes, stability) = summary.withLock { $0 }
        complainOnce(notes)
        if measuresStability { print(stability.text) }
        for failure in failures { complain(failure) }
        if isInterrupted.load(ordering: .relaxed) {
            progress.clear()
            throw ExplanationStopped()
        }
        return (failures.count, recorded)
    }

    /// What this run was. Waits until the model's file has been read through.
    private func runLine() throws -> RunLine {
        var line = RunLine(run: "", provenance: provenance, notes: loaded.report.notes)
        line.provenance.files[modelName] = digest.value
        // Equal runs have equal names: their lines replace each other.
        line.run = String(sha256(of: Array(try JSON.line(line).utf8)).prefix(12))
        return line
    }

    /// The images of which an equal run has not yet left all maps, or which have changed since.
    private func unfinished(_ entries: [InputImages.Entry], run: String) throws -> [InputImages.Entry] {
        guard ExplainedFolder.exists(output) else { return entries }
        var done: [String: ResultLine] = [:]
        for line in try ExplainedFolder.lines(output) {
            if case .result(let result) = line.line, line.run == run, result.failure == nil { done[result.mapFile] = result }
        }
        return entries.filter { entry in
            let digest = try? sha256(ofFile: entry.path)
            return !plan.methods.allSatisfy { method in
                let file = entry.name + "." + ConfiguredMethodFile.name(method.name)
                return digest != nil && done[file]?.digest == digest
                    && FileCollection.isFolder(FileCollection.join(output, file + ".npy")) == false
            }
        }
    }

    /// Reads and preprocesses a batch; images of unlike sizes fall into groups, unreadable ones are recorded and left out.
    private func prepare(_ entries: [InputImages.Entry], _ range: Range<Int>, _ outcomes: inout [Outcome]) -> [[Item]] {
        var groups: [[Item]] = []
        for i in range {
            do {
                let item = try self.item(entries[i], index: i)
                if let last = groups.last?.first, last.subject.pixels.shape == item.subject.pixels.shape {
                    groups[groups.count - 1].append(item)
                } else {
                    groups.append([item])
                }
            } catch let error as MemoryShortage {
                outcomes[i - range.lowerBound].failure = "\(entries[i].path): \(error)"
            } catch {
                outcomes[i - range.lowerBound].failure = "\(error)"
            }
        }
        return groups
    }

    private func item(_ entry: InputImages.Entry, index: Int) throws -> Item {
        // 255 bytes are what file systems allow; what is added: method, `.grid.npy`.
        let longest = plan.methods.map { ConfiguredMethodFile.name($0.name).utf8.count }.max() ?? 0
        let last = PathText.name(entry.name)
        guard last.utf8.count + longest + 10 <= 255 else {
            throw CommandFailure(
                "\(entry.path): its name of \(last.utf8.count) bytes leaves no room for '.\(plan.methods.first?.name ?? "").grid.npy' within 255; shorten it"
            )
        }
        let isArray = FileCollection.ending(entry.path) == "npy"
        let file = isArray ? nil : try ImageFile(contentsOf: entry.path)
        let stored = file?.image
        let prepared =
            try stored.map { try PreprocessedImage($0, preprocess: preparation) }
            ?? PreprocessedImage(contentsOf: entry.path, preprocess: preparation)
        try plan.checkMemory(of: prepared.tensor.shape, batch: batch)
        // An image that does not fit the patches is refused by the model, in its own words.
        if let grid = try? loaded.model.configuration.grid(height: prepared.image.height, width: prepared.image.width) {
            try ModelOptions.namingFlags { try loaded.check(grid: grid) }
        }
        return Item(
            index: index, entry: entry, notes: file?.notes ?? [], digest: try prepared.sha256 ?? sha256(ofFile: entry.path),
            picture: MapPicture(stored: stored, view: prepared.image, preprocess: preparation, inOwnFrame: overlay.frame == .stored),
            stored: stored.map { [$0.width, $0.height] }, view: [prepared.image.width, prepared.image.height],
            subject: PreparedImage(name: entry.name, pixels: prepared.tensor, target: target.choice, scale: preparation.scale))
    }

    private func explain(_ items: [Item], workspace: Workspace, _ watch: Watch) throws -> [Outcome] {
        let start = DispatchTime.now().uptimeNanoseconds
        let results = try plan.explain(items.map(\.subject), workspace: workspace, watch: watch)
        let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9 / Double(items.count)
        let run = try runLine().run
        return try zip(items, results).map { item, result in try outcome(item, result, run: run, seconds: seconds, workspace, watch) }
    }

    private func outcome(
        _ item: Item, _ result: ImageExplanations, run: String, seconds: Double, _ workspace: Workspace, _ watch: Watch
    ) throws -> Outcome {
        var outcome = Outcome()
        outcome.notes = item.notes.map { (item.entry.path, $0) }
        let problem = result.problem
        let stabilities =
            measuresStability && problem == nil
            ? try plan.stability(
                of: item.subject, undisturbed: result, greyLevel: preparation.greyLevel, batch: batch, workspace: workspace,
                watch: watch) : nil
        let decision = result.logits.isEmpty || problem != nil ? nil : target.decision(result.logits, loaded.model.configuration)
        let probabilities = decision?.probabilities ?? []
        func newLine(_ method: String, _ explained: Target?) -> ResultLine {
            ResultLine(
                run: run, image: item.entry.path, path: URL(fileURLWithPath: item.entry.path).standardized.path,
                file: item.entry.name + "." + ConfiguredMethodFile.name(method),
                method: method, target: explained?.description, classIndex: explained.map(target.explainedClass),
                className: explained.flatMap { target.name(target.explainedClass($0)) }, logits: result.logits,
                probabilities: probabilities, stored: item.stored, view: item.view, digest: item.digest, seconds: seconds,
                passes: result.passCount)
        }
        var remarks: [(remark: String, methods: [String])] = []
        for explanation in result.explanations {
            var line = newLine(explanation.method, explanation.target)
            if let problem, !plan.methods[explanation.index].method.isControl {
                line.failure = problem
            } else {
                line.display = explanation.map.display
                let audit = explanation.map.audit
                let isExpected = plan.methods[explanation.index].method.isControl || plan.methods[explanation.index].name == "constant"
                if !isExpected, let remark = explanation.remark {
                    line.remark = remark
                    if let known = remarks.firstIndex(where: { $0.remark == remark }) {
                        remarks[known].methods.append(explanation.method)
                    } else {
                        remarks.append((remark, [explanation.method]))
                    }
                }
                line.audit = .init(map: audit, notes: explanation.notes, stability: stabilities?[explanation.index])
                try write(explanation, of: item, line, without: hidesOutliers ? (result.outliers, result.grid) : nil)
            }
            outcome.lines.append(try JSON.line(line))
        }
        for (remark, methods) in remarks {
            outcome.notes.append((item.entry.path, "\(methods.joined(separator: ", ")): \(remark)"))
        }
        for failure in result.failures {
            var line = newLine(failure.method, result.target)
            line.failure = failure.message
            outcome.lines.append(try JSON.line(line))
        }
        for (index, stability) in stabilities ?? [:] { outcome.stabilities[plan.methods[index].name] = stability }
        if let problem {
            outcome.failure = "\(item.entry.path): \(modelName): \(problem)"
        } else if !result.failures.isEmpty {
            outcome.failure = result.failures.map { "\(item.entry.path): \($0.method): \($0.message)" }.joined(separator: "\n")
        }
        outcome.isRecorded = outcome.failure != nil
        if problem == nil { outcome.words = words(item, result, decision) }
        return outcome
    }

    /// What the network answers and where the maps are, in one line.
    private func words(
        _ item: Item, _ result: ImageExplanations, _ decision: (probabilities: [Float], predicted: Int)?
    ) -> String {
        var answer = ""
        if let (probabilities, predicted) = decision {
            answer = "class \(label(predicted)), p \(Words.probability(probabilities[predicted]))"
            if let target = result.target, target.isSum {
                answer += "; explained: \(target)"
            } else if let asked = result.target.map(target.explainedClass), asked != predicted {
                answer += "; explained: class \(label(asked)), p \(Words.probability(probabilities[asked]))"
            }
            answer += "; "
        }
        let count = result.explanations.count
        return "\(item.entry.path.printable): \(answer)\(count) \(count == 1 ? "map" : "maps") in "
            + FileCollection.join(output, item.entry.name).printable + ".*"
    }

    private func label(_ index: Int) -> String { Words.classLabel(index, target.name(index)) }

    // MARK: Files

    private func write(
        _ explanation: Explanation, of item: Item, _ line: ResultLine, without outliers: (patches: [Int], grid: PatchGrid)?
    ) throws {
        let map = explanation.map
        let path = FileCollection.join(output, line.mapFile)
        if item.entry.name.contains("/") { try OutputFolder.make(PathText.folder(path)) }
        try NPY.write(map.displayed(), shape: [map.height, map.width], to: path + ".npy")
        try NPY.write(map.values, shape: [map.rows, map.columns], to: path + ".grid.npy")
        if let error = explanation.error {
            try NPY.write(error.values, shape: [error.rows, error.columns], to: path + ".error.npy")
            if drawsErrors {
                let picture = overlay.overlay(showsColorBar: true).picture(of: item.picture.place(error), over: item.picture.image)
                try Overlay.titled(picture, lines: ["\(line.method): standard error"]).write(png: path + ".error.png")
            }
        }
        var (shown, lines) = (map, title(line))
        if let outliers, !outliers.patches.isEmpty {
            let count = Words.count(outliers.patches.count, "outlier patch", "outlier patches")
            let hidden = map.hiding(outliers.patches, rows: outliers.grid.rows, columns: outliers.grid.columns)
            shown = hidden ?? map
            lines.append(hidden == nil ? "\(count) shown: the map's cells are no patches" : "\(count) left out")
        }
        let picture = overlay.overlay(showsColorBar: true).picture(of: item.picture.place(shown), over: item.picture.image)
        try Overlay.titled(picture, lines: lines).write(png: path + ".png")
    }

    private func title(_ line: ResultLine) -> [String] {
        var lines = [line.method]
        if let answer = line.answer { lines[0] += ": " + answer }
        if let stability = line.audit?.stability, stability.isDoubtful {
            lines.append("NOISE: resembles itself only with r \(Words.correlation(stability.pearsonMean))")
        }
        return lines
    }
}

extension ResultLine {
    /// The class that was explained, with its probability, or the sum of logits; nil where the map has none.
    var answer: String? {
        guard let target else { return nil }
        // A sum of logits is nothing that one class's probability stands for.
        if target.contains(" - ") || target.hasPrefix("+ ") || target.hasPrefix("- ") { return target }
        // Lines of version 0.1.0 say "logit 1" alone.
        guard let index = classIndex ?? target.split(separator: " ").last.flatMap({ Int($0) }) else { return target }
        return "class " + Words.classLabel(index, className)
            + (probabilities.indices.contains(index) ? ", p \(Words.probability(probabilities[index]))" : "")
    }
}
