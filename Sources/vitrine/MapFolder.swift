import Foundation
import VitrineData
import VitrineImage

/// A folder of maps: what `vitrine explain` left, or `.npy` files of another tool.
struct MapFolder {
    /// A map ready to be scored.
    struct Map {
        /// As the method made it, where the folder says how it is displayed; else as displayed.
        enum Content {
            case native(HeatMap)
            case displayed([Float], height: Int, width: Int)
        }

        var content: Content
        /// What `vitrine explain` wrote about it.
        var line: ResultLine?
        /// How a mask of the image gets to the map's view.
        var geometry: Preprocess?
        /// Why a map of `vitrine explain` is not scored from its grid.
        var remark: String?

        var height: Int {
            switch content {
            case .native(let map): map.height
            case .displayed(_, let height, _): height
            }
        }

        var width: Int {
            switch content {
            case .native(let map): map.width
            case .displayed(_, _, let width): width
            }
        }
    }

    /// The maps, by their paths below the folder.
    let files: [FileCollection.File]
    let explained: ExplainedFolder?
    private var preprocess: Preprocess?

    /// - Parameter preprocess: takes the place of what the folder says.
    init(_ folder: String, preprocess: String?) throws {
        guard FileCollection.isFolder(folder) == true else { throw CommandFailure("\(folder): there is no such folder of maps") }
        files = try FileCollection.tree(folder).filter {
            $0.path.hasSuffix(".npy") && !$0.path.hasSuffix(".grid.npy") && !$0.path.hasSuffix(".error.npy")
        }
        guard !files.isEmpty else { throw CommandFailure("\(folder): holds no map (.npy besides .grid.npy)") }
        explained = ExplainedFolder.exists(folder) ? try ExplainedFolder(folder) : nil
        self.preprocess = try preprocess.map { try Preprocess(parsing: $0) }
    }

    /// Takes a preprocessing where none is known.
    mutating func assume(_ preprocess: Preprocess) { self.preprocess = self.preprocess ?? preprocess }

    func line(_ file: FileCollection.File) -> ResultLine? { explained?[file: file.name] }

    func map(_ file: FileCollection.File) throws -> Map {
        let line = line(file)
        if let failure = line?.failure { throw CommandFailure("\(file.path): vitrine explain could not make this map: \(failure)") }
        let array = try NPY.read(file.path, mostValues: ImageLimits.scored.pixels)
        guard array.shape.count == 2, !array.values.isEmpty else {
            throw CommandFailure("\(file.path): has shape \(array.shape), expected height x width")
        }
        var map = Map(content: .displayed(array.values, height: array.shape[0], width: array.shape[1]), line: line, geometry: preprocess)
        guard let line, let explained else { return map }
        if map.geometry == nil { map.geometry = try explained.preprocess(line).map { try Preprocess(parsing: $0) } }
        guard let native = try explained.nativeMap(line) else {
            map.remark = "no native grid with its display rule beside them (explain the images again)"
            return map
        }
        // A map that was changed after it was made is scored as it stands.
        guard native.height == array.shape[0], native.width == array.shape[1],
            native.displayed().elementsEqual(array.values, by: Self.isSame)
        else {
            map.remark = "they are not what their .grid.npy displays"
            return map
        }
        map.content = .native(native)
        return map
    }

    private static func isSame(_ a: Float, _ b: Float) -> Bool { a.bitPattern == b.bitPattern || a == b }
}
