/// A folder per class; train, validation and test may stand above.
struct FolderDataset: Dataset {
    static let information = DatasetInformation(
        identifier: "folder", title: "Image folders", citation: "layout as read by torchvision's ImageFolder",
        layout: "a folder per class with images at any depth; optionally below train, validation (valid, val) and test", positiveClass: nil,
        preprocess: .resize(224), preparation: nil,
        options: [
            DatasetOption(
                name: "classes", summary: "class folders in the order of their labels, separated by commas", standard: "all, by name"),
            PositiveClass.option,
        ])

    let path: String
    private let options: DatasetOptions

    init(path: String, options: DatasetOptions) throws(DataError) {
        self.path = path
        self.options = options
    }

    func contents() throws(DataError) -> DatasetContents {
        let asked = options.list("classes")
        let folders = try ClassFolders(path, asked: asked)
        let found = folders.names
        if asked == nil, let (first, second) = similar(found) { throw .similarClasses(path: path, first: first, second: second) }
        let classes = asked ?? found
        for name in classes where !found.contains(name) {
            throw options.bad("classes", "made of class folders: \(try ClassFolders(path, asked: nil).names.joined(separator: ", "))")
        }
        var samples: [Sample] = []
        for entry in folders.entries {
            guard let label = classes.firstIndex(of: entry.name) else { continue }
            for image in entry.images {
                let id = entry.folder + "/" + image
                samples.append(Sample(id: id, imagePath: join(path, id), label: label, split: entry.split))
            }
        }
        guard !samples.isEmpty else { throw .noImages(path: path, expected: Self.information.layout) }
        let positive = try PositiveClass(options, classes, path: path)
        return DatasetContents(
            classNames: classes, positiveLabel: positive.label, positiveIsAssumed: positive.isAssumed, samples: samples,
            notes: folders.notes + (positive.note.map { [$0] } ?? []))
    }
}

/// The first two names that differ only in case or in spaces.
func similar(_ names: [String]) -> (String, String)? {
    var seen: [String: String] = [:]
    for name in names {
        let plain = name.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if let first = seen.updateValue(name, forKey: plain) { return (first, name) }
    }
    return nil
}
