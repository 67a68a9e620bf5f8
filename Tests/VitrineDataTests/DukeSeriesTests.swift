import Foundation
import Testing
import VitrineImage

@testable import VitrineData

extension Tree {
    /// A grey DICOM file of 16 bits in Implicit VR Little Endian, without preamble, as archives of the nineties wrote them.
    func dicom(
        _ name: String, width: Int, height: Int, patient: String = "nobody", photometric: String = "MONOCHROME2", window: String? = nil,
        value: (_ x: Int, _ y: Int) -> UInt16
    ) throws {
        func word(_ value: UInt16) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8)] }
        func element(_ group: UInt16, _ number: UInt16, _ value: [UInt8]) -> [UInt8] {
            let padded = value + [UInt8](repeating: 0x20, count: value.count % 2)
            return word(group) + word(number) + word(UInt16(padded.count & 0xFFFF)) + word(UInt16(padded.count >> 16)) + padded
        }
        var bytes = element(0x08, 0x60, Array("MR".utf8)) + element(0x10, 0x20, Array(patient.utf8))
        bytes += element(0x28, 0x02, word(1)) + element(0x28, 0x04, Array(photometric.utf8))
        bytes += element(0x28, 0x10, word(UInt16(height))) + element(0x28, 0x11, word(UInt16(width)))
        bytes +=
            element(0x28, 0x100, word(16)) + element(0x28, 0x101, word(16)) + element(0x28, 0x102, word(15)) + element(0x28, 0x103, word(0))
        if let window { bytes += element(0x28, 0x1050, Array(window.utf8)) + element(0x28, 0x1051, Array(window.utf8)) }
        let pixels = (0..<height).flatMap { y in (0..<width).flatMap { x in word(value(x, y)) } }
        try text(name, "")
        try Data(bytes + element(0x7FE0, 0x10, pixels)).write(to: root.appendingPathComponent(name))
    }
}

/// From DICOM series and the table of boxes to prepared slices and masks.
@Suite struct DukeSeriesTests {
    /// Distinct everywhere, up to about 3000: the brightest pixel is not the largest 16-bit value.
    private func value(_ x: Int, _ y: Int, slice: Int) -> UInt16 { UInt16((x * 37 + y * 101 + slice * 977) % 3001) }

    @Test func endToEnd() throws {
        let tree = try Tree()
        // Patient 7 at 256 x 256, so that preparing changes no size; patient 12 at 128 x 128 and with inverted polarity.
        let (sides, photometric) = ([7: 256, 12: 128], [7: "MONOCHROME2", 12: "MONOCHROME1"])
        var mapping = "original_path_and_filename,classic_path,descriptive_path\n"
        for patient in [7, 12] {
            let name = "Breast_MRI_0" + (patient < 10 ? "0" : "") + "\(patient)"
            for slice in 1...16 {
                let digits = slice < 10 ? "00\(slice)" : "0\(slice)"
                let file = "Duke-Breast-Cancer-MRI/\(name)/01-01-1990-MRI/series-\(patient)/1-\(digits).dcm"
                mapping += "DICOM_Images/\(name)/pre/\(name)_pre_\(digits).dcm,\(file),x\n"
                mapping += "DICOM_Images/\(name)/post_1/\(name)_post_1_\(digits).dcm,\(file),x\n"
                let side = sides[patient]!
                try tree.dicom(file, width: side, height: side, patient: name, photometric: photometric[patient]!, window: "100") { x, y in
                    value(x, y, slice: slice)
                }
            }
        }
        try tree.text("Breast-Cancer-MRI-filepath_filename-mapping.csv", mapping)
        // Slices 7 to 8 and 9 to 12, rows and columns counted from 1 with both ends inside.
        try tree.text(
            "Annotation_Boxes.csv",
            "Patient ID,Start Row,End Row,Start Column,End Column,Start Slice,End Slice\n"
                + "Breast_MRI_007,11,20,101,140,7,9\nBreast_MRI_012,3,4,61,64,9,13\n")

        let set = try Datasets.open("duke", path: tree.path, options: ["balance": "no"])
        let samples = try set.samples()
        // Negative are i + 5 <= start and i - 5 > end: patient 7 has 1, 2 and 15, 16; patient 12 has 1...4 and none behind.
        let negatives = ["001-007", "002-007", "015-007", "016-007", "001-012", "002-012", "003-012", "004-012"].map { "1-" + $0 }
        let positives = ["007-007", "008-007", "009-012", "010-012", "011-012", "012-012"].map { "1-" + $0 }
        #expect(samples.filter { $0.label == 0 }.map(\.id) == negatives)
        #expect(samples.filter { $0.label == 1 }.map(\.id) == positives)
        for sample in samples {
            #expect(try DICOMFile(contentsOf: sample.imagePath).header.patientID == sample.patient)
            let input = try PreprocessedImage(contentsOf: sample.imagePath, preprocess: .none())
            let mask = try #require(try input.mask(of: sample))
            #expect(mask.count == (sample.label == 0 ? 0 : sample.patient == "Breast_MRI_007" ? 10 * 40 : 2 * 4))
        }

        let output = tree.path + "/prepared"
        #expect(try set.prepare(to: output) == .init(written: 14 + 6, kept: 0, failures: []))
        let prepared = try Datasets.open("duke", path: output).samples()
        #expect(Set(prepared.map(\.id)) == Set(negatives.map { "neg/\($0).png" } + positives.map { "pos/\($0).png" }))
        for sample in prepared {
            let parts = sample.id.split(separator: "-").map { Int($0.prefix { $0.isNumber }) }
            let (slice, patient) = (parts[1]!, parts[2]!)
            let side = sides[patient]!
            #expect(sample.patient == "Breast_MRI_0" + (patient < 10 ? "0" : "") + "\(patient)")
            // The tutorial's arithmetic: doubles, cut off by the conversion to bytes, then inverted for MONOCHROME1. The window is not looked at.
            let stored = (0..<side * side).map { Double(value($0 % side, $0 / side, slice: slice)) }
            let most = stored.max()!
            let bytes = stored.map { UInt8($0 * 255 / most) }.map { photometric[patient] == "MONOCHROME1" ? 255 - $0 : $0 }
            let expected = Image(width: side, height: side, channels: 1, pixels: bytes).resized(width: 256, height: 256, filter: .bilinear)
            #expect(try Image(contentsOf: sample.imagePath) == expected, "\(sample.id)")
            // The box, doubled for patient 12, and lined up with the slice.
            let mask = try #require(try PreprocessedImage(contentsOf: sample.imagePath, preprocess: .none()).mask(of: sample))
            let box =
                patient == 7
                ? PixelRectangle(top: 10, left: 100, width: 40, height: 10) : PixelRectangle(top: 4, left: 120, width: 8, height: 4)
            #expect(
                mask
                    == (sample.label == 1
                        ? box.mask(width: 256, height: 256) : Mask(width: 256, height: 256, bits: mask.bits.map { _ in false })))
        }

        // A slice that is damaged is named, and the rest goes on.
        let damaged = tree.path + "/Duke-Breast-Cancer-MRI/Breast_MRI_007/01-01-1990-MRI/series-7/1-007.dcm"
        try Data(try Data(contentsOf: URL(fileURLWithPath: damaged)).prefix(5000)).write(to: URL(fileURLWithPath: damaged))
        let again = try set.prepare(to: tree.path + "/again")
        #expect(again.written == 18 && again.failures.count == 2 && again.failures.allSatisfy { $0.hasPrefix(damaged + ": damaged DICOM") })
    }
}
