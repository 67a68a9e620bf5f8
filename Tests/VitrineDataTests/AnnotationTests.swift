import Foundation
import Testing
import VitrineImage

@testable import VitrineData

/// Tests/Fixtures/data/annotations.json.
struct AnnotationCases: Decodable {
    struct Ring: Decodable {
        let width, height, count: Int
        let ring: [Double]
        let hash: String
        let iouWithCOCO: Double?
    }
    struct Runs: Decodable {
        let width, height: Int
        let counts: [Int]
        let compressed, hash: String
    }
    let polygons: [Ring]
    let runLengths: [Runs]

    static func load() throws -> AnnotationCases { try DataFixtures.decode(AnnotationCases.self, "annotations.json") }
}

@Suite struct AnnotationTests {
    private func empty(_ width: Int, _ height: Int) -> Mask {
        Mask(width: width, height: height, bits: [Bool](repeating: false, count: width * height))
    }

    /// scikit-image's even-odd test at pixel centres: 0 differing pixels.
    @Test func polygonsEqualScikitImage() throws {
        let cases = try AnnotationCases.load().polygons
        #expect(cases.count == 15)
        for expected in cases {
            var mask = empty(expected.width, expected.height)
            mask.fill(try #require(Polygon(flat: expected.ring)))
            #expect(mask.count == expected.count)
            #expect(DataFixtures.hash(mask.bits.map { $0 ? 1 : 0 }) == expected.hash)
        }
    }

    /// pycocotools draws edges by another rule, a pixel thick; on polygons of 100 pixels and more that is at most a tenth of the union.
    @Test func polygonsAreCloseToCOCO() throws {
        for expected in try AnnotationCases.load().polygons where expected.count >= 100 { #expect((expected.iouWithCOCO ?? 0) > 0.9) }
    }

    @Test func runLengthsEqualCOCO() throws {
        for expected in try AnnotationCases.load().runLengths {
            let plain = try RunLengthMask(width: expected.width, height: expected.height, counts: expected.counts, file: "f", place: "p")
            #expect(DataFixtures.hash(plain.mask().bits.map { $0 ? 1 : 0 }) == expected.hash)
            let compressed = try RunLengthMask(
                width: expected.width, height: expected.height, compressed: expected.compressed, file: "f", place: "p")
            #expect(compressed.counts == expected.counts)
        }
    }

    @Test(arguments: [
        ([5, 3], "runs cover 8 of 3 x 3 = 9 pixels"), ([5, 5], "runs exceed 3 x 3 = 9 pixels"), ([-1, 10], "runs exceed 3 x 3 = 9 pixels"),
    ])
    func runsMustFillTheImage(_ counts: [Int], _ reason: String) {
        #expect(throws: DataError.malformed(file: "f", place: "p", reason: reason)) {
            try RunLengthMask(width: 3, height: 3, counts: counts, file: "f", place: "p")
        }
    }

    @Test(arguments: ["~", "ooooooooooooooooo", "o", "\u{e9}", "9999999999"]) func damagedCompressedRuns(_ text: String) {
        #expect(throws: DataError.self) { try RunLengthMask(width: 3, height: 3, compressed: text, file: "f", place: "p") }
    }

    /// Boxes count the pixels whose centre they hold; a box between centres keeps its one pixel; outside is cut off.
    @Test func boxes() {
        var mask = empty(6, 4)
        mask.fill(BoundingBox(left: 1, top: 1, right: 3, bottom: 2))
        #expect(mask.bits.indices.filter { mask.bits[$0] } == [7, 8])
        mask = empty(6, 4)
        mask.fill(BoundingBox(left: 2.6, top: 1.6, right: 2.9, bottom: 1.9))
        #expect(mask.bits.indices.filter { mask.bits[$0] } == [8])
        mask = empty(6, 4)
        mask.fill(BoundingBox(left: -100, top: 2, right: 1e300, bottom: 1e300))
        #expect(mask.count == 12)
        mask = empty(6, 4)
        mask.fill(BoundingBox(left: 10, top: 10, right: 20, bottom: 20))
        #expect(mask.isEmpty)
    }

    /// Polygons with a common edge through pixel centres share no pixel and leave none out.
    @Test func neighbouringPolygonsTile() {
        var left = empty(8, 8)
        var right = empty(8, 8)
        left.fill(BoundingBox(left: 0, top: 0, right: 3.5, bottom: 8))
        right.fill(BoundingBox(left: 3.5, top: 0, right: 8, bottom: 8))
        #expect(zip(left.bits, right.bits).allSatisfy { $0 != $1 })
    }

    /// The same 3 x 2 pixel box, columns 2-4 and rows 1-2 of an image of 10 x 8, in every format of boxes and polygons.
    @Test func formatsAgree() throws {
        let folder = try DataFixtures.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ name: String, _ text: String) throws -> String {
            let url = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
            return url.path
        }
        let coco = try write(
            "coco.json",
            """
            {"images": [{"id": 1, "file_name": "a/x.png", "width": 10, "height": 8}, {"id": 2, "file_name": "none.png"}],
             "categories": [{"id": 3, "name": "lesion"}, {"id": 4, "name": "ruler"}],
             "annotations": [{"image_id": 1, "category_id": 3, "segmentation": [[2, 1, 5, 1, 5, 3, 2, 3]]},
                             {"image_id": 1, "category_id": 4, "bbox": [0, 0, 1, 1], "segmentation": []}]}
            """)
        let boxes = try write("boxes.csv", "image,label,xmin,ymin,xmax,ymax\nx.png,lesion,2,1,5,3\nx.png,ruler,0,0,1,1\nnone.png,,,,,\n")
        _ = try write(
            "voc/x.xml",
            """
            <annotation><size><width>10</width><height>8</height></size>
            <object><name>lesion</name><bndbox><xmin>3</xmin><ymin>2</ymin><xmax>5</xmax><ymax>3</ymax></bndbox>
            <part><name>rim</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part></object>
            <object><name>ruler</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>1</xmax><ymax>1</ymax></bndbox></object></annotation>
            """)
        _ = try write("yolo/x.txt", "0 0.35 0.25 0.3 0.25\n1 0.05 0.0625 0.1 0.125\n")
        _ = try write("yolo/none.txt", "\n")
        _ = try write(
            "labelme/x.json",
            """
            {"imageWidth": 10, "imageHeight": 8, "shapes": [{"label": "lesion", "shape_type": "rectangle", "points": [[5, 3], [2, 1]]},
             {"label": "ruler", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}]}
            """)
        var picture = Image(width: 10, height: 8, channels: 1)
        for y in 1...2 { for x in 2...4 { picture.pixels[y * 10 + x] = 200 } }
        try FileManager.default.createDirectory(atPath: folder.path + "/masks", withIntermediateDirectories: true)
        try picture.write(png: folder.path + "/masks/x_mask.png")
        let expected = Mask(picture, rule: .positive)
        let places = [
            "coco": (coco, ["lesion"]), "boxes": (boxes, ["lesion"]), "voc": (folder.path + "/voc", ["lesion"]),
            "yolo": (folder.path + "/yolo", ["0"]), "labelme": (folder.path + "/labelme", ["lesion"]),
            "masks": (folder.path + "/masks", nil),
        ]
        #expect(Set(places.keys) == Set(AnnotationFormat.all.map(\.name)))
        for format in AnnotationFormat.all {
            let (path, classes) = try #require(places[format.name])
            let source = try format.open(path, classes: classes)
            let annotation = try #require(try source.annotation(of: "some/folder/x.png"), "\(format.name)")
            #expect(try annotation.mask(width: 10, height: 8, source: "x.png") == expected, "\(format.name)")
            #expect(try source.annotation(of: "unknown.png") == nil)
            if let everything = classes == nil ? nil : try format.open(path).annotation(of: "x.png") {
                #expect(try everything.mask(width: 10, height: 8, source: "x.png").count == 7, "\(format.name)")
            }
            if ["coco", "boxes", "yolo"].contains(format.name) {
                #expect(try source.annotation(of: "none.png")?.regions == [], "\(format.name)")
            }
            if ["coco", "voc", "labelme"].contains(format.name) {
                #expect(throws: DataError.sizeMismatch(source: "x.png", annotation: [10, 8], image: [20, 16])) {
                    try annotation.mask(width: 20, height: 16, source: "x.png")
                }
            }
            #expect(!format.summary.isEmpty && !format.citation.isEmpty)
        }
    }

    @Test(arguments: [
        ("coco", "{\"images\": []}", "annotations: is missing"),
        ("coco", "{\"images\": [", "whole file:"),
        ("coco", "{\"images\": [{\"id\": 1}], \"annotations\": []}", "images[0].file_name: is missing"),
        ("coco", "{\"images\": [{\"id\": 1, \"file_name\": 3}], \"annotations\": []}", "images[0].file_name: is no String"),
        (
            "coco",
            "{\"images\": [{\"id\": 1, \"file_name\": \"x.png\"}], \"annotations\": [{\"image_id\": 1, \"segmentation\": [[1, 2, 3]]}]}",
            "annotations[0].segmentation[0]: holds 3 numbers; a polygon has at least six, x and y in turn"
        ),
        (
            "coco", "{\"images\": [{\"id\": 1, \"file_name\": \"x.png\"}], \"annotations\": [{\"image_id\": 1}]}",
            "annotations[0]: has neither segmentation nor bbox"
        ),
        (
            "coco",
            "{\"images\": [{\"id\": 1, \"file_name\": \"x.png\"}], \"annotations\": [{\"image_id\": 1, \"segmentation\": {\"size\": [2, 2], \"counts\": [9]}}]}",
            "annotations[0].segmentation: runs exceed 2 x 2 = 4 pixels"
        ),
        ("boxes", "image,xmin,ymin,xmax\nx.png,1,2,3\n", "row 1: has no column 'ymax'; it has image, xmin, ymin, xmax"),
        ("boxes", "image,xmin,ymin,xmax,ymax\nx.png,1,b,3,4\n", "row 2: column 'ymin' holds 'b', which is no number"),
        ("boxes", "image,xmin,ymin,xmax,ymax\nx.png,5,1,3,4\n", "row 2: the box ends before it begins"),
        ("boxes", "image,xmin,ymin,xmax,ymax\nx.png,5,1,,4\n", "row 2: column 'xmax' is empty"),
        ("boxes", "image,xmin,ymin,xmax,ymax,colour\n", "row 1: column 'colour' is none of"),
        ("voc", "<annotation><object></annotation>", "is no well-formed XML"),
        ("voc", "<annotation>\n<object><name>n</name></object></annotation>", "line 2: object 'n': xmin is missing, a number is needed"),
        ("yolo", "0 0.5 0.5 0.1\n", "line 1: holds 4 values; class, centre x, centre y, width, height are needed"),
        ("yolo", "0 0.5 0.5 0.1 0.1\n0 50 50 10 10\n", "line 2: is no class number followed by four numbers in 0...1"),
        (
            "labelme", "{\"shapes\": [{\"label\": \"a\", \"points\": [[1, 2]]}]}",
            "shapes[0]: a polygon has at least three points of two numbers"
        ),
    ])
    func badFiles(_ name: String, _ text: String, _ message: String) throws {
        let folder = try DataFixtures.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let format = try #require(AnnotationFormat.all.first { $0.name == name })
        let isFile = name == "coco" || name == "boxes"
        let file = folder.appendingPathComponent(
            "x" + (["voc": ".xml", "yolo": ".txt", "labelme": ".json", "coco": ".json"][name] ?? ".csv"))
        try Data(text.utf8).write(to: file)
        let error = #expect(throws: DataError.self) {
            _ = try format.open(isFile ? file.path : folder.path).annotation(of: "x.png")
        }
        #expect(
            error?.description.hasPrefix(file.path) == true && error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func missingAndAmbiguousFiles() throws {
        let folder = try DataFixtures.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        for format in AnnotationFormat.all {
            #expect(throws: DataError.missing(path: folder.path + "/no", neededBy: "the annotations")) {
                try format.open(folder.path + "/no")
            }
        }
        for name in ["x.png", "x.tif"] { try Data().write(to: folder.appendingPathComponent(name)) }
        #expect(throws: DataError.ambiguous(first: folder.path + "/x.png", second: folder.path + "/x.tif", image: "x")) {
            try AnnotationFormat.masks.open(folder.path)
        }
    }

    @Test func maskRules() {
        for rule in [MaskRule.positive, .half, .atLeast(1), .atLeast(128), .atLeast(255)] { #expect(MaskRule(parsing: rule.text) == rule) }
        for text in ["", "half ", "at-least:0", "at-least:256", "at-least:x", "at-least:"] { #expect(MaskRule(parsing: text) == nil) }
    }
}
