import VitrineImage

/// One image of a data set and what is known about it.
public struct Sample: Sendable, Equatable {
    /// Unique within the data set and stable: the image's path below the data set's folder, with `/` between folders.
    public var id: String
    /// The path that `Image(contentsOf:)` or `PreprocessedImage(contentsOf:)` reads.
    public var imagePath: String
    /// Index into the data set's class names; nil when nobody labelled the image.
    public var label: Int?
    /// Who the image is of; samples of one patient must stay on one side of a split.
    public var patient: String?
    /// The side of the split that the data set assigns; nil when it assigns none.
    public var split: Split?
    /// Where an expert saw the lesion; nil when nobody drew it, an empty annotation when it is known that there is none.
    public var annotation: Annotation?

    public init(
        id: String, imagePath: String, label: Int? = nil, patient: String? = nil, split: Split? = nil, annotation: Annotation? = nil
    ) {
        self.id = id
        self.imagePath = imagePath
        self.label = label
        self.patient = patient
        self.split = split
        self.annotation = annotation
    }

    /// The file of the mask, when the annotation is a single mask file.
    public var maskPath: String? {
        guard let regions = annotation?.regions, regions.count == 1, case .maskFile(let path, rule: _) = regions[0] else { return nil }
        return path
    }
}

/// The side of a split that a sample is on.
public enum Split: String, Sendable, Codable, CaseIterable {
    case train, validation, test

    /// Reads the usual spellings: train, training; validation, valid, val, dev; test, testing, holdout. Case does not matter.
    public init?(name: String) {
        switch name.lowercased() {
        case "train", "training": self = .train
        case "validation", "valid", "val", "dev": self = .validation
        case "test", "testing", "holdout": self = .test
        default: return nil
        }
    }
}
