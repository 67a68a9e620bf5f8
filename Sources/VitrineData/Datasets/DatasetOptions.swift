import VitrineImage

/// A setting of a data set, as help texts show it.
public struct DatasetOption: Sendable {
    public let name: String
    public let summary: String
    /// What holds when the option is not given.
    public let standard: String
}

/// Settings of a data set by name, such as `positive=esophagitis`.
public struct DatasetOptions: Sendable, Equatable {
    private let dataset: String
    private let values: [String: String]

    /// Options that every data set has.
    public static let common: [DatasetOption] = [
        DatasetOption(name: "annotations", summary: "file or folder of the experts' annotations", standard: "what the data set brings"),
        DatasetOption(
            name: "annotation-format", summary: "one of " + AnnotationFormat.all.map(\.name).joined(separator: ", "), standard: "masks"),
        DatasetOption(
            name: "annotation-classes", summary: "classes of the annotations that are lesions, separated by commas", standard: "all"),
        DatasetOption(
            name: "mask-rule", summary: "values of mask images that are lesion: positive, at-least:N or half", standard: "positive"),
        DatasetOption(
            name: "exif",
            summary: "picture that annotations of images with an EXIF orientation were drawn on: stored or turned",
            standard: "what their size or format says, else asked for"),
        DatasetOption(
            name: "patient-pattern", summary: "regular expression with one group that takes the patient from the sample's id",
            standard: "none"),
        DatasetOption(
            name: "split", summary: "only the samples of these sides: train, validation, test, separated by commas", standard: "all"),
        DatasetOption(
            name: "missing", summary: "files that are listed but missing: error, or keep (reading them fails later)", standard: "error"),
    ]

    /// - Throws: `DataError.unknownOption` naming the options there are.
    init(_ values: [String: String], for information: DatasetInformation) throws(DataError) {
        let known = (information.options + Self.common).map(\.name)
        for name in values.keys.sorted() where !known.contains(name) {
            throw .unknownOption(dataset: information.identifier, option: name, known: known)
        }
        dataset = information.identifier
        self.values = values
    }

    subscript(name: String) -> String? { values[name] }

    /// The value of an option that takes one of a few words.
    func choice(_ name: String, of allowed: [String]) throws(DataError) -> String {
        guard let value = values[name] else { return allowed[0] }
        guard allowed.contains(value) else { throw bad(name, "one of " + allowed.joined(separator: ", ")) }
        return value
    }

    /// The values of an option that takes several, separated by commas.
    func list(_ name: String) -> [String]? {
        values[name].map { $0.split(separator: ",").map { String($0.trimmingPrefix(while: \.isWhitespace)) } }
    }

    func bad(_ name: String, _ allowed: String) -> DataError {
        .badOption(dataset: dataset, option: name, value: values[name] ?? "", allowed: allowed)
    }

    func maskRule() throws(DataError) -> MaskRule {
        guard let text = values["mask-rule"] else { return .positive }
        guard let rule = MaskRule(parsing: text) else { throw bad("mask-rule", MaskRule.summary) }
        return rule
    }

    /// The source that the user named; nil when the data set's own annotations hold.
    func annotationSource() throws(DataError) -> (any AnnotationSource)? {
        guard let path = values["annotations"] else { return nil }
        let name = try choice("annotation-format", of: AnnotationFormat.all.map(\.name))
        guard let format = AnnotationFormat.all.first(where: { $0.name == name }) else { return nil }
        return try format.open(path, rule: maskRule(), classes: list("annotation-classes"))
    }

    /// Which picture annotations were drawn on, where the user says so.
    func exifFrame() throws(DataError) -> EXIFFrame? {
        guard values["exif"] != nil else { return nil }
        return EXIFFrame(rawValue: try choice("exif", of: EXIFFrame.allCases.map(\.rawValue)))
    }

    var keepsMissingFiles: Bool {
        get throws(DataError) { try choice("missing", of: ["error", "keep"]) == "keep" }
    }
}
