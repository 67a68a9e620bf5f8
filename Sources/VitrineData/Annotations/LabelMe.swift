/// A folder of LabelMe files, one per image: polygons and rectangles.
struct LabelMe: AnnotationSource {
    let index: StemIndex
    let classes: [String]?

    func annotation(of image: String) throws(DataError) -> Annotation? {
        guard let path = index[image] else { return nil }
        let file = try readJSON(File.self, path, neededBy: "the annotations")
        var regions: [Annotation.Region] = []
        for (i, shape) in file.shapes.enumerated() where classes.map({ $0.contains(shape.label) }) ?? true {
            let place = "shapes[\(i)]"
            switch shape.shapeType ?? "polygon" {
            case "polygon":
                guard shape.points.allSatisfy({ $0.count == 2 }), let polygon = Polygon(flat: shape.points.flatMap { $0 }) else {
                    throw .malformed(file: path, place: place, reason: "a polygon has at least three points of two numbers")
                }
                regions.append(.polygon(polygon))
            case "rectangle":
                guard shape.points.count == 2, shape.points.allSatisfy({ $0.count == 2 }) else {
                    throw .malformed(file: path, place: place, reason: "a rectangle has two points of two numbers")
                }
                let (a, b) = (shape.points[0], shape.points[1])
                regions.append(
                    .box(BoundingBox(left: min(a[0], b[0]), top: min(a[1], b[1]), right: max(a[0], b[0]), bottom: max(a[1], b[1]))))
            case let other:
                throw .malformed(file: path, place: place, reason: "is a '\(other)'; only polygons and rectangles are regions, redraw it")
            }
        }
        return Annotation(regions, drawnOn: file.imageWidth.flatMap { w in file.imageHeight.map { [w, $0] } })
    }

    /// The parts of a file that matter here, under their published names.
    private struct File: Decodable {
        struct Shape: Decodable {
            let label: String
            let points: [[Double]]
            let shapeType: String?

            enum CodingKeys: String, CodingKey {
                case label, points
                case shapeType = "shape_type"
            }
        }
        let shapes: [Shape]
        let imageWidth, imageHeight: Int?
    }
}

extension AnnotationFormat {
    /// LabelMe.
    static let labelMe = AnnotationFormat(
        name: "labelme", summary: "folder of LabelMe JSON files: polygons and rectangles",
        citation:
            "Russell et al. 2008, LabelMe, https://doi.org/10.1007/s11263-007-0090-8; file format of https://github.com/wkentaro/labelme"
    ) { (path, _, classes) throws(DataError) in
        LabelMe(index: try StemIndex(folder: path, extensions: ["json"], neededBy: "the annotations"), classes: classes)
    }
}
