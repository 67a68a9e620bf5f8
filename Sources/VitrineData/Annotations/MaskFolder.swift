import VitrineImage
import VitrineTensor

/// A folder of mask images: of the image's stem, or that and `_mask`; several masks of one image (`_mask`, `_mask_1`, ...) are merged.
struct MaskFolder: AnnotationSource {
    let names: [String]
    /// The names without an ending.
    let images: [String]
    private let files: [[String]]
    private let rule: MaskRule

    /// Where `x` and `x_mask` both exist, `x` is the image and `x_mask` is taken.
    init(folder: String, rule: MaskRule) throws(DataError) {
        self.rule = rule
        /// Files by the image that they belong to: without a mark, and with one by its number.
        var plain: [String: String] = [:]
        var marked: [String: [Int: String]] = [:]
        for name in try ImageListing(of: folder, neededBy: "the annotations").images {
            let path = join(folder, name)
            let own = stem(name)
            let place = String(name.dropLast(lastComponent(name).count))
            if let mask = MaskName(stem: own) {
                let image = place + mask.image
                if let other = marked[image, default: [:]].updateValue(path, forKey: mask.number ?? -1) {
                    throw .ambiguous(first: other, second: path, image: mask.image)
                }
            } else if let other = plain.updateValue(path, forKey: place + own) {
                throw .ambiguous(first: other, second: path, image: own)
            }
        }
        let all = plain.mapValues { [$0] }.merging(marked.mapValues { $0.sorted { $0.key < $1.key }.map(\.value) }) { $1 }
        let sorted = all.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        images = sorted.map(\.key)
        // With the ending of the first mask; one without gets another, so that a dot in its name is not taken for its end.
        names = sorted.map { image, files in
            let ending = fileExtension(files[0])
            return image + "." + (ending.isEmpty ? "mask" : ending)
        }
        files = sorted.map(\.value)
    }

    func annotation(at position: Int) -> Annotation { Annotation(files[position].map { .maskFile(path: $0, rule: rule) }) }
}

extension AnnotationFormat {
    /// Mask images.
    static let masks = AnnotationFormat(
        name: "masks", summary: "folder of mask images with the image's stem, or that and _mask; _mask_1, _mask_2, ... are merged with it",
        citation: "no standard; rules for which values are lesion: positive, at-least:N, half"
    ) { (path, rule, _) throws(DataError) in try MaskFolder(folder: path, rule: rule) }
}
