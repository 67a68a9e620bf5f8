/// Why a data set, a table or an annotation could not be used; one line that names the file, the place in it, and what to do.
public enum DataError: Error, CustomStringConvertible, Equatable, Sendable {
    /// A file or folder is not there; `neededBy` says who asked for it, such as `labels.csv, row 7`.
    case missing(path: String, neededBy: String)
    case unreadable(path: String, reason: String)
    /// `place` is a row, a line, or a path inside a JSON file.
    case malformed(file: String, place: String, reason: String)
    case unknownColumn(file: String, column: String, allowed: [String])
    case missingColumn(file: String, column: String, found: [String])
    case unknownLabel(file: String, row: Int, label: String, classes: [String])
    case unknownSplit(file: String, row: Int, split: String)
    case repeatedImage(file: String, row: Int, image: String, firstRow: Int)
    case noImages(path: String, expected: String)
    case noPreparation(dataset: String)
    case unknownDataset(name: String, known: [String])
    case unknownOption(dataset: String, option: String, known: [String])
    case badOption(dataset: String, option: String, value: String, allowed: String)
    /// Two files of a folder claim to belong to the same image.
    case ambiguous(first: String, second: String, image: String)
    /// Two images fit an annotation equally well.
    case sharedAnnotation(annotation: String, first: String, second: String)
    /// An image is turned by EXIF, and nobody knows which picture was annotated.
    case unknownFrame(source: String, orientation: Int)
    /// Nothing says which class is the positive one.
    case unclearPositive(path: String, classes: [String])
    /// Whole numbers from 1 on: whether there is a class before them is not known.
    case labelsFromOne(file: String, largest: Int)
    /// Folders that are as likely classes as sides of a split.
    case unclearFolders(path: String, sides: [String], others: [String])
    /// Two classes that differ only in case or spaces.
    case similarClasses(path: String, first: String, second: String)
    case patientOnBothSides(patient: String, firstSplit: Split, firstSample: String, secondSplit: Split, secondSample: String)
    case incompleteSplit(withSplit: String, without: String)
    case tooFewPatients(found: Int, needed: Int)
    case badShare(validation: Double, test: Double)
    /// A region drawn on an image of another size.
    case sizeMismatch(source: String, annotation: [Int], image: [Int])

    public var description: String {
        switch self {
        case .missing(let path, let neededBy): return "\(path): does not exist, and \(neededBy) needs it; check the path"
        case .unreadable(let path, let reason): return "\(path): cannot be read (\(reason))"
        case .malformed(let file, let place, let reason): return "\(file), \(place): \(reason)"
        case .unknownColumn(let file, let column, let allowed):
            return "\(file), row 1: column '\(column)' is none of \(list(allowed)); rename it, or allow it with extra-columns=ignore"
        case .missingColumn(let file, let column, let found): return "\(file), row 1: has no column '\(column)'; it has \(list(found))"
        case .unknownLabel(let file, let row, let label, let classes):
            return "\(file), row \(row): label '\(label)' is no class; the classes are \(list(classes))"
        case .unknownSplit(let file, let row, let split): return "\(file), row \(row): split '\(split)' is none of train, validation, test"
        case .repeatedImage(let file, let row, let image, let firstRow):
            return "\(file), row \(row): image '\(image)' stands in row \(firstRow) already; remove one of the rows"
        case .noImages(let path, let expected): return "\(path): holds no images; expected \(expected)"
        case .noPreparation(let dataset): return "data set '\(dataset)' has no preparation: the files are used as they are"
        case .unknownDataset(let name, let known): return "data set '\(name)' is none of \(list(known))"
        case .unknownOption(let dataset, let option, let known):
            return "data set '\(dataset)' has no option '\(option)'; it has \(list(known))"
        case .badOption(let dataset, let option, let value, let allowed):
            return "data set '\(dataset)', option \(option): '\(value)' is not \(allowed)"
        case .ambiguous(let first, let second, let image): return "\(first) and \(second) both belong to '\(image)'; keep one of them"
        case .sharedAnnotation(let annotation, let first, let second):
            return
                "annotation '\(annotation)' fits \(first) and \(second) equally well; name the folder of its image in it, or sort the "
                + "annotations into folders as the images"
        case .unknownFrame(let source, let orientation):
            return
                "\(source): its EXIF data turn it (orientation \(orientation)), and its annotation does not say whether it was drawn on the "
                + "stored or on the turned picture; say so with exif=stored or exif=turned"
        case .unclearPositive(let path, let classes):
            return "\(path): which of the classes \(list(classes)) is the positive one is not clear; name it with positive="
        case .labelsFromOne(let file, let largest):
            return
                "\(file): the labels are 1 to \(largest), and whether there is a class 0 besides is not known; name the classes in their order "
                + "with classes=1,...,\(largest) or classes=0,...,\(largest), or by names"
        case .unclearFolders(let path, let sides, let others):
            return
                "\(path): \(list(sides)) \(sides.count == 1 ? "is" : "are") named like a side of a split but \(sides.count == 1 ? "holds" : "hold") "
                + "no folder per class, beside \(list(others)); if all are classes, name them with classes="
        case .similarClasses(let path, let first, let second):
            return "\(path): classes '\(first)' and '\(second)' differ only in case or spaces; write them alike, or name both with classes="
        case .patientOnBothSides(let patient, let firstSplit, let firstSample, let secondSplit, let secondSample):
            return
                "patient '\(patient)' is on both sides: '\(firstSample)' in \(firstSplit.rawValue), "
                + "'\(secondSample)' in \(secondSplit.rawValue); move all images of a patient to one side"
        case .incompleteSplit(let withSplit, let without):
            return "'\(withSplit)' has a split and '\(without)' has none; give all samples a split, or none"
        case .tooFewPatients(let found, let needed):
            return "\(found) patients (or images without a patient) cannot fill \(needed) parts; use fewer parts"
        case .badShare(let validation, let test):
            return
                "shares of \(validation) for validation and \(test) for test leave nothing to train on; "
                + "both are at least 0, their sum below 1"
        case .sizeMismatch(let source, let annotation, let image):
            return
                "\(source): drawn on an image of \(annotation[0]) x \(annotation[1]) pixels, but the image has \(image[0]) x \(image[1]); "
                + "use the images that were annotated"
        }
    }

    private func list(_ names: [String]) -> String { names.isEmpty ? "(nothing)" : names.joined(separator: ", ") }
}
