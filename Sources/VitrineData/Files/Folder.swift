import Foundation
import VitrineImage
import VitrineTensor

/// Extensions of files that are taken for images when a folder is listed; DICOM files often have none, so their reader asks by content.
let imageExtensions = Set(ImageCodec.fileExtensions)

/// The names in a folder, hidden ones left out, in the order of their bytes: the same on every machine.
func listFolder(_ path: String, neededBy: String) throws(DataError) -> [String] {
    guard fileExists(path) else { throw .missing(path: path, neededBy: neededBy) }
    guard isFolder(path) else { throw .unreadable(path: path, reason: "it is a file, a folder is needed") }
    do {
        return try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    } catch { throw .unreadable(path: path, reason: "its names cannot be listed; check its permissions") }
}

/// Sub-folders of a folder, in the order of their bytes; what archivers leave behind is no folder of ours.
func listSubfolders(_ path: String, neededBy: String) throws(DataError) -> [String] {
    try listFolder(path, neededBy: neededBy).filter { isFolder(join(path, $0)) && !ImageListing.isLitter($0) }
}

/// All images below a folder, at any depth, as paths relative to it; what was passed over becomes a note.
func listImages(below path: String, neededBy: String, notes: inout [DataNote]) throws(DataError) -> [String] {
    let listing = try ImageListing(of: path, neededBy: neededBy)
    if let line = listing.note(path) { notes.append(.loss(line)) }
    return listing.images
}

/// Whether the path is a folder, or a link to one.
func isFolder(_ path: String) -> Bool { FileFacts(of: path)?.kind == .folder }

func fileExists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

/// `name` below `folder`; an absolute `name` stays as it is.
func join(_ folder: String, _ name: String) -> String {
    if name.hasPrefix("/") || folder.isEmpty { return name }
    return folder.hasSuffix("/") ? folder + name : folder + "/" + name
}

func lastComponent(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

/// The folder of a path, `.` for a bare name.
func parentFolder(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The extension in lower case, without its dot.
func fileExtension(_ path: String) -> String {
    let name = lastComponent(path)
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    return name[name.index(after: dot)...].lowercased()
}

/// The name of a file without folder and extension: what images and their annotations have in common.
func stem(_ path: String) -> String {
    let name = lastComponent(path)
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
    return String(name[..<dot])
}

/// The bytes of a regular file: reading a pipe or a device may never end.
private func readData(_ path: String) throws(DataError) -> Data {
    switch FileFacts(of: path)?.kind {
    case .folder: throw .unreadable(path: path, reason: "it is a folder")
    case .other: throw .unreadable(path: path, reason: "it is no regular file")
    case .regular, nil: break
    }
    guard let data = FileManager.default.contents(atPath: path) else { throw .unreadable(path: path, reason: "it may not be read") }
    return data
}

/// A UTF-8 text file.
func readText(_ path: String, neededBy: String) throws(DataError) -> String {
    guard fileExists(path) else { throw .missing(path: path, neededBy: neededBy) }
    let data = try readData(path)
    guard let text = String(data: data, encoding: .utf8) else {
        throw .unreadable(path: path, reason: "it is not UTF-8 text; save it as UTF-8")
    }
    return text
}

/// Decodes a JSON file; what is wrong in it is told by its place, such as `annotations[3].image_id`.
func readJSON<T: Decodable>(_ type: T.Type, _ path: String, neededBy: String) throws(DataError) -> T {
    guard fileExists(path) else { throw .missing(path: path, neededBy: neededBy) }
    let data = try readData(path)
    do { return try JSONDecoder().decode(type, from: data) } catch let error as DecodingError {
        let (keys, reason): ([any CodingKey], String)
        switch error {
        case .keyNotFound(let key, let context): (keys, reason) = (context.codingPath + [key], "is missing")
        case .typeMismatch(let type, let context): (keys, reason) = (context.codingPath, "is no \(type)")
        case .valueNotFound(let type, let context): (keys, reason) = (context.codingPath, "is null, a \(type) is needed")
        case .dataCorrupted(let context): (keys, reason) = (context.codingPath, context.debugDescription)
        @unknown default: (keys, reason) = ([], "cannot be decoded")
        }
        var place = ""
        for key in keys {
            if let index = key.intValue { place += "[\(index)]" } else { place += (place.isEmpty ? "" : ".") + key.stringValue }
        }
        throw .malformed(file: path, place: place.isEmpty ? "whole file" : place, reason: reason)
    } catch { throw .malformed(file: path, place: "whole file", reason: "is no JSON") }
}
