import VitrineImage
import VitrineTensor

/// Duke Breast-Cancer-MRI: slices with and without the tumour, from the published DICOM series or prepared as PNG.
///
/// The rules are those of the Duke lab's public tutorial
/// (https://sites.duke.edu/mazurowski/2022/07/13/breast-mri-cancer-detect-tutorial-part1/):
/// - only the fat-saturated series before contrast (`pre`);
/// - with `Start Slice` s and `End Slice` e of the patient's box, slice i (counted from 1) is positive for s <= i < e and negative for
///   i + 5 <= s or i - 5 > e; slices in between are left out, since the tumour may reach into them;
/// - pixels: stored value · 255 / maximum of the slice, cut off to a byte, without the file's window; MONOCHROME1 is inverted.
///
/// Only the preparation applies the rule on pixels; read directly, a DICOM slice is shown through its window. Rows and columns of the box are taken as counted from 1 with both ends inside. Patients 1 to 900 are used; positives are drawn at random
/// (seeded) until there are as many as negatives.
struct Duke: Dataset {
    static let information = DatasetInformation(
        identifier: "duke", title: "Duke Breast-Cancer-MRI",
        citation: "Saha et al. 2018, https://doi.org/10.1038/s41416-018-0185-8; files: https://doi.org/10.7937/TCIA.e3sv-re93",
        layout: "prepared: folders pos and neg of slices 1-SLICE-PATIENT.png; or published: Annotation_Boxes.csv, "
            + "Breast-Cancer-MRI-filepath_filename-mapping.csv (both saved from the XLSX files) beside the DICOM folders",
        positiveClass: "breast tumour in the slice", preprocess: .resize(224),
        preparation: "slices by the tumour's box, 256 x 256 (bilinear), positives drawn until the classes are even; masks of the boxes",
        options: [
            DatasetOption(name: "source", summary: "png or dicom", standard: "png where pos and neg exist, else dicom"),
            DatasetOption(name: "boxes", summary: "table of the tumours' boxes", standard: "Annotation_Boxes.csv"),
            DatasetOption(
                name: "mapping", summary: "table of the DICOM files", standard: "Breast-Cancer-MRI-filepath_filename-mapping.csv"),
            DatasetOption(name: "patients", summary: "range of patient numbers, as 1-900", standard: "1-900"),
            DatasetOption(name: "balance", summary: "draw positives until classes are even: yes or no (only from DICOM)", standard: "yes"),
            DatasetOption(name: "seed", summary: "seed of that draw", standard: "0"),
        ])

    private static let classes = ["no tumour", "tumour"]
    /// Folder of the prepared masks, one for each positive slice.
    private static let masks = "masks"
    let path: String
    private let fromDICOM: Bool
    private let boxes: String
    private let mapping: String
    private let patients: ClosedRange<Int>
    private let balances: Bool
    private let seed: UInt64
    private let keepsMissingFiles: Bool

    init(path: String, options: DatasetOptions) throws(DataError) {
        self.path = path
        let prepared = isFolder(join(path, "pos")) && isFolder(join(path, "neg"))
        fromDICOM = try options["source"] == nil ? !prepared : options.choice("source", of: ["png", "dicom"]) == "dicom"
        boxes = join(path, options["boxes"] ?? "Annotation_Boxes.csv")
        mapping = join(path, options["mapping"] ?? "Breast-Cancer-MRI-filepath_filename-mapping.csv")
        let range = (options["patients"] ?? "1-900").split(separator: "-").map { Int($0) }
        guard range.count == 2, let first = range[0], let last = range[1], first <= last else {
            throw options.bad("patients", "a range such as 1-900")
        }
        patients = first...last
        balances = try options.choice("balance", of: ["yes", "no"]) == "yes"
        guard let seed = UInt64(options["seed"] ?? "0") else { throw options.bad("seed", "a whole number") }
        self.seed = seed
        keepsMissingFiles = try options.keepsMissingFiles
    }

