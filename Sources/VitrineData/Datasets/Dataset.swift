/// A data set on disk, as published or as prepared.
///
/// A new data set is one file with a conforming type, and one entry in `Datasets.all`.
public protocol Dataset: Sendable {
    /// What help texts, reports and tests show.
    static var information: DatasetInformation { get }

    /// - Parameter options: already checked against `information.options`.
    init(path: String, options: DatasetOptions) throws(DataError)

    /// Classes and samples, in an order that is the same on every machine.
    ///
    /// - Throws: `DataError`, naming the file and the row, for everything that is missing or contradicts itself.
    func contents() throws(DataError) -> DatasetContents

    /// What the study does to the published files before anything else; empty when it uses them as they are.
    func preparation() throws(DataError) -> [PreparedFile]

    /// The name under which annotations know a sample; the image's path unless the format needs another.
    func annotationName(of sample: Sample) -> String
}

extension Dataset {
    public func preparation() throws(DataError) -> [PreparedFile] { [] }
    public func annotationName(of sample: Sample) -> String { sample.imagePath }

    /// The samples alone.
    public func samples() throws(DataError) -> [Sample] { try contents().samples }
}

/// What is known about a kind of data set without looking at the disk.
public struct DatasetInformation: Sendable {
    /// The name on the command line and in study files.
    public let identifier: String
    public let title: String
    /// Who published it, with a link.
    public let citation: String
    /// Folders and files that are expected, in one line.
    public let layout: String
    /// What class 1 means; nil where the data set's own class names say so.
    public let positiveClass: String?
    /// The study's preprocessing at test time, or a sensible default.
    public let preprocess: Preprocess
    /// What the study's preparation does; nil where there is none.
    public let preparation: String?
    /// Options besides `DatasetOptions.common`.
    public let options: [DatasetOption]
}

/// The classes and samples of a data set.
public struct DatasetContents: Sendable, Equatable {
    /// Names by label.
    public var classNames: [String]
    /// The label whose evidence is explained; nil when the data set has no labels.
    public var positiveLabel: Int?
    /// The positive label was taken by a convention: nobody named it, and no class name says so.
    public var positiveIsAssumed: Bool
    public var samples: [Sample]
    /// What was left out, and how the data were understood.
    public var notes: [DataNote]

    public init(
        classNames: [String], positiveLabel: Int?, positiveIsAssumed: Bool = false, samples: [Sample], notes: [DataNote] = []
    ) {
        self.classNames = classNames
        self.positiveLabel = positiveLabel
        self.positiveIsAssumed = positiveIsAssumed
        self.samples = samples
        self.notes = notes
    }
}
