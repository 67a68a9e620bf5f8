/// CP-CHILD: colonoscopy frames of children, with and without a polyp, 256 x 256 pixels, published with a split.
struct CPChild: Dataset {
    static let information = DatasetInformation(
        identifier: "cpchild", title: "CP-CHILD",
        citation: "Wang et al. 2020, https://doi.org/10.1186/s12880-020-00482-3; files: https://doi.org/10.6084/m9.figshare.12554042",
        layout: "CP-CHILD-A and CP-CHILD-B, each Train and Test, each Polyp and Non-Polyp (or one of the parts alone)",
        positiveClass: "colonic polyp", preprocess: .resize(224), preparation: "none: the images are 256 x 256 already; they are copied",
        options: [DatasetOption(name: "part", summary: "both, a or b", standard: "both")])

    private static let classes = ["Non-Polyp", "Polyp"]
    let path: String
    private let options: DatasetOptions

    init(path: String, options: DatasetOptions) throws(DataError) {
        self.path = path
        self.options = options
    }

    func contents() throws(DataError) -> DatasetContents {
        let part = try options.choice("part", of: ["both", "a", "b"])
        var parts: [String] = []
        if isFolder(join(path, "Train")) || isFolder(join(path, "Test")) {
            parts = [""]
        } else {
            for name in ["CP-CHILD-A", "CP-CHILD-B"] where part == "both" || name.hasSuffix(part.uppercased()) {
                if part != "both" || isFolder(join(path, name)) { parts.append(name) }
            }
        }
        var samples: [Sample] = []
        var notes: [DataNote] = []
        for part in parts {
            for (side, split) in [("Train", Split.train), ("Test", Split.test)] where isFolder(join(join(path, part), side)) {
                for (label, name) in Self.classes.enumerated() {
                    let folder = join(join(part, side), name)
                    for image in try listImages(below: join(path, folder), neededBy: "CP-CHILD", notes: &notes) {
                        let id = join(folder, image)
                        samples.append(Sample(id: id, imagePath: join(path, id), label: label, split: split))
                    }
                }
            }
        }
        guard !samples.isEmpty else { throw .noImages(path: path, expected: Self.information.layout) }
        return DatasetContents(classNames: Self.classes, positiveLabel: 1, samples: samples, notes: notes)
    }

    func preparation() throws(DataError) -> [PreparedFile] {
        try contents().samples.map { PreparedFile(target: $0.id, content: .copy(of: $0.imagePath)) }
    }
}
