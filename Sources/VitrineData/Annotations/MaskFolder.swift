import VitrineImage

/// A folder of mask images, one per image, of the same stem or with `_mask` behind it.
struct MaskFolder: AnnotationSource {
    let index: StemIndex
    let rule: MaskRule

    func annotation(of image: String) throws(DataError) -> Annotation? {
        index[image].map { Annotation([.maskFile(path: $0, rule: rule)]) }
    }
}

extension AnnotationFormat {
    /// Mask images.
    static let masks = AnnotationFormat(
        name: "masks", summary: "folder of mask images (PNG, JPEG, TIFF, NPY) with the image's stem, or that and _mask",
        citation: "no standard; rules for which values are lesion: positive, at-least:N, half"
    ) { (path, rule, _) throws(DataError) in
        MaskFolder(
            index: try StemIndex(folder: path, extensions: imageExtensions, suffixes: ["_mask"], neededBy: "the annotations"), rule: rule)
    }
}