    func contents() throws(DataError) -> DatasetContents {
        var notes: [DataNote] = []
        let samples = try fromDICOM ? dicomSamples() : preparedSamples(&notes)
        guard !samples.isEmpty else { throw .noImages(path: path, expected: Self.information.layout) }
        return DatasetContents(classNames: Self.classes, positiveLabel: 1, samples: samples, notes: notes)
    }

    func preparation() throws(DataError) -> [PreparedFile] {
        guard fromDICOM else { return [] }
        let preparation = ImagePreparation(
            reading: { try Self.picture(DICOMFile(contentsOf: $0)) }, steps: { _, _ in [.resize(width: 256, height: 256)] })
        var files: [PreparedFile] = []
        for sample in try dicomSamples() {
            files.append(
                PreparedFile(
                    target: (sample.label == 1 ? "pos/" : "neg/") + sample.id + ".png",
                    content: .image(of: sample.imagePath, through: preparation)))
            guard sample.label == 1 else { continue }
            files.append(PreparedFile(target: Self.masks + "/" + sample.id + ".png", content: .mask(of: sample, through: preparation)))
        }
        return files
    }

    /// The tutorial's rule on pixels, in whole numbers: the same as its division of doubles, cut off.
    private static func picture(_ file: DICOMFile) throws(ImageError) -> Image {
        let frame = try file.frame()
        guard frame.samples == 1 else {
            throw .unsupported(source: file.source, format: "DICOM", reason: "has colours; DUKE's slices are grey")
        }
        let most = max(1, frame.range.upperBound)
        let isInverted = file.header.photometric == "MONOCHROME1"
        let pixels = (0..<frame.count).map { i in
            let level = UInt8(max(0, frame[i]) * 255 / most)
            return isInverted ? 255 - level : level
        }
        return Image(width: frame.width, height: frame.height, channels: 1, pixels: pixels)
    }

    /// Slices as the tutorial names them, `1-SLICE-PATIENT.png`: the DICOM file's name, then the patient's number.
    ///
    /// Where a preparation left the masks of the boxes, positives carry theirs and negatives are known to show no tumour.
    private func preparedSamples(_ notes: inout [DataNote]) throws(DataError) -> [Sample] {
        let hasMasks = isFolder(join(path, Self.masks))
        var samples: [Sample] = []
        for (label, folder) in ["neg", "pos"].enumerated() {
            for image in try listImages(below: join(path, folder), neededBy: "DUKE's prepared slices", notes: &notes) {
                let parts = stem(image).split(separator: "-")
                guard parts.count == 3, let patient = Int(parts[2]), Int(parts[1]) != nil else {
                    throw .malformed(
                        file: join(join(path, folder), image), place: "file name",
                        reason: "is not 1-SLICE-PATIENT.png, so the patient is unknown")
                }
                guard patients.contains(patient) else { continue }
                var sample = Sample(
                    id: folder + "/" + image, imagePath: join(join(path, folder), image), label: label, patient: Self.name(patient))
                let mask = join(path, Self.masks + "/" + stem(image) + ".png")
                if hasMasks && label == 0 { sample.annotation = Annotation([]) }
                if label == 1 && fileExists(mask) { sample.annotation = Annotation([.maskFile(path: mask, rule: .positive)]) }
                samples.append(sample)
            }
        }
        return samples
    }

