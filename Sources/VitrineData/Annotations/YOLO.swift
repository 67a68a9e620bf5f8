/// A folder of YOLO text files, one per image: lines of class, centre x, centre y, width, height, in shares of the image.
struct YOLO: AnnotationSource {
    let index: StemIndex
    /// Numbers of the classes that are lesions, as text.
    let classes: [String]?

    func annotation(of image: String) throws(DataError) -> Annotation? {
        guard let path = index[image] else { return nil }
        var regions: [Annotation.Region] = []
        let lines = try readText(path, neededBy: "the annotations").split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (i, line) in lines.enumerated() {
            let fields = line.split(whereSeparator: \.isWhitespace)
            if fields.isEmpty { continue }
            guard fields.count == 5 else {
                throw .malformed(
                    file: path, place: "line \(i + 1)",
                    reason: "holds \(fields.count) values; class, centre x, centre y, width, height are needed")
            }
            let values = fields.dropFirst().compactMap { Double($0) }
            guard Int(fields[0]) != nil, values.count == 4, values.allSatisfy({ (0...1).contains($0) }) else {
                throw .malformed(file: path, place: "line \(i + 1)", reason: "is no class number followed by four numbers in 0...1")
            }
            if let classes, !classes.contains(String(fields[0])) { continue }
            let (x, y, w, h) = (values[0], values[1], values[2], values[3])
            regions.append(.relativeBox(BoundingBox(left: x - w / 2, top: y - h / 2, right: x + w / 2, bottom: y + h / 2)))
        }
        return Annotation(regions)
    }
}

extension AnnotationFormat {
    /// YOLO.
    static let yolo = AnnotationFormat(
        name: "yolo", summary: "folder of YOLO text files: boxes in shares of the image; an empty file says that there is no lesion",
        citation: "Redmon et al. 2016, You Only Look Once, https://doi.org/10.1109/CVPR.2016.91"
    ) { (path, _, classes) throws(DataError) in
        YOLO(index: try StemIndex(folder: path, extensions: ["txt"], neededBy: "the annotations"), classes: classes)
    }
}
