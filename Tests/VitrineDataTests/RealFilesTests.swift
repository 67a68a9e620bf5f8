import Foundation
import Testing
import VitrineImage
import VitrineTensor

@testable import VitrineData

/// What real files look like: each kind of issue 16 with its right value, and relatives of it.
@Suite struct RealFilesTests {
    private func losses(_ contents: DatasetContents) -> [String] { contents.notes.filter(\.isLoss).map(\.text) }

    // MARK: Whose annotation is it

    private static let cocoOfTwoFolders = """
        {"images": [{"id": 1, "file_name": "benign/1.png", "width": 60, "height": 40},
                    {"id": 2, "file_name": "malignant/1.png", "width": 60, "height": 40}],
         "categories": [{"id": 1, "name": "lesion"}],
         "annotations": [{"image_id": 1, "category_id": 1, "segmentation": [[0, 0, 10, 0, 10, 10, 0, 10]]},
                         {"image_id": 2, "category_id": 1, "segmentation": [[20, 20, 50, 20, 50, 30, 20, 30]]}]}
        """

    /// Case 08: areas of 100 and 300 pixels, by folder; not their union, and not one of them for both.
    @Test(arguments: ["coco", "boxes", "labelme"]) func sameNameInTwoFolders(_ format: String) throws {
        let tree = try Tree()
        for name in ["img/benign/1.png", "img/malignant/1.png"] { try tree.image(name, width: 60, height: 40) }
        try tree.text("coco", Self.cocoOfTwoFolders)
        // Written under Windows.
        try tree.text("boxes", "image,xmin,ymin,xmax,ymax\nbenign\\1.png,0,0,10,10\nmalignant\\1.png,20,20,50,30\n")
        for (name, points) in [("benign", "[[0, 0], [10, 10]]"), ("malignant", "[[20, 20], [50, 30]]")] {
            try tree.text(
                "labelme/\(name)/1.json", "{\"shapes\": [{\"label\": \"a\", \"shape_type\": \"rectangle\", \"points\": \(points)}]}")
        }
        let samples = try Datasets.open(
            "folder", path: tree.path + "/img", options: ["annotations": tree.path + "/" + format, "annotation-format": format]
        ).samples()
        let areas = try samples.map { try #require($0.annotation).mask(width: 60, height: 40, source: $0.id).count }
        #expect(samples.map(\.id) == ["benign/1.png", "malignant/1.png"] && areas == [100, 300])
    }

    /// A source that names a folder gives nothing to the images of another one; a name without a folder is refused when two images have it.
    @Test func annotationsOfOtherFoldersAreNotTaken() throws {
        let match = NameMatch(["benign/1.png", "train2017/7.png"])
        #expect(try match.positions(of: ["/d/benign/1.png", "/d/malignant/1.png", "/d/malignant/7.png"]) == [0, nil, 1])
        // Only the other folder has an annotation, and the folder's own image is there too.
        #expect(try NameMatch(["benign/2.png"]).positions(of: ["/d/benign/1.png", "/d/malignant/2.png"]) == [nil, nil])
        #expect(throws: DataError.sharedAnnotation(annotation: "1.png", first: "p1/1.png", second: "p2/1.png")) {
            try NameMatch(["1.png"]).positions(of: ["p1/1.png", "p2/1.png"])
        }
        #expect(try NameMatch(["1.png"]).positions(of: ["p1/1.png", "p2/1.png"]) { $0 == 1 } == [nil, 0])
        #expect(throws: DataError.ambiguous(first: "a/1.png", second: "b/1.png", image: "1.png")) {
            try NameMatch(["a/1.png", "b/1.png"]).positions(of: ["1.png"])
        }
        // The same ending decides between x.png and x.tif.
        #expect(try NameMatch(["x.png", "x.tif"]).positions(of: ["x.tif", "x.png"]) == [1, 0])
    }

    @Test func twoCOCOImagesOfOneNameAreRefused() throws {
        let tree = try Tree()
        try tree.text(
            "coco.json",
            """
            {"images": [{"id": 1, "file_name": "1.png"}, {"id": 2, "file_name": "1.png"}, {"id": 3, "file_name": "2.png"}],
             "annotations": [{"image_id": 3, "bbox": [0, 0, 2, 2]}]}
            """)
        let source = try AnnotationFormat.coco.open(tree.path + "/coco.json")
        #expect(throws: DataError.self) { try source.annotation(of: "1.png") }
        #expect(try source.annotation(of: "2.png")?.regions.count == 1)
    }

    /// Masks in the sub-folders of their images; one mask for two images is nobody's.
    @Test func pairsInSubFolders() throws {
        let tree = try Tree()
        for name in ["images/p1/1.png", "images/p2/1.png", "masks/p1/1.png", "masks/p2/1.png"] { try tree.image(name) }
        let samples = try Datasets.open("pairs", path: tree.path).samples()
        #expect(samples.map(\.maskPath) == ["/masks/p1/1.png", "/masks/p2/1.png"].map { tree.path + $0 })
        let flat = try Tree()
        for name in ["images/p1/1.png", "images/p2/1.png", "masks/1.png"] { try flat.image(name) }
        #expect(throws: DataError.self) { try Datasets.open("pairs", path: flat.path).samples() }
    }

    // MARK: Masks beside images

    /// Case 09, BUSI as published: two masks of one image are merged, whichever way they are named, and none of them is an image.
    @Test func busiSecondMask() throws {
        let tree = try Tree()
        for i in 1...2 { try tree.image("busi/benign/benign (\(i)).png", width: 32, height: 32) }
        for (name, left) in [("benign (1)_mask", 2), ("benign (2)_mask", 4), ("benign (2)_mask_1", 20)] {
            var mask = Image(width: 32, height: 32, channels: 1)
            for y in 0..<8 { for x in left..<left + 8 { mask.pixels[y * 32 + x] = 255 } }
            try mask.write(png: tree.path + "/busi/benign/" + name + ".png")
        }
        try tree.image("busi/malignant/malignant (1).png", width: 32, height: 32)
        let images = try Datasets.open("folder", path: tree.path + "/busi").contents()
        #expect(images.samples.map(\.id) == ["benign/benign (1).png", "benign/benign (2).png", "malignant/malignant (1).png"])
        #expect(losses(images).isEmpty && images.notes.contains { $0.text.contains("3 files beside images are their masks") })
        let annotated = try Datasets.open(
            "folder", path: tree.path + "/busi", options: ["annotations": tree.path + "/busi"]
        ).samples()
        let areas = try annotated.map { try $0.annotation?.mask(width: 32, height: 32, source: $0.id) }
        #expect(areas.map { $0?.count } == [64, 128, nil])
        let pairs = try Datasets.open("pairs", path: tree.path + "/busi/benign").samples()
        #expect(try pairs.map { try $0.annotation!.mask(width: 32, height: 32, source: $0.id).count } == [64, 128])
    }

    /// A table of all files in a folder lists masks as images; a mask without its image is left out and said.
    @Test func masksAreNeverImages() throws {
        let tree = try Tree()
        for name in ["a/x.png", "a/x_mask.png", "b/y_mask.png", "b/z.png", "b/with_mask_1.png", "c/q.png"] { try tree.image(name) }
        try tree.text("t.csv", "image,label\na/x.png,0\na/x_mask.png,1\n")
        let error = #expect(throws: DataError.self) { try Datasets.open("csv", path: tree.path + "/t.csv").contents() }
        #expect(error?.description.contains("is a mask by its name") == true)
        let contents = try Datasets.open("folder", path: tree.path).contents()
        #expect(contents.samples.map(\.id) == ["a/x.png", "b/with_mask_1.png", "b/z.png", "c/q.png"])
        #expect(losses(contents).count == 1 && losses(contents)[0].contains("y_mask.png"))
    }

    // MARK: Files passed over

    /// Case 14: whatever is an image by its bytes is listed; the rest is counted and named.
    @Test func filesAreToldByContent() throws {
        let tree = try Tree()
        for name in ["s/IM0001", "s/IM0003.IMA", "s/deep/x.dat"] { try tree.image(name) }
        try tree.text("s/IM0002.dicom", String(repeating: "\0", count: 128) + "DICM....")
        for name in ["s/photo.heic", "s/scan.nii.gz", "s/notes.txt", "s/Thumbs.db", "s/DICOMDIR", "s/__MACOSX/._x.png", "s/README"] {
            try tree.text(name, "no image")
        }
        let listing = try ImageListing(of: tree.path + "/s")
        #expect(listing.images == ["IM0001", "IM0002.dicom", "IM0003.IMA", "deep/x.dat"])
        #expect(listing.passedOver.map(\.path) == ["photo.heic", "scan.nii.gz"])
        #expect(listing.note("s") == "s: 2 files passed over: photo.heic (no format that is read), scan.nii.gz (no format that is read)")
        try tree.image("c/a/1.png")
        try tree.image("c/b/1.png")
        try tree.text("c/b/2.heic", "no image")
        #expect(losses(try Datasets.open("folder", path: tree.path + "/c").contents()).map { $0.contains("2.heic") } == [true])
    }

    /// hostile F18: loops end, and no image is listed twice; pipes and links to nowhere are named.
    @Test(.timeLimit(.minutes(1))) func loopsPipesAndLongNames() throws {
        let tree = try Tree()
        let long = String(repeating: "x", count: 220)
        for name in ["a/1.png", "b/1.png", "b/\(long).png"] { try tree.image(name) }
        let files = FileManager.default
        for (link, target) in [
            ("a/up", ".."), ("a/here", "."), ("b/here2", "."), ("loop", "."), ("a/nowhere.png", "gone"), ("a/self", "self"),
        ] {
            try files.createSymbolicLink(atPath: tree.path + "/" + link, withDestinationPath: target)
        }
        let pipe = Process()
        pipe.executableURL = URL(fileURLWithPath: "/usr/bin/mkfifo")
        pipe.arguments = [tree.path + "/b/pipe.png"]
        try pipe.run()
        pipe.waitUntilExit()
        let contents = try Datasets.open("folder", path: tree.path).contents()
        #expect(contents.classNames == ["a", "b"] && contents.samples.map(\.id) == ["a/1.png", "b/1.png", "b/\(long).png"])
        let said = losses(contents).joined(separator: "\n")
        for name in ["up", "here", "nowhere.png", "self", "pipe.png", "loop"] { #expect(said.contains(name), "\(name): \(said)") }
        // A pipe as an annotation is refused, not waited for.
        #expect(throws: DataError.self) { try CSVTable(path: tree.path + "/b/pipe.png", neededBy: "a test") }
    }

    // MARK: Classes

    /// Case 13: sides of a split are no classes, and neither is what lies beside them.
    @Test(arguments: ["annotations", "extra", "logs", "__MACOSX"]) func splitFoldersAsClasses(_ other: String) throws {
        let tree = try Tree()
        for side in ["train", "val", "test"] { for name in ["a", "b"] { try tree.image("\(side)/\(name)/0.png") } }
        if other == "logs" { try tree.text("logs/run.log", "x") } else { try tree.image(other + "/0.png") }
        let contents = try Datasets.open("folder", path: tree.path).contents()
        #expect(contents.classNames == ["a", "b"] && contents.samples.count == 6)
        #expect(Set(contents.samples.map(\.split)) == [.train, .validation, .test])
        let named = contents.notes.filter { $0.text.contains("/" + other) }
        #expect(named.count == (other == "__MACOSX" ? 0 : 1))
        #expect(named.allSatisfy { $0.isLoss == (other != "logs") })
    }

    @Test func foldersThatAreNoClasses() throws {
        let tree = try Tree()
        for name in ["a/0.png", "b/0.png", "masks/0.png", "loose.png"] { try tree.image(name) }
        try tree.text("logs/run.log", "x")
        let contents = try Datasets.open("folder", path: tree.path).contents()
        #expect(contents.classNames == ["a", "b"] && losses(contents).count == 2)
        #expect(losses(contents).contains { $0.contains("/masks") } && losses(contents).contains { $0.contains("loose.png") })
        let asked = try Datasets.open("folder", path: tree.path, options: ["classes": "a,masks"]).contents()
        #expect(asked.classNames == ["a", "masks"] && asked.samples.count == 2)
        // Is "test" a class beside "control"? Nobody knows.
        let odd = try Tree()
        for name in ["control/0.png", "test/0.png"] { try odd.image(name) }
        #expect(throws: DataError.unclearFolders(path: odd.path, sides: ["test"], others: ["control"])) {
            try Datasets.open("folder", path: odd.path).contents()
        }
        let named = try Datasets.open("folder", path: odd.path, options: ["classes": "control,test"]).contents()
        #expect(named.classNames == ["control", "test"] && named.positiveLabel == 1)
        // Unlabelled test images beside a labelled training side are left out and said.
        let kaggle = try Tree()
        for name in ["train/a/0.png", "train/b/0.png", "test/9.png"] { try kaggle.image(name) }
        let two = try Datasets.open("folder", path: kaggle.path).contents()
        #expect(two.samples.count == 2 && losses(two).map { $0.contains("9.png") } == [true])
    }

    @Test(arguments: [
        ("image,label\na.png,ill\nb.png,nan\n", "label 'nan' reads as a missing value"),
        ("image,label,patient\na.png,0,NaN\nb.png,1,NaN\n", "patient 'NaN' reads as a missing value"),
        ("image,label\na.png,abnormal\nb.png,Abnormal\n", "classes 'Abnormal' and 'abnormal' differ only in case or spaces"),
        ("image,label\na.png,1\nb.png,2\n", "the labels are 1 to 2, and whether there is a class 0"),
        ("image,label\na.png,benign\nb.png,normal\n", "which of the classes benign, normal is the positive one is not clear"),
        ("image,label\n./a.png,0\na.png,1\n", "row 3: image 'a.png' stands in row 2 already"),
        ("image,label\na.png,0\nlink.png,0\n", "row 3: image 'link.png' stands in row 2 already"),
    ])
    func whatTheLabelsMeanIsAskedFor(_ text: String, _ message: String) throws {
        let tree = try Tree()
        for name in ["a.png", "b.png"] { try tree.image(name) }
        try FileManager.default.createSymbolicLink(atPath: tree.path + "/link.png", withDestinationPath: "a.png")
        try tree.text("t.csv", text)
        let error = #expect(throws: DataError.self) { try Datasets.open("csv", path: tree.path + "/t.csv").contents() }
        let line = error?.description ?? ""
        #expect(line.contains(message) && !line.contains("\n"), "\(line)")
    }

    @Test func namedClassesAnswerWhatIsAsked() throws {
        let tree = try Tree()
        for name in ["a.png", "b.png"] { try tree.image(name) }
        try tree.text("t.csv", "image,label\na.png,1\nb.png,2\n")
        func labels(_ classes: String) throws -> [Int?] {
            try Datasets.open("csv", path: tree.path + "/t.csv", options: ["classes": classes]).samples().map(\.label)
        }
        #expect(try labels("1,2") == [0, 1] && labels("0,1,2") == [1, 2] && labels("a,b,c") == [1, 2])
        // A number that names no class does not become a position among numbers.
        try tree.text("t.csv", "image,label\na.png,1\nb.png,0\n")
        #expect(throws: DataError.self) { try labels("1,2") }
    }

    /// The positive class: not "normal" because it comes last.
    @Test(arguments: [
        (["abnormal", "normal"], "abnormal", false), (["healthy", "ill"], "ill", false), (["0", "1"], "1", false),
        (["no_finding", "nodule"], "nodule", false), (["a", "b"], "b", true), (["benign", "malignant"], "malignant", false),
        (["benign", "malignant", "normal"], nil, false), (["cyst", "normal", "tumour"], "tumour", true),
    ])
    func positiveClass(_ classes: [String], _ expected: String?, _ isAssumed: Bool) throws {
        let tree = try Tree()
        for name in classes { try tree.image(name + "/1.png") }
        guard let expected else {
            #expect(throws: DataError.unclearPositive(path: tree.path, classes: classes)) {
                try Datasets.open("folder", path: tree.path).contents()
            }
            let named = try Datasets.open("folder", path: tree.path, options: ["positive": "malignant"]).contents()
            #expect(named.positiveLabel == classes.firstIndex(of: "malignant") && !named.positiveIsAssumed)
            return
        }
        let contents = try Datasets.open("folder", path: tree.path).contents()
        #expect(contents.positiveLabel.map { contents.classNames[$0] } == expected && contents.positiveIsAssumed == isAssumed)
        #expect(contents.notes.contains { $0.text.contains("positive class '\(expected)'") && !$0.isLoss })
    }

    // MARK: Annotations that are no regions, or no annotations

    @Test func labelMeShapes() throws {
        let tree = try Tree()
        var dot = Image(width: 3, height: 2, channels: 1)
        dot.pixels = [255, 0, 255, 0, 255, 0]
        let png = Data(try dot.pngData()).base64EncodedString()
        try tree.text(
            "x.json",
            """
            {"imageWidth": 40, "imageHeight": 30, "shapes": [
             {"label": "a", "shape_type": "circle", "points": [[10, 10], [13, 14]]},
             {"label": "a", "shape_type": "point", "points": [[1, 1]]}, {"label": "a", "shape_type": "linestrip", "points": [[1, 1], [5, 5], [9, 2]]},
             {"label": "a", "shape_type": "mask", "points": [[30, 20], [32, 21]], "mask": "\(png)"}]}
            """)
        try tree.text("y.json", "{\"shapes\": [{\"label\": \"a\", \"shape_type\": \"point\", \"points\": [[1, 1]]}]}")
        try tree.text("z.json", "{\"shapes\": []}")
        for name in ["x", "y", "z"] { try tree.image("img/\(name).png", width: 40, height: 30) }
        try tree.text("img/t.csv", "image\nx.png\ny.png\nz.png\n")
        let contents = try Datasets.open(
            "csv", path: tree.path + "/img/t.csv", options: ["annotations": tree.path, "annotation-format": "labelme"]
        ).contents()
        let mask = try #require(contents.samples[0].annotation).mask(width: 40, height: 30, source: "x")
        // Pixel centres within 5 of (10, 10): counted by hand, row by row.
        let disc = (0..<40).reduce(0) { sum, x in
            sum
                + (0..<30).count { y in
                    let (dx, dy) = (Double(x) - 9.5, Double(y) - 9.5)
                    return dx * dx + dy * dy <= 25
                }
        }
        #expect(disc == 80 && mask.count == disc + 3)
        #expect(mask[row: 20, column: 30] && !mask[row: 20, column: 31] && mask[row: 20, column: 32] && mask[row: 21, column: 31])
        // Of an image whose only item is a point nothing is known; one without items has no lesion.
        #expect(contents.samples[1].annotation == nil && contents.samples[2].annotation?.regions == [])
        #expect(losses(contents).count == 1 && losses(contents)[0].hasPrefix("3 items of the annotations were left out: "))
    }

    /// COCO: ids that are texts, rings of four numbers, a ring that is in no list, entries of images that are not listed.
    @Test func cocoItems() throws {
        let tree = try Tree()
        try tree.text(
            "coco.json",
            """
            {"images": [{"id": "a1", "file_name": "x.png"}, {"id": "7", "file_name": "y.png"}, {"id": 8, "file_name": "z.png"}],
             "categories": [{"id": "c", "name": "lesion"}],
             "annotations": [{"image_id": "a1", "category_id": "c", "segmentation": [[1, 1, 5, 5], [0, 0, 4, 0, 4, 4, 0, 4]]},
                             {"image_id": 7, "category_id": "c", "segmentation": [[1, 1, 5, 5]]},
                             {"image_id": 8, "category_id": "c", "segmentation": [0, 0, 2, 0, 2, 2, 0, 2]},
                             {"image_id": 9, "category_id": "c", "bbox": [0, 0, 1, 1]}]}
            """)
        for name in ["x", "y", "z"] { try tree.image("img/\(name).png", width: 20, height: 20) }
        try tree.text("img/t.csv", "image\nx.png\ny.png\nz.png\n")
        let options = ["annotations": tree.path + "/coco.json", "annotation-format": "coco", "annotation-classes": "lesion"]
        let contents = try Datasets.open("csv", path: tree.path + "/img/t.csv", options: options).contents()
        let areas = try contents.samples.map { try $0.annotation?.mask(width: 20, height: 20, source: $0.id).count }
        #expect(areas == [16, nil, 4])
        #expect(losses(contents).map { $0.hasPrefix("3 items of the annotations were left out: ") } == [true])
    }

    @Test func yoloOutlines() throws {
        let tree = try Tree()
        try tree.text("x.txt", "0 0.1 0.1 0.5 0.1 0.5 0.4 0.1 0.4\n")
        let annotation = try #require(try AnnotationFormat.yolo.open(tree.path).annotation(of: "x.png"))
        let mask = try annotation.mask(width: 20, height: 10, source: "x.png")
        #expect(mask.count == 8 * 3 && mask[row: 1, column: 2] && mask[row: 3, column: 9] && !mask[row: 4, column: 2])
    }

    /// hostile F6 and F20: an annotation that is empty or an error page is a failure of its image, and of no other.
    @Test(arguments: [
        ("voc", "x.xml", ""), ("voc", "x.xml", "<html><body>404</body></html>"), ("voc", "x.xml", "<annotations/>"),
        ("labelme", "x.json", ""), ("labelme", "x.json", "<html></html>"), ("labelme", "x.json", "{}"), ("yolo", "x.txt", "<html></html>"),
    ])
    func damagedAnnotationsAreNoNegatives(_ format: String, _ name: String, _ text: String) throws {
        let tree = try Tree()
        let good = [
            "voc":
                "<annotation><object><name>a</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object></annotation>",
            "labelme": "{\"shapes\": [{\"label\": \"a\", \"points\": [[0, 0], [4, 0], [4, 4]]}]}", "yolo": "0 0.5 0.5 0.2 0.2",
        ]
        try tree.text("ann/" + name, text)
        try tree.text("ann/y." + (name.split(separator: ".").last ?? ""), good[format]!)
        for image in ["img/x.png", "img/y.png"] { try tree.image(image) }
        try tree.text("img/t.csv", "image\nx.png\ny.png\n")
        let samples = try Datasets.open(
            "csv", path: tree.path + "/img/t.csv", options: ["annotations": tree.path + "/ann", "annotation-format": format]
        ).samples()
        let fault = try #require(samples[0].annotation?.fault)
        #expect(fault.description.contains("ann/" + name) && !fault.description.contains("\n"))
        #expect(throws: fault) { try samples[0].annotation?.mask(width: 12, height: 10, source: "x") }
        #expect(try #require(samples[1].annotation).mask(width: 12, height: 10, source: "y").isEmpty == false)
    }

    // MARK: EXIF

    /// Pillow 13's `ImageOps.exif_transpose` of the picture 0 1 2 / 3 4 5, for each orientation.
    private static let shown: [(orientation: Int, pixels: [Int])] = [
        (1, [0, 1, 2, 3, 4, 5]), (2, [2, 1, 0, 5, 4, 3]), (3, [5, 4, 3, 2, 1, 0]), (4, [3, 4, 5, 0, 1, 2]), (5, [0, 3, 1, 4, 2, 5]),
        (6, [3, 0, 4, 1, 5, 2]), (7, [5, 2, 4, 1, 3, 0]), (8, [2, 5, 1, 4, 0, 3]),
    ]

    /// Each pixel of the shown picture, annotated there, comes back to the pixel of the stored picture that it shows.
    @Test(arguments: 1...8) func exifTurnsAnnotationsBack(_ orientation: Int) throws {
        let shown = try #require(Self.shown.first { $0.orientation == orientation }).pixels
        let width = orientation >= 5 ? 2 : 3
        for (i, stored) in shown.enumerated() {
            let box = BoundingBox(
                left: Double(i % width), top: Double(i / width), right: Double(i % width + 1), bottom: Double(i / width + 1))
            let drawn = Annotation([.box(box)], drawnOn: [width, 6 / width], frame: .turned)
            let mask = try drawn.mask(width: 3, height: 2, orientation: orientation, source: "x")
            #expect(mask.bits.indices.filter { mask.bits[$0] } == [stored])
        }
    }

    @Test func exifFrames() throws {
        let box = Annotation.Region.box(BoundingBox(left: 0, top: 0, right: 1, bottom: 1))
        // The size decides where turning changes it.
        func first(_ annotation: Annotation, _ orientation: Int) throws -> [Int] {
            let bits = try annotation.mask(width: 3, height: 2, orientation: orientation, source: "x.jpg").bits
            return bits.indices.filter { bits[$0] }
        }
        #expect(try first(Annotation([box], drawnOn: [3, 2]), 6) == [0])
        #expect(try first(Annotation([box], drawnOn: [2, 3]), 6) == [3])
        #expect(try first(Annotation([box], drawnOn: [3, 2], frame: .turned), 6) == [0])
        // Else it is asked for, by the name of EXIF.
        for (annotation, orientation) in [(Annotation([box], drawnOn: [3, 2]), 3), (Annotation([box]), 6)] {
            let error = #expect(throws: DataError.unknownFrame(source: "x.jpg", orientation: orientation)) {
                try first(annotation, orientation)
            }
            #expect(error?.description.contains("EXIF") == true)
        }
        #expect(try first(Annotation([box], frame: .stored), 3) == [0] && first(Annotation([box], frame: .turned), 3) == [5])
    }

    /// Pillow's files with orientation 8: JPEG (its first 70 bytes), PNG, WebP.
    private static let exifBlock: [UInt8] = [77, 77, 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0]
    private static let png: [UInt8] =
        [
            137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0, 184, 31, 57, 198, 0, 0, 0,
            26,
        ]
        + Array("eXIf".utf8) + exifBlock
        + [
            134, 88, 48, 52, 0, 0, 0, 11, 73, 68, 65, 84, 120, 156, 99, 96, 128, 0, 0, 0, 8, 0, 1, 183, 88, 115, 149, 0, 0, 0, 0, 73, 69,
            78, 68,
            174, 66, 96, 130,
        ]
    private static let webp: [UInt8] =
        [
            82, 73, 70, 70, 78, 0, 0, 0, 87, 69, 66, 80, 86, 80, 56, 88, 10, 0, 0, 0, 8, 0, 0, 0, 2, 0, 0, 1, 0, 0, 86, 80, 56, 76, 14, 0,
            0, 0,
            47, 2, 64, 0, 0, 7, 16, 17, 253, 15, 68, 68, 255, 3,
        ] + Array("EXIF".utf8) + [26, 0, 0, 0] + exifBlock

    @Test func exifOrientationOfPillowsFiles() throws {
        for file in [Self.png, Self.webp] { #expect(try ImageFile(encoded: file).orientation == 8) }
    }

    /// The whole way: a PNG that EXIF turns by 270 degrees, and its outline by LabelMe, which turned it before it was drawn.
    @Test func labelMeOnATurnedPicture() throws {
        let tree = try Tree()
        try tree.text("ann/x.json", "{\"shapes\": [{\"label\": \"a\", \"shape_type\": \"rectangle\", \"points\": [[0, 0], [1, 1]]}]}")
        try tree.text("labels.csv", "image\nx.png\n")
        try Data(Self.png).write(to: URL(fileURLWithPath: tree.path + "/x.png"))
        let options = ["annotations": tree.path + "/ann", "annotation-format": "labelme"]
        let sample = try #require(try Datasets.open("csv", path: tree.path, options: options).samples().first)
        let image = try PreprocessedImage(contentsOf: sample.imagePath, preprocess: .none())
        #expect(image.storedWidth == 3 && image.orientation == 8 && image.sha256 == sha256(of: Self.png))
        let mask = try #require(try image.mask(of: sample))
        // The first pixel shown is the last of the first row.
        #expect(mask.bits.indices.filter { mask.bits[$0] } == [2])
        let stored = try #require(
            try Datasets.open("csv", path: tree.path, options: options.merging(["exif": "stored"]) { $1 }).samples().first)
        let other = try #require(try image.mask(of: stored))
        #expect(other.bits.indices.filter { other.bits[$0] } == [0])
    }

    /// hostile F7: what is hashed is what was decoded.
    @Test func masksKnowTheDigestOfWhatWasDecoded() throws {
        let tree = try Tree()
        try tree.image("m.png", width: 4, height: 3, grey: 255)
        try tree.image("n.png", width: 4, height: 3, grey: 0)
        func read(_ regions: [Annotation.Region]) throws -> Annotation.ReadMask {
            try Annotation(regions).read(width: 4, height: 3, source: "x")
        }
        let one = try read([.maskFile(path: tree.path + "/m.png", rule: .positive)])
        #expect(one.sha256 == (try sha256(ofFile: tree.path + "/m.png")) && one.mask.count == 12)
        let two = try read([.maskFile(path: tree.path + "/m.png", rule: .positive), .maskFile(path: tree.path + "/n.png", rule: .positive)])
        #expect(two.sha256 != one.sha256 && two.mask.count == 12)
        let box = try read([.box(BoundingBox(left: 0, top: 0, right: 1, bottom: 1))])
        let other = try read([.box(BoundingBox(left: 1, top: 0, right: 2, bottom: 1))])
        #expect(Set([one.sha256, two.sha256, box.sha256, other.sha256]).count == 4)
    }

    // MARK: Tables

    @Test(arguments: [
        "image;label\r\nä.png;1\r\nsub/b.png;0\r\n", "sep=;\r\nimage;label\r\nä.png;1\r\nsub\\b.png;0\r\n",
        "image\tlabel\nä.png\t1\nsub/b.png\t0\n",
        ",image,label\n0,ä.png,1\n1,sub/b.png,0\n", "Unnamed: 0,image,label\n0,ä.png,1\n1,sub/b.png,0\n",
        "\u{FEFF}\"image\",\"label\"\n\"ä.png\",\"1\"\n\".\\sub\\b.png\",\"0\"\n", "Image,LABEL\nä.png,1\nsub//b.png,0\n",
        "image,label\nä.png,1\nsub/b.png,0\n",
    ])
    func tablesOfOtherPrograms(_ text: String) throws {
        let tree = try Tree()
        // The disk has the accent as two characters, the table as one, and the other way round.
        for (onDisk, inTable) in [("a\u{308}.png", "\u{E4}.png"), ("\u{E4}.png", "a\u{308}.png")] {
            try? FileManager.default.removeItem(atPath: tree.path + "/a\u{308}.png")
            try? FileManager.default.removeItem(atPath: tree.path + "/\u{E4}.png")
            try tree.image(onDisk)
            try tree.image("sub/b.png", grey: 7)
            try tree.text("t.csv", text.replacing("ä.png", with: inTable))
            let samples = try Datasets.open("csv", path: tree.path + "/t.csv").samples()
            #expect(samples.map(\.label) == [1, 0])
            for sample in samples { _ = try Image(contentsOf: sample.imagePath) }
        }
    }

    @Test func decimalCommasInBoxes() throws {
        let tree = try Tree()
        try tree.text("b.csv", "image;xmin;ymin;xmax;ymax\nx.png;0,5;1;2,5;3,25\n")
        let annotation = try AnnotationFormat.boxTable.open(tree.path + "/b.csv").annotation(of: "x.png")
        #expect(annotation == Annotation([.box(BoundingBox(left: 0.5, top: 1, right: 2.5, bottom: 3.25))]))
    }
}
