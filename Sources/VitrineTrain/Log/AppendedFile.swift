import Foundation

/// A log that only grows; a resumed run cuts off what its state does not know.
final class AppendedFile {
    let path: String
    private let handle: FileHandle
    private(set) var count: Int

    /// - Parameter length: bytes to keep of what is there.
    init(path: String, keeping length: Int) throws {
        self.path = path
        if !FileManager.default.fileExists(atPath: path) {
            guard FileManager.default.createFile(atPath: path, contents: nil) else {
                throw TrainingError.unwritable(path: path, reason: "it cannot be made")
            }
        }
        guard let handle = FileHandle(forUpdatingAtPath: path) else {
            throw TrainingError.unwritable(path: path, reason: "it cannot be opened")
        }
        self.handle = handle
        do {
            count = min(length, Int(try handle.seekToEnd()))
            try handle.truncate(atOffset: UInt64(count))
            try handle.seek(toOffset: UInt64(count))
        } catch { throw TrainingError.unwritable(path: path, error) }
    }

    func append(_ bytes: [UInt8]) throws {
        do { try handle.write(contentsOf: Data(bytes)) } catch {
            throw TrainingError.unwritable(path: path, error)
        }
        count += bytes.count
    }
}
