import Foundation

/// A copy of a store in a folder of its own below the temporary folder; goes when nobody needs it any more.
///
/// A store of an earlier version is brought up to date before it is read. Reading must not change a file, which may also lie on a
/// medium that cannot be written: the copy is what is changed.
final class StoreCopy: Sendable {
    private let folder: String
    let path: String

    init(of file: StoreFile) throws(StoreError) {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("vitrine-store-\(UUID().uuidString)").path
        path = folder + "/store.sqlite"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for suffix in [""] + StoreFile.companions where suffix != "-shm" && FileManager.default.fileExists(atPath: file.path + suffix) {
                try Data(contentsOf: URL(fileURLWithPath: file.path + suffix)).write(to: URL(fileURLWithPath: path + suffix))
            }
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw .cannotOpen(path: file.path, reason: "no copy of it could be made in \(folder): \(Store.reason(error))")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
}
