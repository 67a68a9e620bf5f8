import VitrineImage

/// A COCO file: polygons and run lengths (compressed or not); a box where an annotation has no outline.
///
/// An entry that cannot be read spoils its own image alone; rings without an area, and entries of images that the file does not list, are left
/// out and counted.
struct COCO: AnnotationSource {
    let names: [String]
    let skipped: [String]
    private let annotations: [Annotation]

    /// - Parameter categories: names of the categories that are lesions; nil takes all.
    init(path: String, categories: [String]?) throws(DataError) {
        let file = try readJSON(File.self, path, neededBy: "the annotations")
        var labels: [Identifier: String] = [:]
        for category in file.categories ?? [] { labels[category.id] = category.name }
        for wanted in categories ?? [] where !labels.values.contains(wanted) {
            throw .malformed(
                file: path, place: "categories",
                reason: "hold no '\(wanted)'; they hold \(labels.values.sorted().joined(separator: ", "))")
        }
        var positions: [Identifier: Int] = [:]
        var found: [Annotation] = []
        var byName: [String: Int] = [:]
        var skipped: [String] = []
        for (i, image) in file.images.enumerated() {
            guard positions.updateValue(i, forKey: image.id) == nil else {
                throw .malformed(file: path, place: "images[\(i)].id", reason: "\(image.id.text) stands there twice")
            }
            found.append(Annotation([], drawnOn: image.size))
            if let first = byName.updateValue(i, forKey: image.fileName) {
                // Two pictures of one name, from folders that the file does not tell: whose regions are whose is not known.
                for k in [first, i] {
                    found[k].fault = .malformed(
                        file: path, place: "images[\(i)].file_name",
                        reason: "'\(image.fileName)' is also images[\(first)]; keep the folders in the names, so that they differ")
                }
            }
        }
        for (i, annotation) in file.annotations.enumerated() {
            let place = "annotations[\(i)]"
            guard let position = positions[annotation.imageID] else {
                skipped.append("\(path), \(place).image_id: no image has the id \(annotation.imageID.text)")
                continue
            }
            if let categories, !(annotation.categoryID.flatMap { labels[$0] }.map(categories.contains) ?? false) { continue }
            do {
                let (regions, without) = try annotation.regions(file: path, place: place)
                found[position].regions += regions
                found[position].skipped += without
            } catch { found[position].fault = found[position].fault ?? error }
        }
        // Of several pictures of one name the first stands for all: it carries the fault.
        let kept = file.images.indices.filter { byName[file.images[$0].fileName] == $0 }
        names = kept.map { file.images[$0].fileName }
        annotations = kept.map { found[$0] }
        self.skipped = skipped
    }

    func annotation(at position: Int) throws(DataError) -> Annotation {
        if let fault = annotations[position].fault { throw fault }
        return annotations[position]
    }

    /// A number or a text, as different tools write it; compared as text.
    private struct Identifier: Decodable, Hashable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                text = "\(number)"
            } else {
                text = try container.decode(String.self)
            }
        }
    }

    /// The parts of the file that matter here, under their published names.
    private struct File: Decodable {
        struct Category: Decodable {
            let id: Identifier
            let name: String
        }
        struct Image: Decodable {
            let id: Identifier
            let fileName: String
            let width, height: Int?

            enum CodingKeys: String, CodingKey {
                case id, width, height
                case fileName = "file_name"
            }

            var size: [Int]? { width.flatMap { w in height.map { [w, $0] } } }
        }
        struct Entry: Decodable {
            let imageID: Identifier
            let categoryID: Identifier?
            let segmentation: Segmentation?
            let bbox: [Double]?

            enum CodingKeys: String, CodingKey {
                case imageID = "image_id"
                case categoryID = "category_id"
                case segmentation, bbox
            }

            /// The regions, and a line for each ring that has no area.
            func regions(file: String, place: String) throws(DataError) -> (regions: [Annotation.Region], skipped: [String]) {
                switch segmentation {
                case .polygons(let rings) where !rings.isEmpty:
                    var regions: [Annotation.Region] = []
                    var skipped: [String] = []
                    for (i, ring) in rings.enumerated() {
                        let place = "\(place).segmentation[\(i)]"
                        if ring.count < 6 && ring.count % 2 == 0 {
                            skipped.append("\(file), \(place): \(ring.count) numbers are no outline with an area")
                            continue
                        }
                        guard let polygon = Polygon(flat: ring) else {
                            throw .malformed(
                                file: file, place: place,
                                reason: "holds \(ring.count) numbers; a polygon has at least six, x and y in turn")
                        }
                        regions.append(.polygon(polygon))
                    }
                    return (regions, skipped)
                case .runs(let size, let counts):
                    let outline = place + ".segmentation"
                    guard size.count == 2 else { throw .malformed(file: file, place: outline + ".size", reason: "is not [height, width]") }
                    switch counts {
                    case .plain(let counts):
                        let runs = try RunLengthMask(width: size[1], height: size[0], counts: counts, file: file, place: outline)
                        return ([.runLength(runs)], [])
                    case .compressed(let text):
                        let runs = try RunLengthMask(width: size[1], height: size[0], compressed: text, file: file, place: outline)
                        return ([.runLength(runs)], [])
                    }
                default:
                    guard let bbox else { throw .malformed(file: file, place: place, reason: "has neither segmentation nor bbox") }
                    guard bbox.count == 4, bbox.allSatisfy(\.isFinite), bbox[2] >= 0, bbox[3] >= 0 else {
                        throw .malformed(file: file, place: place + ".bbox", reason: "is not [x, y, width, height]")
                    }
                    let box = BoundingBox(left: bbox[0], top: bbox[1], right: bbox[0] + bbox[2], bottom: bbox[1] + bbox[3])
                    return ([.box(box)], [])
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
                let container = try decoder.singleValueContainer()
                // A single ring that is not in a list of rings, as some tools write it.
                if let ring = try? container.decode([Double].self) {
                    self = .polygons(ring.isEmpty ? [] : [ring])
                } else {
                    self = .polygons(try container.decode([[Double]].self))
                }
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
