import Foundation
import VitrineImage

/// The masks of a folder, one by one and as a whole.
public struct MaskFolderAudit: Sendable {
    /// In the order of the file names.
    public let masks: [MaskAudit]
    /// What maps without knowledge of the images score on them; absent if no mask could be read.
    public let levels: ControlLevels?
    /// Files with an image's extension that could not be read, with the reason.
    public let failures: [(file: String, error: ImageError)]
    /// What may be wrong with masks that were read.
    public let notes: [(file: String, note: String)]

    /// File extensions that are taken for masks.
    public static let extensions = ImageCodec.fileExtensions

    /// Reads every image file of a folder, not of its subfolders, as `MaskFile` reads masks.
    ///
    /// - Throws: what the file manager says if the folder cannot be listed; a damaged file lands in `failures`.
    public init(folder: URL, rule: MaskRule = .positive, seed: UInt64 = 0) throws {
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { MaskFolderAudit.extensions.contains($0.pathExtension.lowercased()) }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
        var audits: [MaskAudit] = []
        var masks: [ScoredMask] = []
        var failures: [(file: String, error: ImageError)] = []
        var notes: [(file: String, note: String)] = []
        for file in files {
            do throws(ImageError) {
                let read = try MaskFile(contentsOf: file.path, rule: rule, limits: .scored)
                audits.append(MaskAudit(name: file.lastPathComponent, mask: read.mask, greyLevels: read.greyLevels))
                masks.append(ScoredMask(read.mask))
                notes += read.notes.map { (file.lastPathComponent, $0) }
            } catch { failures.append((file.lastPathComponent, error)) }
        }
        self.masks = audits
        self.failures = failures
        self.notes = notes
        levels = masks.isEmpty ? nil : ControlLevels(masks: masks, seed: seed)
    }
}
