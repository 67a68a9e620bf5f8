import Foundation
import VitrineImage
import VitrineTensor

/// Everything below a folder, in the order of its names' bytes: the same on every machine.
struct FolderWalk {
    /// Regular files, relative to the folder, `/` between folders.
    private(set) var files: [String] = []
    /// What is neither a file nor a folder that was not seen before.
    private(set) var odd: [ImageListing.PassedOver] = []
    private var seen: Set<FileFacts.Identity>

    /// - Parameters:
    ///   - isDeep: the sub-folders too; a folder that is reached twice, through a link, is walked once.
    ///   - avoiding: folders that are not entered.
    init(_ folder: String, isDeep: Bool = true, neededBy: String, avoiding: Set<FileFacts.Identity> = []) throws(DataError) {
        seen = avoiding
        guard let facts = FileFacts(of: folder) else { throw .missing(path: folder, neededBy: neededBy) }
        seen.insert(facts.identity)
        try walk(folder, below: "", isDeep: isDeep, neededBy: neededBy)
    }

    private mutating func walk(_ folder: String, below prefix: String, isDeep: Bool, neededBy: String) throws(DataError) {
        for name in try listFolder(folder, neededBy: neededBy) where !ImageListing.isLitter(name) {
            let path = join(folder, name)
            let own = prefix + name
            guard let facts = FileFacts(of: path) else {
                odd.append(ImageListing.PassedOver(path: own, reason: "a link that leads nowhere"))
                continue
            }
            switch facts.kind {
            case .folder:
                guard isDeep else { continue }
                guard seen.insert(facts.identity).inserted else {
                    odd.append(ImageListing.PassedOver(path: own, reason: "a link to a folder that is read already"))
                    continue
                }
                try walk(path, below: own + "/", isDeep: true, neededBy: neededBy)
            case .other: odd.append(ImageListing.PassedOver(path: own, reason: "no regular file"))
            case .regular: files.append(own)
            }
        }
    }
}

/// The images in a folder, and the files there that no codec reads.
///
/// A file is an image by its ending or, whatever its name, by its first bytes: DICOM files often have no ending at all. What is neither
/// an image nor a text or a table beside them is passed over and named, so that nothing is left out in silence.
public struct ImageListing: Sendable, Equatable {
    /// Paths relative to the folder, `/` between folders; within each folder in the order of their bytes, the same on every machine.
    public let images: [String]
    /// Files, and links to folders, that were not taken, relative to the folder, each with the reason.
    public let passedOver: [PassedOver]

    public struct PassedOver: Sendable, Equatable {
        public var path: String
        public var reason: String
    }

    /// Lists a folder.
    ///
    /// - Parameters:
    ///   - isDeep: its sub-folders too. A folder that is reached twice, by a link, is listed once.
    ///   - neededBy: who asks, for the error.
    /// - Throws: `DataError` for a folder that is missing or cannot be listed.
    public init(of folder: String, isDeep: Bool = true, neededBy: String = "this command") throws(DataError) {
        self.init(folder, try FolderWalk(folder, isDeep: isDeep, neededBy: neededBy))
    }

    init(_ folder: String, _ walk: FolderWalk) {
        var images: [String] = []
        var passedOver = walk.odd
        for file in walk.files {
            if Self.isImage(join(folder, file)) {
                images.append(file)
            } else if !Self.isSidecar(file) {
                passedOver.append(PassedOver(path: file, reason: "no format that is read"))
            }
        }
        self.images = images
        self.passedOver = passedOver
    }

    /// Whether a regular file is taken for an image: by its ending, else by its first bytes.
    static func isImage(_ path: String) -> Bool {
        if imageExtensions.contains(fileExtension(path)) { return true }
        guard let handle = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? handle.close() }
        // DICOM's mark stands at byte 128; every other format shows itself earlier.
        guard let data = try? handle.read(upToCount: 512), !data.isEmpty else { return false }
        let bytes = [UInt8](data)
        return ImageCodec.all.contains { $0.recognises(bytes) }
    }

    /// What operating systems and archivers leave behind, and the index of a DICOM medium, which has no pixels.
    static func isLitter(_ name: String) -> Bool {
        ["__macosx", "@eadir", "lost+found", "$recycle.bin", "system volume information", "thumbs.db", "desktop.ini", "dicomdir"]
            .contains(name.lowercased())
    }

    /// Texts, tables and metadata, which stand beside images on purpose.
    private static func isSidecar(_ path: String) -> Bool {
        let ending = fileExtension(path)
        if !ending.isEmpty { return sidecarEndings.contains(ending) }
        return ["readme", "license", "licence", "citation", "changelog", "md5sums", "sha256sums"].contains(stem(path).lowercased())
    }

    private static let sidecarEndings: Set<String> = [
        "txt", "csv", "tsv", "json", "jsonl", "xml", "yaml", "yml", "toml", "md", "rst", "html", "htm", "pdf", "log", "ini", "cfg", "py",
        "sh", "ipynb", "xlsx", "xls", "ods", "docx", "doc", "sqlite", "db", "sha256", "md5",
    ]

    /// One line that counts and names what was passed over; nil when there was nothing.
    public func note(_ folder: String) -> String? { Self.note(folder, passedOver) }

    static func note(_ folder: String, _ passedOver: [PassedOver]) -> String? {
        guard !passedOver.isEmpty else { return nil }
        let named = passedOver.prefix(5).map { "\(oneLine($0.path)) (\($0.reason))" }.joined(separator: ", ")
        let more = passedOver.count > 5 ? ", and \(passedOver.count - 5) more" : ""
        return "\(oneLine(folder)): \(passedOver.count) file\(passedOver.count == 1 ? "" : "s") passed over: \(named)\(more)"
    }
}

/// A name as it may stand in a message of one line.
func oneLine(_ text: String) -> String { String(text.printable.map { $0.isNewline || $0 == "\t" ? "\u{FFFD}" : $0 }) }