    private func dicomSamples() throws(DataError) -> [Sample] {
        let tumours = try tumourBoxes()
        let table = try CSVTable(path: mapping, neededBy: "DUKE (save the XLSX file as CSV)")
        let original = try table.requiredColumn("original_path_and_filename")
        let classic = try table.requiredColumn("classic_path")
        var samples: [Sample] = []
        for row in table.rows {
            // DICOM_Images/Breast_MRI_001/pre/Breast_MRI_001_pre_001.dcm
            let name = try table.required(row, original)
            let parts = name.split(separator: "/")
            guard parts.count >= 2, let patient = parts[1].split(separator: "_").last.flatMap({ Int($0) }),
                let slice = stem(name).split(separator: "_").last.flatMap({ Int($0) })
            else {
                throw .malformed(
                    file: mapping, place: "row \(row.number)",
                    reason: "'\(name)' is no path such as DICOM_Images/Breast_MRI_001/pre/Breast_MRI_001_pre_001.dcm")
            }
            guard name.contains("pre"), patients.contains(patient) else { continue }
            guard let tumour = tumours[Self.name(patient)] else {
                throw .malformed(file: mapping, place: "row \(row.number)", reason: "\(Self.name(patient)) has no row in \(boxes)")
            }
            let isPositive = slice >= tumour.firstSlice && slice < tumour.lastSlice
            guard isPositive || slice + 5 <= tumour.firstSlice || slice - 5 > tumour.lastSlice else { continue }
            let file = try dicomFile(table.required(row, classic), row: row.number)
            samples.append(
                Sample(
                    id: stem(file) + "-" + String(Self.name(patient).suffix(3)), imagePath: file, label: isPositive ? 1 : 0,
                    patient: Self.name(patient), annotation: Annotation(isPositive ? [.box(tumour.box)] : [])))
        }
        return balances ? balanced(samples) : samples
    }

    /// As many positives as negatives, drawn without replacement; nothing is drawn where there are fewer.
    private func balanced(_ samples: [Sample]) -> [Sample] {
        var positives = samples.indices.filter { samples[$0].label == 1 }
        let wanted = samples.count - positives.count
        guard positives.count > wanted else { return samples }
        var generator = Philox(seed: seed, name: "duke.balance")
        for i in 0..<wanted { positives.swapAt(i, i + generator.below(positives.count - i)) }
        let dropped = Set(positives[wanted...])
        return samples.indices.filter { !dropped.contains($0) }.map { samples[$0] }
    }

    /// The file as mapped; some downloads write the slice's number with one zero less.
    private func dicomFile(_ name: String, row: Int) throws(DataError) -> String {
        let file = join(path, name)
        if fileExists(file) { return file }
        let shorter = parentFolder(file) + "/" + lastComponent(file).replacing("-0", with: "-", maxReplacements: 1)
        if fileExists(shorter) { return shorter }
        guard keepsMissingFiles else { throw .missing(path: file, neededBy: "\(mapping), row \(row)") }
        return file
    }

    private struct Tumour {
        let firstSlice, lastSlice: Int
        let box: BoundingBox
    }

    private func tumourBoxes() throws(DataError) -> [String: Tumour] {
        let table = try CSVTable(path: boxes, neededBy: "DUKE (save the XLSX file as CSV)")
        let patient = try table.requiredColumn("Patient ID")
        var columns: [Int] = []
        for name in ["Start Row", "End Row", "Start Column", "End Column", "Start Slice", "End Slice"] {
            columns.append(try table.requiredColumn(name))
        }
        var tumours: [String: Tumour] = [:]
        for row in table.rows {
            var values: [Int] = []
            for column in columns { values.append(try table.integer(row, column)) }
            guard values[0] <= values[1], values[2] <= values[3], values[4] <= values[5] else {
                throw .malformed(file: boxes, place: "row \(row.number)", reason: "the box ends before it begins")
            }
            tumours[try table.required(row, patient)] = Tumour(
                firstSlice: values[4], lastSlice: values[5],
                box: BoundingBox(
                    left: Double(values[2] - 1), top: Double(values[0] - 1), right: Double(values[3]), bottom: Double(values[1])))
        }
        return tumours
    }

    /// `Breast_MRI_007`.
    private static func name(_ patient: Int) -> String {
        let digits = String(patient)
        return "Breast_MRI_" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }
}
