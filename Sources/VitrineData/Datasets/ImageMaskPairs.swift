/// Images and masks of the same stem, in two folders `images` and `masks`, or side by side with `_mask` behind the mask's stem: the
/// layouts of most published segmentation sets.
struct ImageMaskPairs: Dataset {
    static let information = DatasetInformation(
        identifier: "pairs", title: "Images and masks",
        citation: "layouts of, for two, Kvasir-SEG (Jha et al. 2020, https://doi.org/10.1007/978-3-030-37734-2_37) and the "
            + "Kaggle release of TCGA-LGG (Buda et al. 2019, https://doi.org/10.1016/j.compbiomed.2019.05.002)",
        layout: "folders images and masks with files of the same stem, or x.tif and x_mask.tif (x_mask_1.tif, ...) side by side; "
            + "there are no labels",
        positiveClass: "lesion",
        preprocess: .resize(224), preparation: nil, options: [])

    let path: String
    private let options: DatasetOptions

    init(path: String, options: DatasetOptions) throws(DataError) {
        self.path = path
        self.options = options
    }

    func contents() throws(DataError) -> DatasetContents {
        var notes: [DataNote] = []
        let samples = try isFolder(join(path, "images")) ? pairsInTwoFolders(&notes) : pairsSideBySide(&notes)
        guard !samples.isEmpty else { throw .noImages(path: path, expected: Self.information.layout) }
        return DatasetContents(classNames: [], positiveLabel: nil, samples: samples, notes: notes)
    }

    private func pairsInTwoFolders(_ notes: inout [DataNote]) throws(DataError) -> [Sample] {
        let folder = join(path, "images")
        let images = try listImages(below: folder, neededBy: "images with masks", notes: &notes)
        let masks = try MaskFolder(folder: join(path, "masks"), rule: try options.maskRule())
        let positions = try NameMatch(masks.names).positions(of: images)
        return try samples(
            images, folder: folder, prefix: "images/", annotations: positions.map { $0.map(masks.annotation) },
            missing: { join(path, "masks/" + stem($0) + ".*") })
    }

    private func pairsSideBySide(_ notes: inout [DataNote]) throws(DataError) -> [Sample] {
        let (images, _, orphans) = MaskName.sorted(try listImages(below: path, neededBy: "images with masks", notes: &notes))
        if let first = orphans.first {
            notes.append(.loss("\(oneLine(path)): \(orphans.count) masks have no image beside them: \(oneLine(first))"))
        }
        let masks = try MaskFolder(folder: path, rule: try options.maskRule())
        // Masks stand in the folder of their image.
        var byImage: [String: Annotation] = [:]
        for (position, name) in masks.images.enumerated() {
            let annotation = masks.annotation(at: position)
            let files = annotation.regions.compactMap { region in if case .maskFile(let path, rule: _) = region { path } else { nil } }
            if files.allSatisfy({ MaskName(stem: stem($0)) != nil }) { byImage[name] = annotation }
        }
        return try samples(
            images, folder: path, prefix: "",
            annotations: images.map { byImage[String($0.dropLast(lastComponent($0).count)) + stem($0)] },
            missing: { image in
                let ending = fileExtension(image)
                return join(parentFolder(join(path, image)), stem(image) + "_mask" + (ending.isEmpty ? "" : "." + ending))
            })
    }

    private func samples(
        _ images: [String], folder: String, prefix: String, annotations: [Annotation?], missing: (String) -> String
    ) throws(DataError) -> [Sample] {
        let keepsMissingFiles = try options.keepsMissingFiles
        var samples: [Sample] = []
        for (image, annotation) in zip(images, annotations) {
            guard keepsMissingFiles || annotation != nil else { throw .missing(path: missing(image), neededBy: join(folder, image)) }
            samples.append(Sample(id: prefix + image, imagePath: join(folder, image), annotation: annotation))
        }
        return samples
    }
}
