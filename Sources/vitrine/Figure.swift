import ArgumentParser
import Foundation
import VitrineData
import VitrineImage

struct Figure: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Draws explanations side by side: a row per image, a column for the original and for each method, the expert's outline on top.")

    @Option(name: .customLong("results"), parsing: .upToNextOption, help: "Folders that vitrine explain wrote.")
    var results: [String]

    @Option(name: .customLong("label"), parsing: .upToNextOption, help: "A row label per folder (default: the image's name).")
    var labels: [String] = []

    @Option(
        name: .customLong("masks"), parsing: .upToNextOption,
        help: "A folder of masks per folder of results; outlines are drawn where a mask has the image's name.")
    var masks: [String] = []

    @Option(name: .customLong("mask-rule"), help: "Which mask values are lesion: \(MaskRule.summary).")
    var maskRule: MaskRule = .positive

    @Option(help: "Images from each folder, the first ones.")
    var rows: Int = 1

    @Option(help: "Title of the figure.")
    var title: String = ""

    @Option(name: .customLong("color-map"), help: "\(ColorMap.allCases.map(\.rawValue).joined(separator: "|"))")
    var colorMap: ColorMap = .viridis

    @Option(name: [.customLong("output"), .customShort("o")], help: "PNG file.")
    var output: String

    func validate() throws {
        guard masks.isEmpty || masks.count == results.count else { throw ValidationError("--masks: one folder per --results") }
        guard labels.isEmpty || labels.count == results.count else { throw ValidationError("--label: one per --results") }
        guard rows > 0 else { throw ValidationError("--rows must be at least 1") }
    }

    func run() throws {
        var columns: [String] = []
        var pictures: [[Image?]] = []
        var names: [String] = []
        for (i, folder) in results.enumerated() {
            let lines = try ExplainedFolder.lines(folder)
            guard let text = lines.first?.provenance?.options["preprocess"] else {
                throw CommandFailure("\(folder)/results.jsonl: has no provenance line; explain the images again")
            }
            let preprocess = try Preprocess(parsing: text)
            let images = Self.unique(lines.compactMap(\.image)).prefix(rows)
            for method in Self.unique(lines.compactMap(\.method)) where !columns.contains(method) { columns.append(method) }
            for image in images {
                names.append(labels.isEmpty ? FileCollection.stem(image) : labels[i])
                pictures.append(try row(image, folder, masks.isEmpty ? nil : masks[i], preprocess, columns))
            }
        }
        let grid = PictureGrid(title: title, columnLabels: ["original"] + columns, rowLabels: names, pictures: pictures)
        try grid.image().write(png: output)
    }

    private func row(_ path: String, _ folder: String, _ masks: String?, _ preprocess: Preprocess, _ methods: [String]) throws -> [Image?] {
        let prepared = try PreprocessedImage(contentsOf: path, preprocess: preprocess)
        let stem = FileCollection.stem(path)
        var outline: Mask?
        if let masks,
            let file = Evaluate.maskEndings.sorted().map({ "\(masks)/\(stem).\($0)" }).first(where: FileManager.default.fileExists)
        {
            let read = try MaskFile(contentsOf: file, rule: maskRule)
            complainOnce(read.notes.map { (file, $0) })
            outline = try prepared.align(read.mask, source: file)
        }
        let overlay = Overlay(colorMap: colorMap, showsColorBar: false)
        var original = Canvas(prepared.image)
        if let outline { original.draw(outline.outline, color: overlay.outlineColor) }
        let maps: [Image?] = methods.map { method in
            guard let array = try? NPY.read("\(folder)/\(stem).\(ConfiguredMethodFile.name(method)).npy"), array.shape.count == 2 else {
                return nil
            }
            let map = HeatMap(
                rows: array.shape[0], columns: array.shape[1], values: array.values, height: array.shape[0], width: array.shape[1],
                display: .finished)
            return overlay.picture(of: map, over: prepared.image, outline: outline)
        }
        return ([original.image] + maps).map { $0.map(Self.enlarged) }
    }

    /// A small picture by a whole factor, so that its pixels can be seen.
    private static func enlarged(_ picture: Image) -> Image {
        let factor = max(1, 128 / max(picture.width, 1))
        return picture.resized(width: picture.width * factor, height: picture.height * factor, filter: .nearest)
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen = Set<String>()
        return names.filter { seen.insert($0).inserted }
    }
}

/// How a method's name, options included, stands in file names.
enum ConfiguredMethodFile {
    static func name(_ method: String) -> String {
        method.replacing(":", with: "_").replacing("=", with: "-").replacing(",", with: "_")
    }
}
