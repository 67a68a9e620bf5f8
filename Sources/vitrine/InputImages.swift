import Foundation
import VitrineData
import VitrineImage
import VitrineTensor

/// The images that arguments name: files, folders at any depth, patterns, and CSV files with a column `image`.
struct InputImages {
    struct Entry: Equatable {
        var path: String
        /// Where its files go below the output folder, and what keys its random draws: the path below the folder that was searched,
        /// without the ending; the file's stem for a file that was named itself.
        var name: String
    }

    var entries: [Entry] = []
    /// Files that look like images of a kind that is not read.
    var passedOver: [String] = []

    /// Arrays come prepared.
    var needPreprocessing: Bool { entries.contains { FileCollection.ending($0.path) != "npy" } }

    /// Endings that are taken whatever the file holds, so that a damaged file is named and not passed over; others are told by content.
    static let endings = Set(ImageCodec.fileExtensions)
    /// What people keep images in; a file of these endings that no codec recognises is counted.
    private static let imageEndings: Set<String> = [
        "bmp", "webp", "gif", "jp2", "j2k", "jpx", "nii", "gz", "mha", "mhd", "nrrd", "heic", "avif", "tga", "ppm", "pgm", "dicom", "ima",
        "svs", "ndpi", "exr",
    ]

    /// - Parameter output: the folder that will be written to; it is not searched, nor is any folder of earlier results.
    /// - Throws: `CommandFailure` when an argument names nothing, or two images would write the same files.
    init(_ arguments: [String], output: String) throws {
        var files: [FileCollection.File] = []
        for argument in arguments {
            if FileCollection.ending(argument) == "csv", FileCollection.isFolder(argument) == false {
                files += try Self.table(argument)
                continue
            }
            if FileCollection.isFolder(argument) == true, Self.real(argument) == Self.real(output) {
                throw CommandFailure(
                    "\(output): holds the images; write the maps to another folder, or the next run would explain them too")
            }
            var passedOver: [String] = []
            func isTaken(_ file: FileCollection.File) -> Bool {
                let ending = FileCollection.ending(file.path)
                if Self.endings.contains(ending) || Self.isImage(file.path) { return true }
                if Self.imageEndings.contains(ending) { passedOver.append(file.path) }
                return false
            }
            files += try FileCollection.expand(
                [argument], expected: "image (\(ImageCodec.all.map(\.name).joined(separator: ", ")), NPY)",
                skipping: { Self.real($0) == Self.real(output) || ExplainedFolder.exists($0) }, where: isTaken)
            self.passedOver += passedOver
        }
        entries = try Self.named(files, output: output)
    }

    /// Names that no two images share: as found; where that is not enough, by the paths below the folder that all have in common.
    private static func named(_ files: [FileCollection.File], output: String) throws -> [Entry] {
        func entries(_ names: [String]) -> [Entry] { zip(files, names).map { Entry(path: $0.path, name: $1) } }
        let asFound = files.map(\.name)
        if Set(asFound).count == asFound.count { return entries(asFound) }
        let parts = files.map { real($0.path).split(separator: "/").map(String.init) }
        var common = parts[0].dropLast().count
        for part in parts.dropFirst() { common = min(common, zip(parts[0].dropLast(), part.dropLast()).prefix { $0 == $1 }.count) }
        let names = parts.map { PathText.withoutEnding($0.dropFirst(common).joined(separator: "/")) }
        var first: [String: String] = [:]
        for (file, name) in zip(files, names) {
            guard let other = first.updateValue(file.path, forKey: name) else { continue }
            throw CommandFailure(
                real(other) == real(file.path)
                    ? "\(file.path): is named twice; name it once"
                    : "\(other) and \(file.path): would write the same files in \(output); explain them in two runs")
        }
        return entries(names)
    }

    /// The rows of a CSV file; paths are relative to it.
    private static func table(_ path: String) throws -> [FileCollection.File] {
        let contents = try Datasets.open("csv", path: path, options: ["extra-columns": "ignore"]).contents()
        return contents.samples.map { sample in
            let isBelow = !sample.id.hasPrefix("/") && !sample.id.split(separator: "/").contains("..")
            return FileCollection.File(
                path: sample.imagePath, relative: isBelow ? sample.id : PathText.name(sample.id))
        }
    }

    /// Whether the first bytes are those of a format that is read.
    private static func isImage(_ path: String) -> Bool {
        guard let handle = FileHandle(forReadingAtPath: path), let head = try? handle.read(upToCount: 1024) else { return false }
        try? handle.close()
        let bytes = [UInt8](head)
        return ImageCodec.all.contains { $0.recognises(bytes) }
    }

    private static func real(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().standardized.path }
}
