import ArgumentParser
import Foundation
import VitrineImage

/// Which picture the masks were drawn on.
enum MaskFrame: String, ExpressibleByArgument, CaseIterable {
    /// The image as stored.
    case image
    /// What the network saw.
    case network
}

/// A folder of experts' masks, found by the names of their images.
struct MaskFolder {
    static let endings = Set(ImageCodec.fileExtensions)

    let folder: String
    private let rule: MaskRule
    private let frame: MaskFrame?
    private var byName: [String: FileCollection.File] = [:]
    /// All masks of a file name, whatever their folders.
    private var byStem: [String: [FileCollection.File]] = [:]

    /// - Parameter images: names of the maps or images that will ask, so that a mask in no folder is never given to two of them.
    init(_ folder: String, rule: MaskRule, frame: MaskFrame? = nil, images: [String]) throws {
        self.folder = folder
        self.rule = rule
        self.frame = frame
        guard FileCollection.isFolder(folder) == true else { throw CommandFailure("\(folder): there is no such folder of masks") }
        for file in try FileCollection.expand([folder], endings: Self.endings) {
            if let other = byName.updateValue(file, forKey: file.name) {
                throw CommandFailure("\(other.path) and \(file.path): two masks of one name; keep one")
            }
            byStem[PathText.name(file.name), default: []].append(file)
        }
        noteSharedStems(images)
    }

    /// The mask of the map or image of this name: of the same name, or of the longest that the map's continues after a dot.
    ///
    /// - Throws: where masks of several folders have the name, and none of them lies where the map lies.
    func file(_ name: String) throws -> FileCollection.File? {
        let folder = PathText.folder(name)
        var stem = PathText.name(name)[...]
        while true {
            if let file = byName[folder.isEmpty ? String(stem) : folder + "/" + stem] { return file }
            if let files = byStem[String(stem)] {
                // One mask for the images of several folders would be somebody else's.
                guard files.count == 1, folder.isEmpty || !files[0].relative.contains("/") && !foldersMatter(String(stem)) else {
                    throw CommandFailure(
                        "\(name): it is not clear whose mask \(Words.some(files.map(\.path))) is; keep masks in the same folders as the images"
                    )
                }
                return files[0]
            }
            guard let dot = stem.lastIndex(of: ".") else { return nil }
            stem = stem[..<dot]
        }
    }

    /// File names that several maps of different folders have; their masks must lie in the same folders.
    private var sharedStems: Set<String> = []
    private func foldersMatter(_ stem: String) -> Bool { sharedStems.contains(stem) }

    private mutating func noteSharedStems(_ names: [String]) {
        var folders: [String: Set<String>] = [:]
        for name in names {
            let folder = PathText.folder(name)
            var stem = PathText.name(name)[...]
            while true {
                folders[String(stem), default: []].insert(folder)
                guard let dot = stem.lastIndex(of: ".") else { break }
                stem = stem[..<dot]
            }
        }
        sharedStems = Set(folders.filter { $0.value.count > 1 }.keys)
    }

    /// The mask as stored, with what may be wrong with it.
    func read(_ file: FileCollection.File) throws -> MaskFile { try MaskFile(contentsOf: file.path, rule: rule, limits: .scored) }

    /// The mask in the map's view.
    ///
    /// A mask of the stored image's size goes the image's way, one that has the view's size is taken as it is; where both sizes are equal
    /// and the way is none that leaves it alone, the stored size decides, and where that is unknown it is asked for.
    func mask(_ mask: Mask, _ file: FileCollection.File, for map: MapFolder.Map) throws -> Mask {
        guard let geometry = map.geometry else { return try fitting(mask, file, map) }
        let isView = mask.width == map.width && mask.height == map.height
        if frame == .network { return try fitting(mask, file, map) }
        if frame == .image { return try fitting(geometry.apply(to: mask), file, map) }
        if let line = map.line, line.view != nil {
            guard let stored = line.stored else { return try fitting(mask, file, map) }
            if stored == [mask.width, mask.height] { return try fitting(geometry.apply(to: mask), file, map) }
            guard isView else {
                throw MaskMismatch(
                    "\(file.path): mask of \(mask.width) x \(mask.height) pixels fits neither its image "
                        + "(\(stored.map(String.init).joined(separator: " x "))) nor the map (\(map.width) x \(map.height)); "
                        + "export it at the image's size")
            }
            return mask
        }
        let applied = try geometry.apply(to: mask)
        guard isView, applied != mask else { return try fitting(applied, file, map) }
        throw MaskMismatch(
            "\(file.path): the mask has the map's size, and \(geometry) changes it; say with --mask-frame whether it lies on the image or on the network's view"
        )
    }

    private func fitting(_ mask: Mask, _ file: FileCollection.File, _ map: MapFolder.Map) throws -> Mask {
        guard mask.width == map.width && mask.height == map.height else {
            throw MaskMismatch(
                "\(file.path): the map is \(map.width) x \(map.height) pixels and the mask \(mask.width) x \(mask.height): "
                    + "bring it to the map's view with --preprocess, such as --preprocess resize:\(map.width)")
        }
        return mask
    }
}

/// A mask that does not lie on its map.
struct MaskMismatch: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
