import VitrineImage

/// MURA v1.1: radiographs of the upper extremity, labelled normal or abnormal by study.
struct MURA: Dataset {
    static let information = DatasetInformation(
        identifier: "mura", title: "MURA v1.1",
        citation: "Rajpurkar et al. 2018, https://arxiv.org/abs/1712.06957; files: https://stanfordmlgroup.github.io/competitions/mura/",
        layout: "MURA-v1.1 with train_image_paths.csv, train_labeled_studies.csv, valid_image_paths.csv, valid_labeled_studies.csv",
        positiveClass: "abnormal study: fracture, hardware, ...", preprocess: .centerCrop(224),
        preparation: "shorter side 256 (bilinear), proportions kept; the lists are rewritten for the images taken",
        options: [
            DatasetOption(
                name: "body-part", summary: "elbow, finger, forearm, hand, humerus, shoulder, wrist, separated by commas", standard: "all"),
            DatasetOption(
                name: "valid-as", summary: "side of the published valid part: test (its test part is not public) or validation",
                standard: "test"),
        ])

    private static let parts = ["elbow", "finger", "forearm", "hand", "humerus", "shoulder", "wrist"]
    let path: String
    private let bodyParts: Set<String>
    private let validSplit: Split
    private let keepsMissingFiles: Bool

    init(path: String, options: DatasetOptions) throws(DataError) {
        let inner = join(path, "MURA-v1.1")
        self.path = isFolder(inner) ? inner : path
        var wanted: Set<String> = []
        for name in options.list("body-part") ?? Self.parts {
            let part = name.lowercased().replacing("xr_", with: "")
            guard Self.parts.contains(part) else { throw options.bad("body-part", "a list of " + Self.parts.joined(separator: ", ")) }
            wanted.insert("XR_" + part.uppercased())
        }
        bodyParts = wanted
        validSplit = try options.choice("valid-as", of: ["test", "validation"]) == "test" ? .test : .validation
        keepsMissingFiles = try options.keepsMissingFiles
    }

    func contents() throws(DataError) -> DatasetContents {
        var samples: [Sample] = []
        for side in ["train", "valid"] where fileExists(join(path, side + "_image_paths.csv")) || side == "train" && !hasValid {
            let labels = try studyLabels(side)
            let list = try CSVTable(path: join(path, side + "_image_paths.csv"), hasHeader: false, neededBy: "MURA")
            for row in list.rows {
                let place = "row \(row.number)"
                // MURA-v1.1/train/XR_SHOULDER/patient00001/study1_positive/image1.png
                let parts = row.fields[0].split(separator: "/").map(String.init)
                guard row.fields.count == 1, parts.count == 6, parts[3].hasPrefix("patient") else {
                    throw .malformed(
                        file: list.path, place: place,
                        reason: "'\(row.fields[0])' is no path such as MURA-v1.1/train/XR_HAND/patient00001/study1_positive/image1.png")
                }
                guard bodyParts.contains(parts[2]) else { continue }
                let study = parts[1..<5].joined(separator: "/")
                guard let label = labels[study] else {
                    throw .malformed(file: list.path, place: place, reason: "study '\(study)' has no label in \(side)_labeled_studies.csv")
                }
                let id = parts[1...].joined(separator: "/")
                let image = join(path, id)
                if !keepsMissingFiles && !fileExists(image) { throw .missing(path: image, neededBy: "\(list.path), \(place)") }
                samples.append(
                    Sample(id: id, imagePath: image, label: label, patient: parts[3], split: side == "train" ? .train : validSplit))
            }
        }
        guard !samples.isEmpty else { throw .noImages(path: path, expected: "images of \(bodyParts.sorted().joined(separator: ", "))") }
        return DatasetContents(classNames: ["normal", "abnormal"], positiveLabel: 1, samples: samples)
    }

    /// The study's experts named their masks after the whole path: `patient11186_study2_positive_image1.png`.
    func annotationName(of sample: Sample) -> String { sample.id.split(separator: "/").suffix(3).joined(separator: "_") }

    func preparation() throws(DataError) -> [PreparedFile] {
        let samples = try contents().samples
        var files = samples.map { sample in
            PreparedFile(
                target: sample.id,
                content: .image(
                    of: sample.imagePath,
                    through: ImagePreparation { width, height in
                        Array(PreprocessGeometry.resizeShorterCrop.steps(width: width, height: height, sizes: [256, 256]).prefix(1))
                    }))
        }
        for side in ["train", "valid"] {
            let taken = samples.filter { $0.id.hasPrefix(side + "/") }
            if taken.isEmpty { continue }
            let images = taken.map { "MURA-v1.1/" + $0.id + "\n" }.joined()
            var studies: [String] = []
            for sample in taken {
                let line = "MURA-v1.1/" + parentFolder(sample.id) + "/,\(sample.label ?? 0)\n"
                if studies.last != line { studies.append(line) }
            }
            files.append(PreparedFile(target: side + "_image_paths.csv", content: .text(images)))
            files.append(PreparedFile(target: side + "_labeled_studies.csv", content: .text(studies.joined())))
        }
        return files
    }

    private var hasValid: Bool { fileExists(join(path, "valid_image_paths.csv")) }

    /// Labels by `train/XR_HAND/patient00001/study1_positive`.
    private func studyLabels(_ side: String) throws(DataError) -> [String: Int] {
        let list = try CSVTable(path: join(path, side + "_labeled_studies.csv"), hasHeader: false, neededBy: "MURA")
        var labels: [String: Int] = [:]
        for row in list.rows {
            let parts = row.fields[0].split(separator: "/")
            guard row.fields.count == 2, parts.count == 5 else {
                throw .malformed(file: list.path, place: "row \(row.number)", reason: "is no study path and label")
            }
            guard let label = Int(row.fields[1]), label == 0 || label == 1 else {
                throw .unknownLabel(file: list.path, row: row.number, label: row.fields[1], classes: ["0", "1"])
            }
            labels[parts[1...].joined(separator: "/")] = label
        }
        return labels
    }
}
