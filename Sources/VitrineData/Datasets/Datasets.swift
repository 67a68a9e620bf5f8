import VitrineTensor

/// All data sets that can be read, and how to open them.
public enum Datasets {
    /// Help texts, the study file and the tests iterate over it.
    public static let all: [any Dataset.Type] = [
        CPChild.self, Duke.self, Kvasir.self, MURA.self, CSVDataset.self, FolderDataset.self, ImageMaskPairs.self, MaskCollection.self,
    ]

    /// Opens a data set by its identifier.
    ///
    /// - Parameter options: see `DatasetInformation.options` and `DatasetOptions.common`.
    /// - Throws: `DataError` for an unknown name or option, and for what the data set itself refuses.
    public static func open(_ name: String, path: String, options: [String: String] = [:]) throws(DataError) -> OpenDataset {
        guard let type = all.first(where: { $0.information.identifier == name }) else {
            throw .unknownDataset(name: name, known: all.map { $0.information.identifier })
        }
        return try OpenDataset(type, path: path, options: options)
    }

    /// The kind of data set that a path holds: `csv` for a file ending in `.csv` and for a folder with a `labels.csv`, `pairs` for
    /// a folder with `images` and `masks`, else `folder`.
    public static func kind(of path: String) -> String {
        if fileExtension(path) == "csv" || fileExists(join(path, "labels.csv")) { return CSVDataset.information.identifier }
        if isFolder(join(path, "images")) && isFolder(join(path, "masks")) { return ImageMaskPairs.information.identifier }
        return FolderDataset.information.identifier
    }
}

/// A data set together with the options that all data sets share.
public struct OpenDataset: Sendable {
    public let dataset: any Dataset
    public let information: DatasetInformation
    let options: DatasetOptions

    init(_ type: any Dataset.Type, path: String, options: [String: String]) throws(DataError) {
        information = type.information
        self.options = try DatasetOptions(options, for: type.information)
        dataset = try type.init(path: path, options: self.options)
    }

    /// Classes and samples after the common options: patients, annotations, sides of the split.
    ///
    /// - Throws: `DataError`; a patient on two sides of the data set's own split is refused by name.
    public func contents() throws(DataError) -> DatasetContents {
        var contents = try dataset.contents()
        if let pattern = options["patient-pattern"] {
            guard let expression = try? Regex(pattern, as: (Substring, Substring).self) else {
                throw options.bad("patient-pattern", "a regular expression with exactly one group")
            }
            for i in contents.samples.indices {
                guard let match = try? expression.firstMatch(in: contents.samples[i].id) else {
                    throw options.bad("patient-pattern", "found in '\(contents.samples[i].id)'")
                }
                contents.samples[i].patient = String(match.output.1)
            }
        }
        try Splits.check(contents.samples)
        if let names = options.list("split") {
            var sides: Set<Split> = []
            for name in names {
                guard let side = Split(name: name) else { throw options.bad("split", "a list of train, validation, test") }
                sides.insert(side)
            }
            contents.samples = contents.samples.filter { $0.split.map(sides.contains) ?? false }
        }
        try annotate(&contents)
        return contents
    }

    public func samples() throws(DataError) -> [Sample] { try contents().samples }

    /// Attaches the annotations that the user named.
    ///
    /// Where images fit an annotation equally well, it belongs to the one of the positive class, if that class is known, since lesions are
    /// drawn on those; if that leaves more than one, the match is refused (see `NameMatch`). An annotation that cannot be read is attached
    /// with its fault, so that its image fails alone. One of which only items without an area are left says nothing about its image.
    private func annotate(_ contents: inout DatasetContents) throws(DataError) {
        let frame = try options.exifFrame()
        defer { if let frame { for i in contents.samples.indices { contents.samples[i].annotation?.frame = frame } } }
        guard let source = try options.annotationSource() else { return }
        let samples = contents.samples
        let positive = contents.positiveIsAssumed ? nil : contents.positiveLabel
        let positions = try NameMatch(source.names).positions(of: samples.map(dataset.annotationName(of:))) {
            positive != nil && samples[$0].label == positive
        }
        var skipped = source.skipped
        for (i, position) in positions.enumerated() {
            guard let position else { continue }
            var annotation: Annotation
            do { annotation = try source.annotation(at: position) } catch { annotation = Annotation([], fault: error) }
            // In a folder that holds images and masks, an image is not its own mask.
            annotation.regions.removeAll { region in
                guard case .maskFile(let path, rule: _) = region else { return false }
                return FileFacts(of: path)?.identity == FileFacts(of: samples[i].imagePath)?.identity
            }
            skipped += annotation.skipped
            let isUnknown = annotation.regions.isEmpty && (!annotation.skipped.isEmpty || source is MaskFolder)
            if annotation.fault == nil && isUnknown { continue }
            contents.samples[i].annotation = annotation
        }
        guard let first = skipped.first else { return }
        let items = skipped.count == 1 ? "1 item of the annotations was" : "\(skipped.count) items of the annotations were"
        contents.notes.append(.loss("\(items) left out: \(oneLine(first))" + (skipped.count > 1 ? ", and \(skipped.count - 1) more" : "")))
    }
}
