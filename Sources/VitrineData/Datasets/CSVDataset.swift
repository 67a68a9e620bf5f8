/// A CSV file with the columns image, label, patient, mask, split, all optional but image; paths are relative to the file.
struct CSVDataset: Dataset {
    static let information = DatasetInformation(
        identifier: "csv", title: "CSV table", citation: "no standard; the columns are this project's",
        layout: "a CSV file, or a folder with a labels.csv: columns image, label, patient, mask, split, all optional but image",
        positiveClass: nil, preprocess: .resize(224), preparation: nil,
        options: Self.columns.map {
            DatasetOption(name: $0 + "-column", summary: "name of the column that holds the \($0)", standard: $0)
        } + [
            DatasetOption(
                name: "classes", summary: "class names in the order of their labels, separated by commas", standard: "what the labels are"),
            DatasetOption(name: "positive", summary: "class whose evidence is explained", standard: "the last class"),
            DatasetOption(name: "extra-columns", summary: "columns without a meaning here: error or ignore", standard: "error"),
        ])

    private static let columns = ["image", "label", "patient", "mask", "split"]
    /// What `vitrine phantom` writes besides: the mask of a planted shortcut.
    private static let phantomColumn = "shortcut"
    /// Integer labels beyond this are taken for a mistake (a column of ids, say).
    private static let largestLabel = 9_999

    let path: String
    private let options: DatasetOptions

    init(path: String, options: DatasetOptions) throws(DataError) {
        self.path = isFolder(path) ? join(path, "labels.csv") : path
        self.options = options
    }

    func contents() throws(DataError) -> DatasetContents {
        let table = try CSVTable(path: path, neededBy: "the data set")
        var positions: [String: Int] = [:]
        for name in Self.columns {
            let asked = options[name + "-column"]
            if let position = table.column(asked ?? name) {
                positions[name] = position
            } else if asked != nil || name == "image" {
                throw .missingColumn(file: path, column: asked ?? name, found: table.header)
            }
        }
        if try options.choice("extra-columns", of: ["error", "ignore"]) == "error" {
            for (i, name) in table.header.enumerated() where !name.isEmpty && name != Self.phantomColumn && !positions.values.contains(i) {
                throw .unknownColumn(file: path, column: name, allowed: Self.columns)
            }
        }
        let classes = try classNames(table, positions["label"])
        let rule = try options.maskRule()
        let keepsMissingFiles = try options.keepsMissingFiles
        let folder = parentFolder(path)
        var samples: [Sample] = []
        var rows: [String: Int] = [:]
        for row in table.rows {
            let image = try table.required(row, positions["image"]!)
            if let first = rows.updateValue(row.number, forKey: image) {
                throw .repeatedImage(file: path, row: row.number, image: image, firstRow: first)
            }
            func existing(_ name: String) throws(DataError) -> String {
                let file = join(folder, name)
                guard keepsMissingFiles || fileExists(file) else { throw .missing(path: file, neededBy: "\(path), row \(row.number)") }
                return file
            }
            var sample = Sample(id: image, imagePath: try existing(image))
            if let text = table.field(row, positions["label"]) {
                guard let label = classes.firstIndex(of: text) ?? integer(text, below: classes.count) else {
                    throw .unknownLabel(file: path, row: row.number, label: text, classes: classes)
                }
                sample.label = label
            }
            sample.patient = table.field(row, positions["patient"])
            if let mask = table.field(row, positions["mask"]) {
                sample.annotation = Annotation([.maskFile(path: try existing(mask), rule: rule)])
            }
            if let text = table.field(row, positions["split"]) {
                guard let split = Split(name: text) else { throw .unknownSplit(file: path, row: row.number, split: text) }
                sample.split = split
            }
            samples.append(sample)
        }
        guard !samples.isEmpty else { throw .noImages(path: path, expected: "a row per image below the header") }
        return DatasetContents(classNames: classes, positiveLabel: try positiveLabel(options, classes), samples: samples)
    }

    /// The option's names; else, for labels that are all whole numbers, 0 to the largest; else the distinct labels by name.
    private func classNames(_ table: CSVTable, _ column: Int?) throws(DataError) -> [String] {
        if let names = options.list("classes") { return names }
        let labels = Set(table.rows.compactMap { table.field($0, column) })
        let numbers = labels.compactMap { integer($0, below: Self.largestLabel + 1) }
        if numbers.count == labels.count { return numbers.max().map { (0...$0).map(String.init) } ?? [] }
        if let odd = table.rows.first(where: { row in
            table.field(row, column).flatMap { Int($0) }.map { !(0...Self.largestLabel).contains($0) } ?? false
        }) {
            throw .unknownLabel(
                file: path, row: odd.number, label: table.field(odd, column) ?? "", classes: ["0...\(Self.largestLabel)", "or names"])
        }
        return labels.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private func integer(_ text: String, below bound: Int) -> Int? { Int(text).flatMap { (0..<bound).contains($0) ? $0 : nil } }
}
