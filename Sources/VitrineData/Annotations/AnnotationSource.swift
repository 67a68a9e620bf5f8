import VitrineImage

/// Annotations of many images, found by the name of the image.
public protocol AnnotationSource: Sendable {
    /// What is known about an image.
    ///
    /// - Parameter image: path or name of the image; its last component is compared, with its extension where the format stores one, else
    ///   without.
    /// - Returns: nil when the source does not know the image; an empty annotation when it says that there is no lesion.
    func annotation(of image: String) throws(DataError) -> Annotation?
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
    ///   - path: a folder of files for `masks`, `voc`, `yolo`, `labelme`; a file for `coco` and `boxes`.
    ///   - rule: which values of mask images are lesion; other formats ignore it.
    ///   - classes: names of the classes that are lesions; nil takes all. YOLO names classes by their numbers.
    public func open(_ path: String, rule: MaskRule = .positive, classes: [String]? = nil) throws(DataError) -> any AnnotationSource {
        try opener(path, rule, classes)
    }

    /// All formats.
    public static let all: [AnnotationFormat] = [.masks, .coco, .pascalVOC, .yolo, .labelMe, .boxTable]
}

/// Files of a folder by their stem; two files of one stem are an error, since it is not clear which is meant.
///
/// A suffix such as `_mask` is taken off; where `x` and `x_mask` both exist, `x` is the image and `x_mask` is taken.
struct StemIndex: Sendable {
    private let paths: [String: String]

    init(folder: String, extensions: Set<String>, suffixes: [String] = [], neededBy: String) throws(DataError) {
        var plain: [String: String] = [:]
        var suffixed: [String: String] = [:]
        for name in try listFolder(folder, neededBy: neededBy) where extensions.contains(fileExtension(name)) {
            let key = stem(name)
            let path = join(folder, name)
            if let suffix = suffixes.first(where: { key.hasSuffix($0) && key.count > $0.count }) {
                let image = String(key.dropLast(suffix.count))
                if let other = suffixed.updateValue(path, forKey: image) { throw .ambiguous(first: other, second: path, image: image) }
            } else if let other = plain.updateValue(path, forKey: key) {
                throw .ambiguous(first: other, second: path, image: key)
            }
        }
        paths = plain.merging(suffixed) { _, suffixed in suffixed }
    }

    subscript(image: String) -> String? { paths[stem(image)] }
}
