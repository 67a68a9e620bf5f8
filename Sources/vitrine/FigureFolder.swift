import Foundation
import VitrineData
import VitrineImage
import VitrineTensor

/// A folder of maps, as rows of a figure.
struct FigureFolder {
    private let folder: String
    private let explained: ExplainedFolder
    private let masks: MaskFolder?
    private let images: String?
    private let scores: FigureScores?
    private let overlay: OverlayOptions

    init(
        _ folder: String, masks: String?, maskRule: MaskRule, images: String?, scores: FigureScores?, overlay: OverlayOptions
    ) throws {
        self.folder = folder
        self.images = images
        self.scores = scores
        self.overlay = overlay
        explained = try ExplainedFolder(folder)
        let names = explained.results.map(\.imageName)
        self.masks = try masks.map { try MaskFolder($0, rule: maskRule, images: names) }
    }

    /// The images to draw, and how many there are besides.
    func images(named names: [String], first rows: Int) throws -> (images: [String], left: Int) {
        var seen = Set<String>()
        let all = explained.results.map(\.imageName).filter { seen.insert($0).inserted }
        guard !names.isEmpty else { return (Array(all.prefix(rows)), max(0, all.count - rows)) }
        let chosen = try names.map { name in
            let wanted = seen.contains(name) ? name : PathText.withoutEnding(name)
            guard seen.contains(wanted) else {
                throw CommandFailure(
                    "\(folder): holds no maps of '\(name)'\(Suggestion.question(name, in: all)) It holds \(Words.some(all))")
            }
            return wanted
        }
        return (chosen, 0)
    }

    /// - Parameter remarks: what is missing from the row, to be said at the end.
    func row(
        _ image: String, heading: String, methods wanted: [String], showsOriginal: Bool, remarks: inout [String]
    ) throws -> FigureSheet.Row {
        let lines = explained.results.filter { $0.imageName == image }
        var row = FigureSheet.Row(heading: heading, tiles: [])
        guard let first = lines.first else { return row }
        let (picture, preprocess) = try source(first)
        var outline: Mask?
        if let masks {
            if let file = try masks.file(image) {
                let read = try masks.read(file)
                complainOnce(read.notes.map { (file.path, $0) })
                outline = try picture.place(read.mask, file: file.path)
            } else {
                remarks.append("\(image): there is no mask of this name in \(masks.folder); no outline is drawn")
            }
        }
        if showsOriginal {
            var canvas = Canvas(picture.image)
            if let outline { canvas.draw(outline.outline, color: .white) }
            row.tiles.append(.init(name: "image", picture: canvas.image))
        }
        for method in wanted.isEmpty ? lines.map(\.method) : wanted {
            guard let line = lines.first(where: { $0.method == method }) else {
                remarks.append("\(image): \(folder) holds no map of \(method)\(Suggestion.question(method, in: lines.map(\.method)))")
                row.tiles.append(nil)
                continue
            }
            do {
                row.tiles.append(try tile(line, on: picture, preprocess, outline))
            } catch {
                remarks.append("\(error)")
                row.tiles.append(nil)
            }
        }
        return row
    }

    private func tile(_ line: ResultLine, on picture: MapPicture, _ preprocess: Preprocess, _ outline: Mask?) throws -> FigureSheet.Tile {
        let path = FileCollection.join(folder, line.mapFile + ".npy")
        if let failure = line.failure { throw CommandFailure("\(line.image): \(line.method) has no map: \(failure)") }
        let map = try map(line, path)
        guard map.width == picture.viewWidth, map.height == picture.viewHeight else {
            throw CommandFailure(
                "\(path): the map is \(map.width) x \(map.height) pixels, and \(line.image) gives the network "
                    + "\(picture.viewWidth) x \(picture.viewHeight): the image or the map has changed; explain it again")
        }
        let placed = picture.place(map)
        let style = overlay.overlay(showsColorBar: false)
        var captions: [String] = []
        if let answer = line.answer { captions.append(answer) }
        if let score = scores?.score(line) { captions.append(score) }
        if let stability = line.audit?.stability, stability.isDoubtful {
            captions.append("NOISE: r \(Words.correlation(stability.pearsonMean)) with itself")
        }
        return FigureSheet.Tile(
            name: line.method, picture: style.picture(of: placed, over: picture.image, outline: outline), captions: captions,
            range: placed.emptiness == nil ? placed.range : nil)
    }

