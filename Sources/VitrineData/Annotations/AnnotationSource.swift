import VitrineImage

/// Annotations of many images, found by the names that it gives them.
public protocol AnnotationSource: Sendable {
    /// The images it knows, `/` or `\` between folders; only formats that store an image's ending repeat it.
    var names: [String] { get }
    /// Items that belong to no image and were left out, one line each.
    var skipped: [String] { get }
    /// What is known about the image at a position of `names`; empty when there is no lesion.
    func annotation(at position: Int) throws(DataError) -> Annotation
}

extension AnnotationSource {
    public var skipped: [String] { [] }

    /// What is known about a single image; many are matched together by `NameMatch`.
    ///
    /// - Parameter image: path or name of the image.
    /// - Returns: nil when the source does not know the image.
    /// - Complexity: O(names).
    public func annotation(of image: String) throws(DataError) -> Annotation? {
        guard let position = try NameMatch(names).positions(of: [image])[0] else { return nil }
        return try annotation(at: position)
    }
}

/// A published format of annotations: a file or a folder on disk.
public struct AnnotationFormat: Sendable {
    /// The name in options and help texts.
    public let name: String
    /// One line: what stands on disk.
    public let summary: String
    /// Who defined it.
    public let citation: String
    private let opener: @Sendable (_ path: String, _ rule: MaskRule, _ classes: [String]?) throws(DataError) -> any AnnotationSource

    init(
        name: String, summary: String, citation: String,
        open: @escaping @Sendable (_ path: String, _ rule: MaskRule, _ classes: [String]?) throws(DataError) -> any AnnotationSource
    ) {
        self.name = name
        self.summary = summary
        self.citation = citation
        opener = open
    }

    /// Opens a file or a folder of this format.
    ///
    /// - Parameters:
    ///   - path: a folder of files, at any depth, for `masks`, `voc`, `yolo`, `labelme`; a file for `coco` and `boxes`.
    ///   - rule: which values of mask images are lesion; other formats ignore it.
    ///   - classes: names of the classes that are lesions; nil takes all. YOLO names classes by their numbers.
    public func open(_ path: String, rule: MaskRule = .positive, classes: [String]? = nil) throws(DataError) -> any AnnotationSource {
        try opener(path, rule, classes)
    }

    /// All formats.
    public static let all: [AnnotationFormat] = [.masks, .coco, .pascalVOC, .yolo, .labelMe, .boxTable]
}

/// The files of one ending in a folder, at any depth: one per image, of the image's stem.
struct AnnotationFiles: Sendable {
    let folder: String
    /// Relative to the folder.
    let names: [String]

    init(folder: String, ending: String) throws(DataError) {
        self.folder = folder
        names = try FolderWalk(folder, neededBy: "the annotations").files.filter { fileExtension($0) == ending }
    }

    func path(_ position: Int) -> String { join(folder, names[position]) }
}
