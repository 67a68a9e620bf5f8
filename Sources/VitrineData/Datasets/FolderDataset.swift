/// A folder per class; train, validation and test may stand above.
struct FolderDataset: Dataset {
    static let information = DatasetInformation(
        identifier: "folder", title: "Image folders", citation: "layout as read by torchvision's ImageFolder",
        layout: "a folder per class with images at any depth; optionally below train, validation (valid, val) and test", positiveClass: nil,
        preprocess: .resize(224), preparation: nil,
        options: [
            DatasetOption(
                name: "classes", summary: "class folders in the order of their labels, separated by commas", standard: "all, by name"),
            DatasetOption(name: "positive", summary: "class whose evidence is explained", standard: "the last class"),
        ])

    let path: String
    private let options: DatasetOptions

    init(path: String, options: DatasetOptions) throws(DataError) {
        self.path = path
        self.options = options
    }

    func contents() throws(DataError) -> DatasetContents {
        let folders = try listSubfolders(path, neededBy: "the data set")
        let isSplit = !folders.isEmpty && folders.allSatisfy { Split(name: $0) != nil }
        var classFolders: [(split: Split?, folder: String, name: String)] = []
        for folder in folders {
            if isSplit {
                for name in try listSubfolders(join(path, folder), neededBy: "the data set") {
                    classFolders.append((Split(name: folder), folder + "/" + name, name))
                }
            } else {
                classFolders.append((nil, folder, folder))
            }
        }
        let found = Set(classFolders.map(\.name)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let classes = options.list("classes") ?? found
        for name in classes where !found.contains(name) {
            throw options.bad("classes", "made of class folders: \(found.joined(separator: ", "))")
        }
        let positive = try positiveLabel(options, classes)
        var samples: [Sample] = []
        for (split, folder, name) in classFolders {
            guard let label = classes.firstIndex(of: name) else { continue }
            for image in try listImages(below: join(path, folder), neededBy: "the data set") {
                let id = folder + "/" + image
                samples.append(Sample(id: id, imagePath: join(path, id), label: label, split: split))
            }
        }
        guard !samples.isEmpty else { throw .noImages(path: path, expected: Self.information.layout) }
        return DatasetContents(classNames: classes, positiveLabel: positive, samples: samples)
    }
}

/// The label of the class that the option `positive` names, the last one by default.
func positiveLabel(_ options: DatasetOptions, _ classes: [String]) throws(DataError) -> Int? {
    guard let name = options["positive"] else { return classes.isEmpty ? nil : classes.count - 1 }
    guard let label = classes.firstIndex(of: name) else { throw options.bad("positive", "one of " + classes.joined(separator: ", ")) }
    return label
}