    /// The native map; of a folder without display rules the displayed one.
    private func map(_ line: ResultLine, _ path: String) throws -> HeatMap {
        if let native = try explained.nativeMap(line) { return native }
        let array = try NPY.read(path)
        guard array.shape.count == 2, !array.values.isEmpty else {
            throw CommandFailure("\(path): has shape \(array.shape), expected height x width")
        }
        return HeatMap(
            rows: array.shape[0], columns: array.shape[1], values: array.values, height: array.shape[0], width: array.shape[1],
            display: .finished)
    }

    /// The image of a line, from where it was, from beside the results, or from the folder that was named.
    private func source(_ line: ResultLine) throws -> (MapPicture, Preprocess) {
        guard let text = explained.preprocess(line) else {
            throw CommandFailure("\(folder)/results.jsonl: has no provenance line for \(line.image); explain the images again")
        }
        let preprocess = try Preprocess(parsing: text)
        var places = [line.path, line.image].compactMap { $0 }
        if !line.image.hasPrefix("/") { places.append(FileCollection.join(folder, line.image)) }
        if let images {
            let name = PathText.name(line.image)
            let ending = PathText.ending(name)
            places = ["\(line.imageName).\(ending)", name].map { FileCollection.join(images, $0) }
        }
        guard let path = places.first(where: { FileCollection.isFolder($0) == false }) else {
            throw CommandFailure("\(places[0]): there is no such image any more; name its folder with --images")
        }
        if FileCollection.ending(path) == "npy" {
            let prepared = try PreprocessedImage(contentsOf: path, preprocess: preprocess)
            return (MapPicture(stored: nil, view: prepared.image, preprocess: preprocess), preprocess)
        }
        let stored = try Image(contentsOf: path)
        if let then = line.stored, then != [stored.width, stored.height] {
            throw CommandFailure(
                "\(path): is \(stored.width) x \(stored.height) pixels and was \(then.map(String.init).joined(separator: " x ")) when it was "
                    + "explained; restore it, or explain it again")
        }
        let prepared = try PreprocessedImage(stored, preprocess: preprocess)
        return (
            MapPicture(stored: stored, view: prepared.image, preprocess: preprocess, inOwnFrame: overlay.frame == .stored), preprocess
        )
    }
}

/// Scores of a folder's maps for the captions of a figure.
struct FigureScores {
    private var byFile: [String: String] = [:]
    let metric: String

    /// - Parameter metric: nil takes the first of the file.
    init(_ path: String, metric: String?) throws {
        let rows = try Table.read(path)
        guard let header = rows.first, let item = header.firstIndex(of: "item"), let name = header.firstIndex(of: "metric"),
            let value = header.firstIndex(of: "value")
        else { throw CommandFailure("\(path): has not the columns item, metric and value; name a file that vitrine evaluate wrote") }
        let all = Set(rows.dropFirst().compactMap { $0.indices.contains(name) ? $0[name] : nil })
        let chosen = metric ?? rows.dropFirst().first.flatMap { $0.indices.contains(name) ? $0[name] : nil } ?? ""
        guard all.contains(chosen) else {
            throw CommandFailure(
                "\(path): holds no metric '\(chosen)'\(Suggestion.question(chosen, in: all.sorted())) It holds \(all.sorted().joined(separator: ", "))"
            )
        }
        self.metric = chosen
        for row in rows.dropFirst() where row.count > max(item, name, value) && row[name] == chosen {
            byFile[row[item]] = Double(row[value]).map { String(format: "%.3f", $0) } ?? "undefined"
        }
    }

    func score(_ line: ResultLine) -> String? { byFile[line.mapFile].map { "\(metric) \($0)" } }
}
