/// A folder of YOLO text files, one per image: lines of a class and a box (centre x, centre y, width, height) or an outline (x and y in
/// turn, three points or more), in shares of the image.
struct YOLO: AnnotationSource {
    let files: AnnotationFiles
    /// Numbers of the classes that are lesions, as text.
    let classes: [String]?
    var names: [String] { files.names }

    func annotation(at position: Int) throws(DataError) -> Annotation {
        let path = files.path(position)
        var regions: [Annotation.Region] = []
        let lines = try readText(path, neededBy: "the annotations").split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (i, line) in lines.enumerated() {
            let fields = line.split(whereSeparator: \.isWhitespace)
            if fields.isEmpty { continue }
            // A class and pairs of numbers.
            guard fields.count == 5 || (fields.count >= 7 && fields.count % 2 == 1) else {
                throw .malformed(
                    file: path, place: "line \(i + 1)",
                    reason: "holds \(fields.count) values; class, centre x, centre y, width, height are needed, or class and points")
            }
            let values = fields.dropFirst().compactMap { Double($0) }
            guard Int(fields[0]) != nil, values.count == fields.count - 1, values.allSatisfy({ (0...1).contains($0) }) else {
                let count = fields.count == 5 ? "four" : "\(fields.count - 1)"
                throw .malformed(file: path, place: "line \(i + 1)", reason: "is no class number followed by \(count) numbers in 0...1")
            }
            if let classes, !classes.contains(String(fields[0])) { continue }
            if values.count == 4 {
                let (x, y, w, h) = (values[0], values[1], values[2], values[3])
                regions.append(.relativeBox(BoundingBox(left: x - w / 2, top: y - h / 2, right: x + w / 2, bottom: y + h / 2)))
            } else if let polygon = Polygon(flat: values) {
                regions.append(.relativePolygon(polygon))
            }
        }
        return Annotation(regions)
    }
}

extension AnnotationFormat {
    /// YOLO.
    static let yolo = AnnotationFormat(
        name: "yolo",
        summary: "folder of YOLO text files: boxes or outlines in shares of the image; an empty file says that there is no lesion",
        citation: "Redmon et al. 2016, You Only Look Once, https://doi.org/10.1109/CVPR.2016.91"
    ) { (path, _, classes) throws(DataError) in
        YOLO(files: try AnnotationFiles(folder: path, ending: "txt"), classes: classes)
    }
}
