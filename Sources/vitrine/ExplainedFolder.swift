import Foundation
import VitrineExplain
import VitrineImage
import VitrineTensor

/// One image and method in `results.jsonl`.
struct ResultLine: Codable {
    struct Audit: Codable {
        var map: HeatMapAudit
        var notes: [String: [Double]]
        var stability: Stability?
    }

    /// Which run it belongs to: the `run` of a line with a provenance.
    var run: String?
    /// The image as the user named it.
    var image: String
    /// The image's absolute path.
    var path: String?
    /// Its files below the folder, without `.npy`.
    var file: String?
    var method: String
    var target: String?
    /// The class that was explained; of a single logit class 1.
    var classIndex: Int?
    /// Its name, where it is known.
    var className: String?
    var logits: [Float]
    var probabilities: [Float]
    /// Width and height of the image as stored; absent for one that came preprocessed.
    var stored: [Int]?
    /// Width and height of what the network saw.
    var view: [Int]?
    /// SHA-256 of the image's file; absent in lines of earlier versions.
    var digest: String?
    /// How the values of `.grid.npy` become those of `.npy`.
    var display: DisplayRule?
    /// Absent when there is no map.
    var audit: Audit?
    /// Why the map shows nothing, where it does not.
    var remark: String?
    /// Why there is no map.
    var failure: String?
    /// Of the whole image, all methods together.
    var seconds: Double
    /// Images that went through the network for it, all methods together; absent in lines of earlier versions.
    var passes: Int?
}

/// What `vitrine explain` left in a folder.
struct ExplainedFolder {
    /// The first line of a run.
    struct Run: Decodable {
        struct Provenance: Decodable { var options: [String: String] }
        var run: String?
        var provenance: Provenance

        var preprocess: String? { provenance.options["preprocess"] }
    }

    /// A line of `results.jsonl`: a run, or one image and method.
    enum Line {
        case run(Run)
        case result(ResultLine)

        /// The map's files below the folder, without `.npy`; nil for a run.
        var mapFile: String? {
            guard case .result(let line) = self else { return nil }
            return line.mapFile
        }
    }

    static func file(_ folder: String) -> String { FileCollection.join(folder, "results.jsonl") }
    static func exists(_ folder: String) -> Bool { FileCollection.isFolder(file(folder)) == false }

    /// Every line in the order of the file, with its text and the run it belongs to.
    static func lines(_ folder: String) throws -> [(text: String, line: Line, run: String?)] {
        let path = file(folder)
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure("\(path): cannot be read; name a folder that vitrine explain wrote")
        }
        var current: String?
        return try data.split(separator: 10).enumerated().map { number, bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            if let run = try? JSON.value(Run.self, bytes) {
                current = run.run
                return (text, .run(run), run.run)
            }
            do {
                let line = try JSON.value(ResultLine.self, bytes)
                return (text, .result(line), line.run ?? current)
            } catch {
                throw CommandFailure("\(path): line \(number + 1) is no result of vitrine explain; explain the images again")
            }
        }
    }

    let folder: String
    /// One line per map, the last of each, in the order in which the images first appear.
    let results: [ResultLine]
    private let runs: [String?: Run]
    private let byFile: [String: ResultLine]

    init(_ folder: String) throws {
        self.folder = folder
        var runs: [String?: Run] = [:]
        var order: [String] = []
        var byFile: [String: ResultLine] = [:]
        for (_, line, run) in try Self.lines(folder) {
            switch line {
            case .run(let run): runs[run.run] = run
            case .result(var line):
                line.run = run
                if byFile.updateValue(line, forKey: line.mapFile) == nil { order.append(line.mapFile) }
            }
        }
        self.runs = runs
        self.byFile = byFile
        results = order.compactMap { byFile[$0] }
    }

    /// The result whose map is `DIR/<file>.npy`.
    subscript(file file: String) -> ResultLine? { byFile[file] }

    /// The preprocessing of a result.
    func preprocess(_ line: ResultLine) -> String? { (runs[line.run] ?? runs[nil])?.preprocess }

    /// The preprocessing of the folder's maps if all have the same.
    var commonPreprocess: String? {
        let all = Set(results.compactMap(preprocess))
        return all.count == 1 ? all.first : nil
    }

    /// An option of the runs behind the folder's maps; nil where they name none.
    ///
    /// - Throws: `CommandFailure` where they differ.
    func common(_ option: String) throws -> String? {
        let all = Set(results.compactMap { (runs[$0.run] ?? runs[nil])?.provenance.options[option] }).sorted()
        guard all.count < 2 else {
            throw CommandFailure(
                "\(folder): holds maps of runs with --\(option) \(all.joined(separator: " and ")); explain into two folders")
        }
        return all.first
    }

    /// A map as its method made it, with the rule that displays it; nil where the folder does not hold both.
    ///
    /// - Throws: `CommandFailure` when grid, rule and sizes do not belong together.
    func nativeMap(_ line: ResultLine) throws -> HeatMap? {
        let path = FileCollection.join(folder, line.mapFile + ".grid.npy")
        guard let display = line.display, let view = line.view, view.count == 2, FileCollection.isFolder(path) == false else { return nil }
        let grid = try NPY.read(path)
        guard grid.shape.count == 2, !grid.values.isEmpty, view.allSatisfy({ 1...1 << 16 ~= $0 }), grid.shape[0] <= view[1],
            grid.shape[1] <= view[0]
        else {
            throw CommandFailure("\(path): has shape \(grid.shape) for a view of \(view) pixels; explain the image again")
        }
        return HeatMap(
            rows: grid.shape[0], columns: grid.shape[1], values: grid.values, height: view[1], width: view[0], display: display)
    }
}

extension ResultLine {
    /// The map's files below the folder, without `.npy`; lines of earlier versions did not say it.
    var mapFile: String { file ?? "\(FileCollection.stem(image)).\(ConfiguredMethodFile.name(method))" }

    /// The map's file without the method: the image's name below the folder.
    var imageName: String {
        let ending = "." + ConfiguredMethodFile.name(method)
        return mapFile.hasSuffix(ending) ? String(mapFile.dropLast(ending.count)) : mapFile
    }

    /// The class of the largest logit.
    var predicted: Int? {
        guard !logits.isEmpty else { return nil }
        return logits.indices.dropFirst().reduce(0) { logits[$1] > logits[$0] ? $1 : $0 }
    }
}
