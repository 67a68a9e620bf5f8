import Foundation
import VitrineImage

/// A folder of LabelMe files, one per image: polygons, rectangles, circles and masks; points and lines have no area and are left out.
struct LabelMe: AnnotationSource {
    let files: AnnotationFiles
    let classes: [String]?
    var names: [String] { files.names }

    func annotation(at position: Int) throws(DataError) -> Annotation {
        let path = files.path(position)
        let file = try readJSON(File.self, path, neededBy: "the annotations")
        // LabelMe turns a picture by its EXIF orientation before it shows it.
        var annotation = Annotation([], drawnOn: file.imageWidth.flatMap { w in file.imageHeight.map { [w, $0] } }, frame: .turned)
        for (i, shape) in file.shapes.enumerated() where classes.map({ $0.contains(shape.label) }) ?? true {
            let place = "shapes[\(i)]"
            if let region = try shape.region(file: path, place: place) {
                annotation.regions.append(region)
            } else {
                annotation.skipped.append("\(path), \(place): a '\(shape.shapeType ?? "polygon")' has no area")
            }
        }
        return annotation
    }

    /// The parts of a file that matter here, under their published names.
    private struct File: Decodable {
        struct Shape: Decodable {
            let label: String
            let points: [[Double]]
            let shapeType: String?
            /// A PNG in base 64.
            let mask: String?

            enum CodingKeys: String, CodingKey {
                case label, points, mask
                case shapeType = "shape_type"
            }

            /// Nil for a shape without an area.
            func region(file: String, place: String) throws(DataError) -> Annotation.Region? {
                let arePairs = points.allSatisfy { $0.count == 2 && $0.allSatisfy(\.isFinite) }
                /// The two points of shapes that have two.
                func two(_ name: String) throws(DataError) -> (a: [Double], b: [Double]) {
                    guard points.count == 2, arePairs else {
                        throw .malformed(file: file, place: place, reason: "a \(name) has two points of two numbers")
                    }
                    return (points[0], points[1])
                }
                switch shapeType ?? "polygon" {
                case "polygon":
                    guard arePairs, let polygon = Polygon(flat: points.flatMap { $0 }) else {
                        throw .malformed(file: file, place: place, reason: "a polygon has at least three points of two numbers")
                    }
                    return .polygon(polygon)
                case "rectangle":
                    let (a, b) = try two("rectangle")
                    return .box(BoundingBox(left: min(a[0], b[0]), top: min(a[1], b[1]), right: max(a[0], b[0]), bottom: max(a[1], b[1])))
                case "circle":
                    // The middle, and a point on the rim.
                    let (a, b) = try two("circle")
                    let (dx, dy) = (a[0] - b[0], a[1] - b[1])
                    return .disc(Disc(x: a[0], y: a[1], radius: (dx * dx + dy * dy).squareRoot()))
                case "mask":
                    let (a, b) = try two("mask")
                    return try patch(a, b, file: file, place: place)
                default: return nil
                }
            }

            /// The mask lies on the pixels from the first point to the second, both inside.
            private func patch(_ a: [Double], _ b: [Double], file: String, place: String) throws(DataError) -> Annotation.Region {
                let corners = (a + b).map { Int(exactly: $0.rounded(.down)) ?? .max }
                guard corners.allSatisfy({ abs($0) < 1 << 24 }), let mask, let data = Data(base64Encoded: mask),
                    let picture = try? Image(encoded: [UInt8](data), source: file)
                else {
                    throw .malformed(file: file, place: place, reason: "its mask is no picture in base 64 with its corners")
                }
                let (width, height) = (corners[2] - corners[0] + 1, corners[3] - corners[1] + 1)
                guard [picture.width, picture.height] == [width, height] else {
                    throw .malformed(
                        file: file, place: place,
                        reason: "its mask has \(picture.width) x \(picture.height) pixels, its points say \(width) x \(height)")
                }
                return .patch(Mask(picture, rule: .positive), left: corners[0], top: corners[1])
            }
        }
        let shapes: [Shape]
        let imageWidth, imageHeight: Int?
    }
}

extension AnnotationFormat {
    /// LabelMe.
    static let labelMe = AnnotationFormat(
        name: "labelme", summary: "folder of LabelMe JSON files: polygons, rectangles, circles and masks",
        citation:
            "Russell et al. 2008, LabelMe, https://doi.org/10.1007/s11263-007-0090-8; file format of https://github.com/wkentaro/labelme"
    ) { (path, _, classes) throws(DataError) in
        LabelMe(files: try AnnotationFiles(folder: path, ending: "json"), classes: classes)
    }
}
