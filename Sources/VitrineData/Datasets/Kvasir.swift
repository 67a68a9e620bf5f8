import VitrineImage

/// Kvasir v2: gastrointestinal endoscopy frames of eight classes, two of which are taken: one positive, one negative.
struct Kvasir: Dataset {
    static let information = DatasetInformation(
        identifier: "kvasir", title: "Kvasir v2",
        citation: "Pogorelov et al. 2017, https://doi.org/10.1145/3083187.3083212; files: https://datasets.simula.no/kvasir/",
        layout: "kvasir-dataset-v2 with a folder per class: esophagitis, normal-z-line, polyps, ...", positiveClass: "oesophagitis",
        preprocess: .centerCrop(224),
        preparation: "shorter side 256 (bilinear); images wider than 360 are cut to 360 x 256 from the centre, which drops black margins",
        options: [
            DatasetOption(name: "positive", summary: "folder of the positive class", standard: "esophagitis"),
            DatasetOption(name: "negative", summary: "folder of the negative class", standard: "normal-z-line"),
        ])

    let path: String
    private let classes: [String]

    init(path: String, options: DatasetOptions) throws(DataError) {
        let inner = join(path, "kvasir-dataset-v2")
        self.path = isFolder(inner) ? inner : path
        classes = [options["negative"] ?? "normal-z-line", options["positive"] ?? "esophagitis"]
        guard classes[0] != classes[1] else { throw options.bad("negative", "another class than the positive one") }
    }

    func contents() throws(DataError) -> DatasetContents {
        var samples: [Sample] = []
        var notes: [DataNote] = []
        for (label, name) in classes.enumerated() {
            for image in try listImages(below: join(path, name), neededBy: "Kvasir's class '\(name)'", notes: &notes) {
                samples.append(Sample(id: name + "/" + image, imagePath: join(join(path, name), image), label: label))
            }
        }
        guard !samples.isEmpty else { throw .noImages(path: path, expected: Self.information.layout) }
        return DatasetContents(classNames: classes, positiveLabel: 1, samples: samples, notes: notes)
    }

    func preparation() throws(DataError) -> [PreparedFile] {
        try contents().samples.map { sample in
            PreparedFile(
                target: parentFolder(sample.id) + "/" + stem(sample.id) + ".png",
                content: .image(
                    of: sample.imagePath,
                    through: ImagePreparation { width, height in
                        var steps = PreprocessGeometry.resizeShorterCrop.steps(width: width, height: height, sizes: [256, 256])
                        guard case .resize(let newWidth, let newHeight) = steps[0] else { return steps }
                        steps[1] = .centerCrop(width: min(newWidth, 360), height: newHeight)
                        return steps
                    }))
        }
    }
}
