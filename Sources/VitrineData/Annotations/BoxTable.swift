/// A CSV of boxes: columns image, xmin, ymin, xmax, ymax in continuous pixels (`BoundingBox`), optionally label; a row per box.
///
/// A row whose four numbers are all empty says that its image has no lesion.
struct BoxTable: AnnotationSource {
    private let annotations: [String: Annotation]
    private let byStem: [String: String]

    init(path: String, classes: [String]?) throws(DataError) {
        let table = try CSVTable(path: path, neededBy: "the annotations")
        let image = try table.requiredColumn("image")
        var edges: [Int] = []
        for name in ["xmin", "ymin", "xmax", "ymax"] { edges.append(try table.requiredColumn(name)) }
        let label = table.column("label")
        let allowed = ["image", "xmin", "ymin", "xmax", "ymax", "label"]
        for name in table.header where !allowed.contains(name) && !name.isEmpty {
            throw .malformed(file: path, place: "row 1", reason: "column '\(name)' is none of \(allowed.joined(separator: ", "))")
        }
        var found: [String: Annotation] = [:]
        for row in table.rows {
            let name = lastComponent(try table.required(row, image))
            var annotation = found[name] ?? Annotation([])
            let isLesion = classes.map { classes in table.field(row, label).map(classes.contains) ?? false } ?? true
            if isLesion && edges.contains(where: { table.field(row, $0) != nil }) {
                var values: [Double] = []
                for edge in edges { values.append(try table.number(row, edge)) }
                guard values[0] <= values[2], values[1] <= values[3] else {
                    throw .malformed(file: path, place: "row \(row.number)", reason: "the box ends before it begins")
                }
                annotation.regions.append(.box(BoundingBox(left: values[0], top: values[1], right: values[2], bottom: values[3])))
            }
            found[name] = annotation
        }
        annotations = found
        byStem = Dictionary(found.keys.map { (stem($0), $0) }, uniquingKeysWith: { min($0, $1) })
    }

    func annotation(of image: String) throws(DataError) -> Annotation? {
        annotations[lastComponent(image)] ?? byStem[stem(image)].flatMap { annotations[$0] }
    }
}

extension AnnotationFormat {
    /// A table of boxes.
    static let boxTable = AnnotationFormat(
        name: "boxes", summary: "CSV file with columns image, xmin, ymin, xmax, ymax and optionally label, in pixels from 0, ends outside",
        citation: "no standard; the columns are this project's"
    ) { (path, _, classes) throws(DataError) in try BoxTable(path: path, classes: classes) }
}
