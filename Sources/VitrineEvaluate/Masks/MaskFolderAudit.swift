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

    /// File extensions that are taken for masks.
    public static let extensions = ["png", "jpg", "jpeg", "tif", "tiff"]

    /// Reads every image file of a folder, not of its subfolders.
    ///
    /// - Throws: what the file manager says if the folder cannot be listed; a damaged file lands in `failures`.
    public init(folder: URL, rule: MaskRule = .positive, seed: UInt64 = 0) throws {
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { MaskFolderAudit.extensions.contains($0.pathExtension.lowercased()) }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
        var audits: [MaskAudit] = []
        var masks: [ScoredMask] = []
        var failures: [(file: String, error: ImageError)] = []
        for file in files {
            do throws(ImageError) {
                let image = try Image(contentsOf: file.path)
                audits.append(MaskAudit(name: file.lastPathComponent, image: image, rule: rule))
                masks.append(ScoredMask(Mask(image, rule: rule)))
            } catch { failures.append((file.lastPathComponent, error)) }
        }
        self.masks = audits
        self.failures = failures
        levels = masks.isEmpty ? nil : ControlLevels(masks: masks, seed: seed)
    }
}
