/// A CSV of boxes: columns image, xmin, ymin, xmax, ymax in continuous pixels (`BoundingBox`), optionally label; a row per box.
///
/// A row whose four numbers are all empty says that its image has no lesion. A row that cannot be read spoils its own image alone.
struct BoxTable: AnnotationSource {
    let names: [String]
    private let annotations: [Annotation]

    init(path: String, classes: [String]?) throws(DataError) {
        let table = try CSVTable(path: path, neededBy: "the annotations")
        let image = try table.requiredColumn("image")
        var edges: [Int] = []
        for name in ["xmin", "ymin", "xmax", "ymax"] { edges.append(try table.requiredColumn(name)) }
        let label = table.column("label")
        let allowed = ["image", "xmin", "ymin", "xmax", "ymax", "label"]
        let known = [image] + edges + (label.map { [$0] } ?? [])
        for (i, name) in table.header.enumerated() where !known.contains(i) && !table.isIndex(i) {
            throw .malformed(file: path, place: "row 1", reason: "column '\(name)' is none of \(allowed.joined(separator: ", "))")
        }
        var positions: [String: Int] = [:]
        var names: [String] = []
        var found: [Annotation] = []
        for row in table.rows {
            let name = try table.required(row, image)
            let position = positions[name] ?? names.count
            if position == names.count {
                positions[name] = position
                names.append(name)
                found.append(Annotation([]))
            }
            let isLesion = classes.map { classes in table.field(row, label).map(classes.contains) ?? false } ?? true
            guard isLesion && edges.contains(where: { table.field(row, $0) != nil }) else { continue }
            do { found[position].regions.append(.box(try Self.box(table, row, edges))) } catch { found[position].fault = error }
        }
        self.names = names
        annotations = found
    }

    private static func box(_ table: CSVTable, _ row: CSVTable.Row, _ edges: [Int]) throws(DataError) -> BoundingBox {
        var values: [Double] = []
        for edge in edges { values.append(try table.number(row, edge)) }
        guard values[0] <= values[2], values[1] <= values[3] else {
            throw .malformed(file: table.path, place: "row \(row.number)", reason: "the box ends before it begins")
        }
        return BoundingBox(left: values[0], top: values[1], right: values[2], bottom: values[3])
    }

    func annotation(at position: Int) throws(DataError) -> Annotation {
        if let fault = annotations[position].fault { throw fault }
        return annotations[position]
    }
}

extension AnnotationFormat {
    /// A table of boxes.
    static let boxTable = AnnotationFormat(
        name: "boxes", summary: "CSV file with columns image, xmin, ymin, xmax, ymax and optionally label, in pixels from 0, ends outside",
        citation: "no standard; the columns are this project's"
    ) { (path, _, classes) throws(DataError) in try BoxTable(path: path, classes: classes) }
}
