import VitrineImage

/// A COCO file: polygons and run lengths (compressed or not); a box where an annotation has no outline.
struct COCO: AnnotationSource {
    private let annotations: [String: Annotation]
    private let byStem: [String: String]

    /// - Parameter categories: names of the categories that are lesions; nil takes all.
    init(path: String, categories: [String]?) throws(DataError) {
        let file = try readJSON(File.self, path, neededBy: "the annotations")
        var names: [Int: String] = [:]
        for category in file.categories ?? [] { names[category.id] = category.name }
        for wanted in categories ?? [] where !names.values.contains(wanted) {
            throw .malformed(
                file: path, place: "categories",
                reason: "hold no '\(wanted)'; they hold \(names.values.sorted().joined(separator: ", "))")
        }
        var images: [Int: File.Image] = [:]
        var found: [String: Annotation] = [:]
        for (i, image) in file.images.enumerated() {
            guard images.updateValue(image, forKey: image.id) == nil else {
                throw .malformed(file: path, place: "images[\(i)].id", reason: "\(image.id) stands there twice")
            }
            found[lastComponent(image.fileName)] = Annotation([], drawnOn: image.size)
        }
        for (i, annotation) in file.annotations.enumerated() {
            guard let image = images[annotation.imageID] else {
                throw .malformed(file: path, place: "annotations[\(i)].image_id", reason: "no image has the id \(annotation.imageID)")
            }
            if let categories, !(annotation.categoryID.flatMap { names[$0] }.map(categories.contains) ?? false) { continue }
            let regions = try annotation.regions(file: path, place: "annotations[\(i)]")
            found[lastComponent(image.fileName)]?.regions += regions
        }
        annotations = found
        byStem = Dictionary(found.keys.map { (stem($0), $0) }, uniquingKeysWith: { min($0, $1) })
    }

    func annotation(of image: String) throws(DataError) -> Annotation? {
        annotations[lastComponent(image)] ?? byStem[stem(image)].flatMap { annotations[$0] }
    }

    /// The parts of the file that matter here, under their published names.
    private struct File: Decodable {
        struct Category: Decodable {
            let id: Int
            let name: String
        }
        struct Image: Decodable {
            let id: Int
            let fileName: String
            let width, height: Int?

            enum CodingKeys: String, CodingKey {
                case id, width, height
                case fileName = "file_name"
            }

            var size: [Int]? { width.flatMap { w in height.map { [w, $0] } } }
        }
        struct Entry: Decodable {
            let imageID: Int
            let categoryID: Int?
            let segmentation: Segmentation?
            let bbox: [Double]?

            enum CodingKeys: String, CodingKey {
                case imageID = "image_id"
                case categoryID = "category_id"
                case segmentation, bbox
            }

            func regions(file: String, place: String) throws(DataError) -> [Annotation.Region] {
                switch segmentation {
                case .polygons(let rings) where !rings.isEmpty:
                    var regions: [Annotation.Region] = []
                    for (i, ring) in rings.enumerated() {
                        guard let polygon = Polygon(flat: ring) else {
                            throw .malformed(
                                file: file, place: "\(place).segmentation[\(i)]",
                                reason: "holds \(ring.count) numbers; a polygon has at least six, x and y in turn")
                        }
                        regions.append(.polygon(polygon))
                    }
                    return regions
                case .runs(let size, let counts):
                    let outline = place + ".segmentation"
                    guard size.count == 2 else { throw .malformed(file: file, place: outline + ".size", reason: "is not [height, width]") }
                    switch counts {
                    case .plain(let counts):
                        return [.runLength(try RunLengthMask(width: size[1], height: size[0], counts: counts, file: file, place: outline))]
                    case .compressed(let text):
                        return [
                            .runLength(try RunLengthMask(width: size[1], height: size[0], compressed: text, file: file, place: outline))
                        ]
                    }
                default:
                    guard let bbox else { throw .malformed(file: file, place: place, reason: "has neither segmentation nor bbox") }
                    guard bbox.count == 4, bbox.allSatisfy(\.isFinite), bbox[2] >= 0, bbox[3] >= 0 else {
                        throw .malformed(file: file, place: place + ".bbox", reason: "is not [x, y, width, height]")
                    }
                    return [.box(BoundingBox(left: bbox[0], top: bbox[1], right: bbox[0] + bbox[2], bottom: bbox[1] + bbox[3]))]
                }
            }
        }
        let images: [Image]
        let annotations: [Entry]
        let categories: [Category]?
    }

    private enum Segmentation: Decodable {
        case polygons([[Double]])
        case runs(size: [Int], counts: Counts)

        enum Counts: Decodable {
            case plain([Int])
            case compressed(String)

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let text = try? container.decode(String.self) {
                    self = .compressed(text)
                } else {
                    self = .plain(try container.decode([Int].self))
                }
            }
        }
        enum Keys: String, CodingKey { case size, counts }

        init(from decoder: any Decoder) throws {
            if let container = try? decoder.container(keyedBy: Keys.self) {
                self = .runs(
                    size: try container.decode([Int].self, forKey: .size), counts: try container.decode(Counts.self, forKey: .counts))
            } else {
                self = .polygons(try decoder.singleValueContainer().decode([[Double]].self))
            }
        }
    }
}

extension AnnotationFormat {
    /// COCO.
    static let coco = AnnotationFormat(
        name: "coco", summary: "COCO JSON file: polygons, run lengths, or boxes where there is no outline",
        citation: "Lin et al. 2014, Microsoft COCO: Common Objects in Context, https://doi.org/10.1007/978-3-319-10602-1_48"
    ) { (path, _, classes) throws(DataError) in try COCO(path: path, categories: classes) }
}
