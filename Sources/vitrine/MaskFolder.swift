import ArgumentParser
import Foundation
import Synchronization
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
    private let files: NamedFiles
    private let sums = MaskSums()

    /// - Parameter images: names of the maps or images that will ask, so that a mask in no folder is never given to two of them.
    init(_ folder: String, rule: MaskRule, frame: MaskFrame? = nil, images: [String]) throws {
        self.folder = folder
        self.rule = rule
        self.frame = frame
        files = try NamedFiles(folder, endings: Self.endings, what: "mask", names: images)
    }

    /// The mask of the map or image of this name; see `NamedFiles`.
    func file(_ name: String) throws -> FileCollection.File? { try files.file(name) }

    /// The mean of all masks but this one in the map's view, `height * width` values; nil where there is no other.
    ///
    /// Masks that do not lie on the map as this one does are brought to its size with nearest neighbours.
    func others(than own: Mask, for map: MapFolder.Map) throws -> [Float]? {
        let all = files.all
        guard all.count > 1 else { return nil }
        let sum = try sums.value("\(own.width)x\(own.height) \(map.geometry.map { "\($0)" } ?? "") \(map.line?.stored ?? [])") {
            var total = [Float](repeating: 0, count: own.width * own.height)
            for file in all {
                let stored = try read(file).mask
                let placed = (try? mask(stored, file, for: map)) ?? stored.resized(width: own.width, height: own.height)
                for i in total.indices where placed.bits[i] { total[i] += 1 }
            }
            return total
        }
        return sum.indices.map { (sum[$0] - (own.bits[$0] ? 1 : 0)) / Float(all.count - 1) }
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

/// Sums of masks by what they were summed for, made once.
private final class MaskSums: Sendable {
    private let known = Mutex<[String: [Float]]>([:])

    func value(_ key: String, _ make: () throws -> [Float]) throws -> [Float] {
        if let sum = known.withLock({ $0[key] }) { return sum }
        let sum = try make()
        known.withLock { $0[key] = sum }
        return sum
    }
}
