import ArgumentParser
import Foundation
import VitrineData
import VitrineExplain
import VitrineImage
import VitrineTensor

struct Figure: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Draws explanations side by side: a row per image, the original and then a picture per method, the expert's outline on top.",
        discussion: """
            The file's ending says what is written: .svg and .pdf have real text and the pictures at their own resolution, .png is pixels. \
            Under each map stand its class and probability, and its score with --scores.
            """)

    @Option(
        name: .customLong("results"), parsing: .upToNextOption, help: "Folders that vitrine explain wrote.", completion: .directory)
    var results: [String]

    @Option(name: .customLong("label"), parsing: .upToNextOption, help: "A row label per folder (default: the image's name).")
    var labels: [String] = []

    @Option(
        name: .customLong("masks"), parsing: .upToNextOption,
        help: "A folder of masks per folder of results; outlines are drawn where a mask has the image's name.", completion: .directory)
    var masks: [String] = []

    @Option(name: .customLong("mask-rule"), help: "Which mask values are lesion: \(MaskRule.summary).")
    var maskRule: MaskRule = .positive

    @Option(help: "Folder to look for the images in, where they are no longer where they were.", completion: .directory)
    var images: String?

    @Option(help: "Images from each folder, the first ones.")
    var rows: Int = 1

    @Option(name: .customLong("image"), parsing: .upToNextOption, help: "Names of the images to draw, in this order, instead of --rows.")
    var names: [String] = []

    @Option(
        name: .customLong("method"), parsing: .upToNextOption, help: "Methods to draw, in this order (default: all).",
        completion: .list(Method.all.map(\.identifier)))
    var methods: [String] = []

    @Option(help: "Pictures side by side before the row is wrapped (default: all).")
    var columns: Int?

    @Flag(name: .customLong("no-original"), help: "Without the image itself.")
    var hidesOriginal = false

    @Option(
        name: .customLong("scores"), parsing: .upToNextOption, help: "A scores.csv of vitrine evaluate per folder of results.",
        completion: .file(extensions: ["csv"]))
    var scores: [String] = []

    @Option(help: "The metric whose score is written under each map (default: the first of the file).")
    var metric: String?

    @Option(name: .customLong("tile"), help: "Width of a picture in points (72 to the inch).")
    var tile: Double = 120

    @Option(help: "Pixels per inch of a .png.")
    var dpi: Double = 192

    @Option(help: "Title of the figure.")
    var title: String = ""

    @OptionGroup(title: "Picture options") var overlayOptions: OverlayOptions

    @Option(
        name: [.customLong("output"), .customShort("o")], help: "File ending in .svg, .pdf or .png.",
        completion: .file(extensions: ["svg", "pdf", "png"]))
    var output: String

    func validate() throws {
        guard masks.isEmpty || masks.count == results.count else { throw ValidationError("--masks: one folder per --results") }
        guard labels.isEmpty || labels.count == results.count else { throw ValidationError("--label: one per --results") }
        guard scores.isEmpty || scores.count == results.count else { throw ValidationError("--scores: one file per --results") }
        guard rows > 0, columns ?? 1 > 0 else { throw ValidationError("--rows and --columns must be at least 1") }
        guard (20...2000).contains(tile) else { throw ValidationError("--tile must lie between 20 and 2000 points") }
        guard (36...1200).contains(dpi) else { throw ValidationError("--dpi must lie between 36 and 1200") }
        guard ["svg", "pdf", "png"].contains(FileCollection.ending(output)) else {
            throw ValidationError("--output \(output): a figure ends in .svg, .pdf or .png")
        }
    }

    func run() throws {
        try OutputFolder.check(file: output)
        var sheet = FigureSheet(title: title, rows: [], colorMap: overlayOptions.colorMap, tileWidth: tile, columns: columns)
        var remarks: [String] = []
        for (i, folder) in results.enumerated() {
            let part = try FigureFolder(
                folder, masks: masks.isEmpty ? nil : masks[i], maskRule: maskRule, images: images,
                scores: scores.isEmpty ? nil : FigureScores(scores[i], metric: metric), overlay: overlayOptions)
            let chosen = try part.images(named: names, first: rows)
            for image in chosen.images {
                sheet.rows.append(
                    try part.row(
                        image, heading: labels.isEmpty ? image : labels[i], methods: methods, showsOriginal: !hidesOriginal,
                        remarks: &remarks))
            }
            if chosen.left > 0 && labels.isEmpty { complain("note: \(folder): \(chosen.left) more images are not drawn (--rows)") }
        }
        guard sheet.rows.contains(where: { $0.tiles.contains { $0 != nil } }) else {
            throw CommandFailure(remarks.first ?? "nothing to draw")
        }
        try write(sheet.drawing())
        for remark in remarks { complain(remark) }
        if !remarks.isEmpty { throw ExitCode.someItemsFailed }
    }

    private func write(_ drawing: Drawing) throws {
        switch FileCollection.ending(output) {
        case "svg": try AtomicFile.write(Array(drawing.svg(isStandalone: true).utf8), to: output)
        case "pdf": try AtomicFile.write(drawing.pdf(), to: output)
        default:
            let scale = dpi / 72
            guard drawing.width * drawing.height * scale * scale <= Double(ImageLimits.default.pixels) else {
                throw CommandFailure(
                    "\(output): the figure would have more than \(ImageLimits.default.pixels) pixels; take fewer rows, or a lower --dpi")
            }
            try drawing.image(scale: scale).write(png: output)
        }
    }
}
