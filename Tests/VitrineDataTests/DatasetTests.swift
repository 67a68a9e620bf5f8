import Foundation
import Testing
import VitrineImage

@testable import VitrineData

/// A made-up folder tree with small generated images, removed at the end of its test.
final class Tree {
    let root: URL
    var path: String { root.path }

    init() throws { root = try DataFixtures.temporaryFolder() }
    deinit { try? FileManager.default.removeItem(at: root) }

    func text(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: made(name)) }

    /// A PNG whatever its name: images are told by their bytes.
    func image(_ name: String, width: Int = 12, height: Int = 10, grey: UInt8 = 100) throws {
        let image = Image(width: width, height: height, channels: 1, pixels: [UInt8](repeating: grey, count: width * height))
        try image.write(png: made(name).path)
    }

    private func made(_ name: String) throws -> URL {
        let url = root.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        return url
    }
}

@Suite struct DatasetTests {
    @Test func registry() {
        let information = Datasets.all.map { $0.information }
        #expect(Set(information.map(\.identifier)).count == information.count)
        for one in information {
            #expect(!one.title.isEmpty && !one.citation.isEmpty && !one.layout.isEmpty)
            let names = (one.options + DatasetOptions.common).map(\.name)
            #expect(Set(names).count == names.count)
            #expect(throws: DataError.self) { try Datasets.open(one.identifier, path: "/nowhere").contents() }
            #expect(throws: DataError.unknownOption(dataset: one.identifier, option: "colour", known: names)) {
                try Datasets.open(one.identifier, path: "/nowhere", options: ["colour": "red"])
            }
        }
        #expect(throws: DataError.unknownDataset(name: "imagenet", known: information.map(\.identifier))) {
            try Datasets.open("imagenet", path: "/nowhere")
        }
        // The study's preprocessing at test time.
        let preprocess = Dictionary(uniqueKeysWithValues: information.map { ($0.identifier, $0.preprocess.description) })
        for name in ["cpchild", "duke"] { #expect(preprocess[name] == "resize:224:imagenet") }
        for name in ["mura", "kvasir"] { #expect(preprocess[name] == "center-crop:224:imagenet") }
    }

    @Test func cpChild() throws {
        let tree = try Tree()
        for part in ["CP-CHILD-A", "CP-CHILD-B"] {
            for (side, n) in [("Train", 3), ("Test", 2)] {
                for name in ["Polyp", "Non-Polyp"] {
                    for i in 1...n { try tree.image("\(part)/\(side)/\(name)/1 (\(i)).jpg", width: 256, height: 256) }
                }
            }
        }
        try tree.text("CP-CHILD-A/Train/Polyp/Thumbs.db", "no image")
        let contents = try Datasets.open("cpchild", path: tree.path).contents()
        #expect(contents.classNames == ["Non-Polyp", "Polyp"] && contents.positiveLabel == 1 && contents.samples.count == 20)
        #expect(contents.samples.count { $0.label == 1 && $0.split == .test } == 4)
        #expect(Set(contents.samples.map(\.id)).count == 20)
        #expect(try Datasets.open("cpchild", path: tree.path, options: ["part": "a"]).samples().count == 10)
        #expect(try Datasets.open("cpchild", path: tree.path + "/CP-CHILD-B").samples().count == 10)
        #expect(throws: DataError.badOption(dataset: "cpchild", option: "part", value: "c", allowed: "one of both, a, b")) {
            try Datasets.open("cpchild", path: tree.path, options: ["part": "c"]).contents()
        }

        // Expert masks are named after the image alone: they belong to the positive one of the side that was asked for.
        try tree.image("masks/1 (2).png", width: 224, height: 224)
        let masks = ["annotations": tree.path + "/masks", "part": "a"]
        let samples = try Datasets.open("cpchild", path: tree.path, options: masks.merging(["split": "test"]) { $1 }).samples()
        #expect(samples.filter { $0.annotation != nil }.map(\.id) == ["CP-CHILD-A/Test/Polyp/1 (2).jpg"])
        #expect(throws: DataError.self) { try Datasets.open("cpchild", path: tree.path, options: masks).samples() }

        let output = tree.path + "/prepared"
        let result = try Datasets.open("cpchild", path: tree.path).prepare(to: output)
        #expect(result.written == 20 && result.failures.isEmpty)
        #expect(try Datasets.open("cpchild", path: output).samples().map(\.id) == contents.samples.map(\.id))
        try FileManager.default.removeItem(atPath: output + "/CP-CHILD-A/Test/Polyp/1 (2).jpg")
        let again = try Datasets.open("cpchild", path: tree.path).prepare(to: output)
        #expect(again.written == 1 && again.kept == 19)
    }

    @Test func kvasir() throws {
        let tree = try Tree()
        for name in ["esophagitis", "normal-z-line", "polyps"] {
            for i in 0..<3 {
                try tree.image("kvasir-dataset-v2/\(name)/\(name)\(i).jpg", width: i == 0 ? 1920 : 720, height: i == 0 ? 1072 : 576)
            }
        }
        let contents = try Datasets.open("kvasir", path: tree.path).contents()
        #expect(contents.classNames == ["normal-z-line", "esophagitis"] && contents.samples.map(\.label) == [0, 0, 0, 1, 1, 1])
        let polyps = try Datasets.open("kvasir", path: tree.path, options: ["positive": "polyps"]).contents()
        #expect(polyps.classNames == ["normal-z-line", "polyps"])
        #expect(throws: DataError.missing(path: tree.path + "/kvasir-dataset-v2/ulcers", neededBy: "Kvasir's class 'ulcers'")) {
            try Datasets.open("kvasir", path: tree.path, options: ["positive": "ulcers"]).contents()
        }
        try tree.text("kvasir-dataset-v2/esophagitis/damaged.jpg", "no image")
        let output = tree.path + "/prepared"
        let result = try Datasets.open("kvasir", path: tree.path).prepare(to: output)
        #expect(result.written == 6 && result.failures.count == 1 && result.failures[0].contains("damaged.jpg"))
        // The study's sizes: 1920 x 1072 becomes 458 x 256 and is cut to 360 x 256; 720 x 576 becomes 320 x 256.
        let wide = try Image(contentsOf: output + "/esophagitis/esophagitis0.png")
        let usual = try Image(contentsOf: output + "/esophagitis/esophagitis1.png")
        #expect(wide.width == 360 && wide.height == 256 && usual.width == 320 && usual.height == 256)
        #expect(try Datasets.open("kvasir", path: output).samples().count == 6)
    }

    @Test func mura() throws {
        let tree = try Tree()
        let root = "MURA-v1.1/"
        let train = [
            "train/XR_HAND/patient00001/study1_positive/image1.png", "train/XR_HAND/patient00001/study1_positive/image2.png",
            "train/XR_WRIST/patient00002/study1_negative/image1.png",
        ]
        let valid = ["valid/XR_HAND/patient11185/study1_positive/image1.png", "valid/XR_WRIST/patient11185/study1_negative/image1.png"]
        for name in train + valid { try tree.image(root + name, width: 300, height: 400) }
        func lists(_ side: String, _ images: [String], _ studies: String) throws {
            try tree.text(root + side + "_image_paths.csv", images.map { root + $0 + "\n" }.joined())
            try tree.text(root + side + "_labeled_studies.csv", studies)
        }
        try lists(
            "train", train,
            "MURA-v1.1/train/XR_HAND/patient00001/study1_positive/,1\nMURA-v1.1/train/XR_WRIST/patient00002/study1_negative/,0\n")
        try lists(
            "valid", valid,
            "MURA-v1.1/valid/XR_HAND/patient11185/study1_positive/,1\nMURA-v1.1/valid/XR_WRIST/patient11185/study1_negative/,0\n")
        let samples = try Datasets.open("mura", path: tree.path).samples()
        #expect(samples.map(\.id) == train + valid)
        #expect(samples.map(\.label) == [1, 1, 0, 1, 0] && samples.map(\.split) == [.train, .train, .train, .test, .test])
        #expect(samples.map(\.patient) == ["patient00001", "patient00001", "patient00002", "patient11185", "patient11185"])
        let hands = try Datasets.open("mura", path: tree.path + "/MURA-v1.1", options: ["body-part": "hand", "valid-as": "validation"])
            .samples()
        #expect(hands.map(\.label) == [1, 1, 1] && hands.last?.split == .validation)

        // The study's mask names: patient, study, image; the negative wrist of the same patient has another study name.
        try tree.image("masks/patient11185_study1_positive_image1.png", width: 224, height: 224)
        let annotated = try Datasets.open("mura", path: tree.path, options: ["annotations": tree.path + "/masks"]).samples()
        #expect(annotated.filter { $0.annotation != nil }.map(\.id) == [valid[0]])

        let output = tree.path + "/prepared"
        _ = try Datasets.open("mura", path: tree.path, options: ["body-part": "XR_HAND"]).prepare(to: output)
        let prepared = try Datasets.open("mura", path: output).samples()
        #expect(prepared.map(\.id) == [train[0], train[1], valid[0]])
        let image = try Image(contentsOf: prepared[0].imagePath)
        #expect(image.width == 256 && image.height == 341 && image.channels == 1)

        try lists("valid", valid, "MURA-v1.1/valid/XR_HAND/patient11185/study1_positive/,yes\n")
        #expect(
            throws: DataError.unknownLabel(
                file: tree.path + "/MURA-v1.1/valid_labeled_studies.csv", row: 1, label: "yes", classes: ["0", "1"])
        ) { try Datasets.open("mura", path: tree.path).contents() }
        try lists("valid", valid, "MURA-v1.1/valid/XR_HAND/patient11185/study1_positive/,1\n")
        let error = #expect(throws: DataError.self) { try Datasets.open("mura", path: tree.path).contents() }
        #expect(
            error?.description.contains("valid_image_paths.csv, row 2: study 'valid/XR_WRIST/patient11185/study1_negative' has no label")
                == true)
        try lists(
            "valid", ["valid/XR_HAND/patient11185/study1_positive/image7.png"], "MURA-v1.1/valid/XR_HAND/patient11185/study1_positive/,1\n")
        #expect(
            throws: DataError.missing(
                path: tree.path + "/MURA-v1.1/valid/XR_HAND/patient11185/study1_positive/image7.png",
                neededBy: tree.path + "/MURA-v1.1/valid_image_paths.csv, row 1")
        ) { try Datasets.open("mura", path: tree.path).contents() }
        #expect(try Datasets.open("mura", path: tree.path, options: ["missing": "keep"]).samples().count == 4)
        // Patients on both sides of the published split are refused by name.
        try lists(
            "valid", ["valid/XR_HAND/patient00001/study1_positive/image1.png"], "MURA-v1.1/valid/XR_HAND/patient00001/study1_positive/,1\n")
        let both = #expect(throws: DataError.self) { try Datasets.open("mura", path: tree.path, options: ["missing": "keep"]).contents() }
        #expect(both?.description.hasPrefix("patient 'patient00001' is on both sides") == true)
    }

    @Test func duke() throws {
        let tree = try Tree()
        // Two patients, 20 slices each; boxes over slices 8...12 and 3...15, so 4 and 12 positives, negatives 1-3, 18-20 and 21 none.
        var mapping = "original_path_and_filename,classic_path,descriptive_path\n"
        for patient in [1, 2] {
            for slice in 1...20 {
                let digits = slice < 10 ? "0\(slice)" : "\(slice)"
                let file = "Duke-Breast-Cancer-MRI/Breast_MRI_00\(patient)/study/series/1-\(digits).dcm"
                // The mapping has one zero more than the download.
                mapping += "DICOM_Images/Breast_MRI_00\(patient)/pre/Breast_MRI_00\(patient)_pre_0\(digits).dcm,"
                mapping += "Duke-Breast-Cancer-MRI/Breast_MRI_00\(patient)/study/series/1-0\(digits).dcm,x\n"
                mapping += "DICOM_Images/Breast_MRI_00\(patient)/post_1/Breast_MRI_00\(patient)_post_1_0\(digits).dcm,nowhere.dcm,x\n"
                try tree.dicom(file, width: 32, height: 32) { _, _ in UInt16(2 * slice) }
            }
        }
        try tree.text("Breast-Cancer-MRI-filepath_filename-mapping.csv", mapping)
        let header = "Patient ID,Start Row,End Row,Start Column,End Column,Start Slice,End Slice\n"
        try tree.text("Annotation_Boxes.csv", header + "Breast_MRI_001,5,10,3,4,8,12\nBreast_MRI_002,1,32,1,32,3,15\n")
        let all = try Datasets.open("duke", path: tree.path, options: ["balance": "no"]).samples()
        // Patient 1: slices 1-3 and 18-20 are negative (i + 5 <= 8, i - 5 > 12), 8-11 positive. Patient 2: none before 3, none after 20; 3-14 positive.
        #expect(all.filter { $0.label == 0 }.map(\.id) == ["1-01-001", "1-02-001", "1-03-001", "1-18-001", "1-19-001", "1-20-001"])
        #expect(
            all.filter { $0.label == 1 }.map { $0.id.suffix(3) } == [Substring](repeating: "001", count: 4)
                + [Substring](repeating: "002", count: 12))
        let first = try #require(all.first { $0.label == 1 })
        let mask = try #require(try PreprocessedImage(contentsOf: first.imagePath, preprocess: .none()).mask(of: first))
        #expect(mask.count == 6 * 2 && mask[row: 4, column: 2] && mask[row: 9, column: 3] && !mask[row: 10, column: 3])
        #expect(try PreprocessedImage(contentsOf: all[0].imagePath, preprocess: .none()).mask(of: all[0])?.isEmpty == true)

        let even = try Datasets.open("duke", path: tree.path).samples()
        #expect(even.count { $0.label == 1 } == 6 && even.count { $0.label == 0 } == 6)
        #expect(try Datasets.open("duke", path: tree.path).samples() == even)
        #expect(try Datasets.open("duke", path: tree.path, options: ["seed": "1"]).samples() != even)
        #expect(
            try Datasets.open("duke", path: tree.path, options: ["patients": "2-900", "balance": "no"]).samples().allSatisfy {
                $0.patient == "Breast_MRI_002"
            })

        let output = tree.path + "/prepared"
        // Twelve slices, and the masks of the six with a tumour.
        #expect(try Datasets.open("duke", path: tree.path).prepare(to: output).written == 18)
        let prepared = try Datasets.open("duke", path: output).samples()
        #expect(prepared.count == 12 && Set(prepared.map(\.patient)) == ["Breast_MRI_001", "Breast_MRI_002"])
        #expect(prepared.count { $0.label == 1 } == 6)
        let image = try Image(contentsOf: prepared[0].imagePath)
        #expect(image.width == 256 && image.height == 256 && image.pixels.allSatisfy { $0 == 255 })

        try tree.image("prepared/pos/odd.png")
        #expect(
            throws: DataError.malformed(
                file: output + "/pos/odd.png", place: "file name", reason: "is not 1-SLICE-PATIENT.png, so the patient is unknown")
        ) { try Datasets.open("duke", path: output).contents() }
        try tree.text("Annotation_Boxes.csv", header + "Breast_MRI_001,5,10,3,4,8,12\nBreast_MRI_002,1,32,1,32,3,x\n")
        #expect(
            throws: DataError.malformed(
                file: tree.path + "/Annotation_Boxes.csv", place: "row 3", reason: "column 'End Slice' holds 'x', which is no number")
        ) { try Datasets.open("duke", path: tree.path).contents() }
        try tree.text("Annotation_Boxes.csv", header + "Breast_MRI_001,5,10,3,4,8,12\n")
        let missing = #expect(throws: DataError.self) { try Datasets.open("duke", path: tree.path).contents() }
        #expect(missing?.description.contains("mapping.csv, row 42: Breast_MRI_002 has no row in") == true, "\(missing?.description ?? "")")
    }

    @Test func folders() throws {
        let tree = try Tree()
        for name in ["ill/a.png", "ill/deep/b.png", "healthy/c.png"] { try tree.image(name) }
        let contents = try Datasets.open("folder", path: tree.path).contents()
        #expect(contents.classNames == ["healthy", "ill"] && contents.positiveLabel == 1)
        #expect(
            contents.samples.map(\.id) == ["healthy/c.png", "ill/a.png", "ill/deep/b.png"] && contents.samples.map(\.label) == [0, 1, 1])
        let turned = try Datasets.open("folder", path: tree.path, options: ["classes": "ill,healthy", "positive": "ill"]).contents()
        #expect(turned.classNames == ["ill", "healthy"] && turned.positiveLabel == 0)
        #expect(
            throws: DataError.badOption(
                dataset: "folder", option: "classes", value: "ill,well", allowed: "made of class folders: healthy, ill")
        ) {
            try Datasets.open("folder", path: tree.path, options: ["classes": "ill,well"]).contents()
        }
        let patients = try Datasets.open("folder", path: tree.path, options: ["patient-pattern": "([abc])\\.png$"]).samples()
        #expect(patients.map(\.patient) == ["c", "a", "b"])
        #expect(throws: DataError.self) {
            try Datasets.open("folder", path: tree.path, options: ["patient-pattern": "ill/([abc])"]).samples()
        }

        let split = try Tree()
        for name in ["train/x/1.png", "val/x/2.png", "test/y/3.png"] { try split.image(name) }
        let sides = try Datasets.open("folder", path: split.path).contents()
        #expect(sides.classNames == ["x", "y"] && Set(sides.samples.map(\.split)) == [.train, .validation, .test])
        #expect(Datasets.kind(of: split.path) == "folder")
    }

    @Test func csv() throws {
        let tree = try Tree()
        for name in ["images/a.png", "images/b, c.png", "images/d.png", "masks/a.png"] { try tree.image(name) }
        // A byte order mark, carriage returns, quotes, and an empty last line, as spreadsheets write them.
        try tree.text(
            "labels.csv",
            "\u{FEFF}image,label,patient,mask,split\r\nimages/a.png,1,p1,masks/a.png,train\r\n\"images/b, c.png\",0,p2,,test\r\nimages/d.png,,,,val\r\n\r\n"
        )
        #expect(Datasets.kind(of: tree.path) == "csv" && Datasets.kind(of: "some/table.csv") == "csv")
        for path in [tree.path, tree.path + "/labels.csv"] {
            let contents = try Datasets.open("csv", path: path, options: ["mask-rule": "half"]).contents()
            #expect(contents.classNames == ["0", "1"] && contents.positiveLabel == 1)
            #expect(contents.samples.map(\.label) == [1, 0, nil] && contents.samples.map(\.patient) == ["p1", "p2", nil])
            #expect(contents.samples.map(\.split) == [.train, .test, .validation])
            #expect(contents.samples[0].maskPath == tree.path + "/masks/a.png")
            #expect(contents.samples[0].annotation == Annotation([.maskFile(path: tree.path + "/masks/a.png", rule: .half)]))
            #expect(contents.samples[1].id == "images/b, c.png")
        }
        try tree.text("names.csv", "file,diagnosis,age\nimages/a.png,ill,3\nimages/d.png,healthy,4\n")
        let names = try Datasets.open(
            "csv", path: tree.path + "/names.csv",
            options: ["image-column": "file", "label-column": "diagnosis", "extra-columns": "ignore"]
        ).contents()
        #expect(names.classNames == ["healthy", "ill"] && names.samples.map(\.label) == [1, 0])
    }

    @Test(arguments: [
        ("picture,label\n", [:], "row 1: has no column 'image'; it has picture, label"),
        ("image,lable\na.png,1\n", [:], "row 1: column 'lable' is none of image, label, patient, mask, split"),
        ("image,label\na.png,1\n", ["label-column": "class"], "row 1: has no column 'class'; it has image, label"),
        ("image,label\na.png,ill\n", ["classes": "healthy,sick"], "row 2: label 'ill' is no class; the classes are healthy, sick"),
        ("image,label\na.png,-1\n", [:], "row 2: label '-1' is no class"),
        ("image,label\na.png,20231201\n", [:], "row 2: label '20231201' is no class"),
        ("image,label\na.png,2\n", ["classes": "healthy,sick"], "row 2: label '2' is no class; the classes are healthy, sick"),
        ("image,split\na.png,left\n", [:], "row 2: split 'left' is none of train, validation, test"),
        ("image\na.png\na.png\n", [:], "row 3: image 'a.png' stands in row 2 already"),
        ("image\na.png\nb.png\n", [:], "b.png: does not exist, and "),
        ("image,mask\na.png,m.png\n", [:], "m.png: does not exist, and "),
        ("image,label\na.png,1,2\n", [:], "row 2: has 3 fields, the header has 2"),
        ("image,label\n,1\n", [:], "row 2: column 'image' is empty"),
        ("image,image\na.png,1\n", [:], "row 1: column 'image' stands there twice"),
        ("image,label\n\"a.png,1\n", [:], "whole file: a quotation mark is never closed"),
        ("image,label\n\"a\"x,1\"\"\n", [:], "is no CSV"),
        ("image,label\n", [:], "holds no images"),
        ("", [:], "row 1: is missing"),
        ("image\na.png\n", ["positive": "ill"], "option positive: 'ill' is not one of"),
        ("image\na.png\n", ["mask-rule": "some"], "option mask-rule: 'some' is not positive (> 0), half (of the range), at-least:N"),
        ("image\na.png\n", ["annotations": "x", "annotation-format": "svg"], "option annotation-format: 'svg' is not one of masks, coco"),
    ])
    func badCSV(_ text: String, _ options: [String: String], _ message: String) throws {
        let tree = try Tree()
        try tree.image("a.png")
        try tree.text("t.csv", text)
        let error = #expect(throws: DataError.self) { try Datasets.open("csv", path: tree.path + "/t.csv", options: options).contents() }
        let line = error?.description ?? ""
        #expect(line.contains(message) && !line.contains("\n"), "\(line)")
        if message.contains("does not exist") { #expect(line.contains("t.csv, row ")) }
    }

    @Test func pairsAndMasks() throws {
        let tree = try Tree()
        for name in ["images/a.jpg", "images/b.jpg", "masks/a.png", "masks/b.png"] { try tree.image(name) }
        #expect(Datasets.kind(of: tree.path) == "pairs")
        let samples = try Datasets.open("pairs", path: tree.path).samples()
        #expect(samples.map(\.maskPath) == [tree.path + "/masks/a.png", tree.path + "/masks/b.png"])
        let masks = try Datasets.open("masks", path: tree.path + "/masks").samples()
        #expect(masks.map(\.id) == ["a.png", "b.png"] && masks.map(\.imagePath) == samples.map(\.maskPath))
        try tree.image("images/c.jpg")
        #expect(throws: DataError.missing(path: tree.path + "/masks/c.*", neededBy: tree.path + "/images/c.jpg")) {
            try Datasets.open("pairs", path: tree.path).samples()
        }
        #expect(try Datasets.open("pairs", path: tree.path, options: ["missing": "keep"]).samples().count == 3)
        #expect(throws: DataError.noPreparation(dataset: "pairs")) {
            try Datasets.open("pairs", path: tree.path).prepare(to: tree.path + "/x")
        }

        let side = try Tree()
        for name in ["p1/s.tif", "p1/s_mask.tif"] { try side.image(name) }
        let pair = try Datasets.open("pairs", path: side.path, options: ["patient-pattern": "^([^/]+)/"]).samples()
        #expect(pair.map(\.id) == ["p1/s.tif"] && pair[0].maskPath == side.path + "/p1/s_mask.tif" && pair[0].patient == "p1")
    }

    @Test func annotationsOfTheWrongSizeAreRefused() throws {
        let tree = try Tree()
        try tree.image("images/a.png", width: 50, height: 40)
        try tree.image("masks/a.png", width: 49, height: 40)
        let sample = try #require(try Datasets.open("pairs", path: tree.path).samples().first)
        let input = try PreprocessedImage(contentsOf: sample.imagePath, preprocess: .resize(28))
        #expect(
            throws: PreprocessError.maskSize(path: tree.path + "/masks/a.png", mask: [49, 40], image: [50, 40], network: [28, 28])
        ) { try input.mask(of: sample) }
    }
}
