import Foundation
import VitrineTensor

/// Folders that a command writes to, looked at before any work is done.
enum OutputFolder {
    /// Makes a folder with those above it.
    ///
    /// - Throws: `CommandFailure` or `FileFailure`, one line, when it is a file, or cannot be made or written.
    static func make(_ path: String) throws {
        if FileCollection.isFolder(path) == false { throw CommandFailure("\(path): is a file; choose a folder for the results") }
        try FileSystem.makeFolder(path)
        guard FileManager.default.isWritableFile(atPath: path) else {
            throw CommandFailure("\(path): cannot be written to; choose another folder, or change its permissions")
        }
    }

    /// Complains early about a file that cannot be written.
    static func check(file path: String) throws {
        if FileCollection.isFolder(path) == true { throw CommandFailure("\(path): is a folder; name a file") }
        let folder = PathText.folder(path)
        guard FileCollection.isFolder(folder.isEmpty ? "." : folder) == true else {
            throw CommandFailure("\(path): there is no folder \(folder) to write it to; make it first")
        }
        guard FileManager.default.isWritableFile(atPath: folder.isEmpty ? "." : folder) else {
            throw CommandFailure("\(path): cannot be written; choose another folder, or change its permissions")
        }
    }
}
