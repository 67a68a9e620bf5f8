/// Expert masks alone, without images: enough for chance levels, controls and mask quality.
struct MaskCollection: Dataset {
    static let information = DatasetInformation(
        identifier: "masks", title: "Masks alone", citation: "no standard",
        layout: "a folder of mask images; the mask stands for the image, which controls do not look at", positiveClass: "lesion",
        preprocess: .none(), preparation: nil, options: [])

    let path: String
    private let options: DatasetOptions

    init(path: String, options: DatasetOptions) throws(DataError) {
        self.path = path
        self.options = options
    }

    func contents() throws(DataError) -> DatasetContents {
        let rule = try options.maskRule()
        var notes: [DataNote] = []
        let samples = try listImages(below: path, neededBy: "a collection of masks", notes: &notes).map { name in
            Sample(id: name, imagePath: join(path, name), annotation: Annotation([.maskFile(path: join(path, name), rule: rule)]))
        }
        guard !samples.isEmpty else { throw .noImages(path: path, expected: Self.information.layout) }
        return DatasetContents(classNames: [], positiveLabel: nil, samples: samples, notes: notes)
    }
}
