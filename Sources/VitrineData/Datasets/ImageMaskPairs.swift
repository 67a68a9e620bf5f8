/// Images and masks of the same stem, in two folders `images` and `masks`, or side by side with `_mask` behind the mask's stem: the
/// layouts of most published segmentation sets.
struct ImageMaskPairs: Dataset {
    static let information = DatasetInformation(
        identifier: "pairs", title: "Images and masks",
        citation: "layouts of, for two, Kvasir-SEG (Jha et al. 2020, https://doi.org/10.1007/978-3-030-37734-2_37) and the "
            + "Kaggle release of TCGA-LGG (Buda et al. 2019, https://doi.org/10.1016/j.compbiomed.2019.05.002)",
        layout: "folders images and masks with files of the same stem, or x.tif and x_mask.tif side by side; there are no labels",
        positiveClass: "lesion",
        preprocess: .resize(224), preparation: nil, options: [])

    let path: String
    private let options: DatasetOptions

    init(path: String, options: DatasetOptions) throws(DataError) {
        self.path = path
        self.options = options
    }

    func contents() throws(DataError) -> DatasetContents {
        let samples = try isFolder(join(path, "images")) ? pairsInTwoFolders() : pairsSideBySide()
        guard !samples.isEmpty else { throw .noImages(path: path, expected: Self.information.layout) }
        return DatasetContents(classNames: [], positiveLabel: nil, samples: samples)
    }

    private func pairsInTwoFolders() throws(DataError) -> [Sample] {
        let folder = join(path, "images")
        let masks = try AnnotationFormat.masks.open(join(path, "masks"), rule: try options.maskRule())
        let keepsMissingFiles = try options.keepsMissingFiles
        var samples: [Sample] = []
        for image in try listImages(below: folder, neededBy: "images with masks") {
            let annotation = try masks.annotation(of: image)
            guard keepsMissingFiles || annotation != nil else {
                throw .missing(path: join(path, "masks/" + stem(image) + ".*"), neededBy: join(folder, image))
            }
            samples.append(Sample(id: "images/" + image, imagePath: join(folder, image), annotation: annotation))
        }
        return samples
    }

    private func pairsSideBySide() throws(DataError) -> [Sample] {
        let rule = try options.maskRule()
        let keepsMissingFiles = try options.keepsMissingFiles
        var samples: [Sample] = []
        for image in try listImages(below: path, neededBy: "images with masks") where !stem(image).hasSuffix("_mask") {
            let mask = join(
                parentFolder(join(path, image)), stem(image) + "_mask." + (image.split(separator: ".").last.map(String.init) ?? ""))
            guard keepsMissingFiles || fileExists(mask) else { throw .missing(path: mask, neededBy: join(path, image)) }
            let annotation = fileExists(mask) ? Annotation([.maskFile(path: mask, rule: rule)]) : nil
            samples.append(Sample(id: image, imagePath: join(path, image), annotation: annotation))
        }
        return samples
    }
}
