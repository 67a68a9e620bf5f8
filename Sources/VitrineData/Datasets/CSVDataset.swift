import VitrineTensor

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
            PositiveClass.option,
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
            for (i, name) in table.header.enumerated()
            where !table.isIndex(i) && name != Self.phantomColumn && !positions.values.contains(i) {
                throw .unknownColumn(file: path, column: name, allowed: Self.columns)
            }
        }
        try refuseMissingValues(table, positions)
        let classes = try classNames(table, positions["label"])
        // A number stands for a position only where no class is named by a number.
        let takesPositions = options["classes"] == nil || classes.allSatisfy { Int($0) == nil }
        let rule = try options.maskRule()
        let keepsMissingFiles = try options.keepsMissingFiles
        let folder = parentFolder(path)
        var samples: [Sample] = []
        // By the bytes of the name, and by the file that it leads to: two spellings of one path are one image.
        var rows: [[UInt8]: Int] = [:]
        var files: [FileFacts.Identity: Int] = [:]
        var spellings = Spellings(folder: folder)
        for row in table.rows {
            let written = try table.required(row, positions["image"]!)
            func existing(_ name: String) throws(DataError) -> String {
                if let spelling = spellings.onDisk(name) { return spelling }
                guard keepsMissingFiles else { throw .missing(path: join(folder, name), neededBy: "\(path), row \(row.number)") }
                return name
            }
            if let first = rows.updateValue(row.number, forKey: Array(written.utf8)) {
                throw .repeatedImage(file: path, row: row.number, image: written, firstRow: first)
            }
            let image = try existing(written)
            if let identity = FileFacts(of: join(folder, image))?.identity, let first = files.updateValue(row.number, forKey: identity) {
                throw .repeatedImage(file: path, row: row.number, image: written, firstRow: first)
            }
            var sample = Sample(id: image, imagePath: join(folder, image))
            if let text = table.field(row, positions["label"]) {
                guard let label = classes.firstIndex(of: text) ?? (takesPositions ? integer(text, below: classes.count) : nil) else {
                    throw .unknownLabel(file: path, row: row.number, label: text, classes: classes)
                }
                sample.label = label
            }
            sample.patient = table.field(row, positions["patient"])
            if let mask = table.field(row, positions["mask"]) {
                sample.annotation = Annotation([.maskFile(path: join(folder, try existing(mask)), rule: rule)])
            }
            if let text = table.field(row, positions["split"]) {
                guard let split = Split(name: text) else { throw .unknownSplit(file: path, row: row.number, split: text) }
                sample.split = split
            }
            samples.append(sample)
        }
        guard !samples.isEmpty else { throw .noImages(path: path, expected: "a row per image below the header") }
        try refuseMasks(samples)
        let positive = try PositiveClass(options, classes, path: path)
        return DatasetContents(
            classNames: classes, positiveLabel: positive.label, positiveIsAssumed: positive.isAssumed, samples: samples,
            notes: positive.note.map { [$0] } ?? [])
    }

    /// Words for "nothing" that programs write; as a label or a patient they would silently become one.
    private static let missingValues: Set<String> = ["nan", "na", "n/a", "#n/a", "<na>", "nat", "null"]

    private func refuseMissingValues(_ table: CSVTable, _ positions: [String: Int]) throws(DataError) {
        let named = Set(options.list("classes") ?? [])
        for column in ["label", "patient"] {
            for row in table.rows {
                guard let text = table.field(row, positions[column]), Self.missingValues.contains(text.lowercased()),
                    column != "label" || !named.contains(text)
                else { continue }
                throw .malformed(
                    file: path, place: "row \(row.number)",
                    reason: "\(column) '\(text)' reads as a missing value; leave the field empty"
                        + (column == "label" ? ", take the row out, or name it in classes=" : ""))
            }
        }
    }

    /// A mask that is listed as an image beside its own image, as a table of all files in a folder has it.
    private func refuseMasks(_ samples: [Sample]) throws(DataError) {
        let (_, masks, _) = MaskName.sorted(samples.map(\.id))
        guard let first = masks.first else { return }
        throw .malformed(
            file: path, place: "image '\(first)'",
            reason: "is a mask by its name, of an image that is listed too; take such rows out (\(masks.count))")
    }

    /// The option's names; else, for labels that are all whole numbers, 0 to the largest; else the distinct labels by name.
    ///
    /// Numbers from 1 on, more than one of them, are asked about: the first class may be 1, or missing from this table.
    private func classNames(_ table: CSVTable, _ column: Int?) throws(DataError) -> [String] {
        if let names = options.list("classes") { return names }
        let labels = Set(table.rows.compactMap { table.field($0, column) })
        let numbers = labels.compactMap { integer($0, below: Self.largestLabel + 1) }
        if numbers.count == labels.count {
            guard let largest = numbers.max(), let smallest = numbers.min() else { return [] }
            guard smallest == 0 || numbers.count == 1 else { throw .labelsFromOne(file: path, largest: largest) }
            return (0...largest).map(String.init)
        }
        if let odd = table.rows.first(where: { row in
            table.field(row, column).flatMap { Int($0) }.map { !(0...Self.largestLabel).contains($0) } ?? false
        }) {
            throw .unknownLabel(
                file: path, row: odd.number, label: table.field(odd, column) ?? "", classes: ["0...\(Self.largestLabel)", "or names"])
        }
        let names = labels.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        if let (first, second) = similar(names) { throw .similarClasses(path: path, first: first, second: second) }
        return names
    }

    private func integer(_ text: String, below bound: Int) -> Int? { Int(text).flatMap { (0..<bound).contains($0) ? $0 : nil } }
}
