import ArgumentParser
import Foundation
import VitrineImage
import VitrineTensor

/// `vitrine data show`: a DICOM file in words, as values and as a picture.
struct DataShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Says what a DICOM file holds; writes the values and the picture of a frame on request.")

    @Argument(help: "A DICOM file, with or without preamble.")
    var file: String

    @Option(help: "Frame to show, counted from 0.")
    var frame: Int = 0

    @Option(help: ArgumentHelp("Write the values as stored, height x width (x 3), whole numbers.", valueName: "FILE.npy"))
    var values: String?

    @Option(help: ArgumentHelp("Write grey values in units of the modality, height x width, Float32.", valueName: "FILE.npy"))
    var modality: String?

    @Option(help: ArgumentHelp("Write the frame as every other command sees it, 8 bits.", valueName: "FILE.png"))
    var image: String?

    func run() throws {
        let dicom = try DICOMFile(contentsOf: file)
        let header = dicom.header
        let stored = try dicom.frame(frame)
        let isGrey = header.photometric.hasPrefix("MONOCHROME")
        let scale = isGrey ? try dicom.greyScale(of: stored, index: frame) : nil
        let range = stored.range
        var rows = [
            ("file", file), ("sha-256", try sha256(ofFile: file)), ("transfer syntax", header.transferSyntax),
            ("size", "\(header.columns) x \(header.rows) pixels, \(header.frames) frame\(header.frames == 1 ? "" : "s")"),
            (
                "pixels",
                "\(header.photometric), \(header.samplesPerPixel) sample\(header.samplesPerPixel == 1 ? "" : "s") of \(header.bitsStored) bits"
                    + " in \(header.bitsAllocated), \(header.isSigned ? "signed" : "unsigned")"
            ),
            ("stored values", "\(range.lowerBound) to \(range.upperBound) in frame \(frame)"),
        ]
        let grey = scale.map { scale in (0..<stored.count).map { scale.modalityValue(of: stored[$0]) } }
        if let grey { rows.append(("modality values", "\(grey.min()!) to \(grey.max()!)")) }
        rows.append(("modality", header.modality ?? "not stated"))
        rows.append(("patient", header.patientID ?? "not stated"))
        rows.append(
            ("spacing", header.spacing.map { "\($0.rows) mm from row to row, \($0.columns) mm from column to column" } ?? "not stated"))
        for (name, text) in rows { print(name.padded(17) + text) }

        if let values { try AtomicFile.write(stored.npyData(), to: values) }
        if let modality {
            guard let grey else { throw CommandFailure("\(file): \(header.photometric) has no modality values; use --values") }
            try NPY.write(grey.map { Float($0) }, shape: [stored.height, stored.width], to: modality)
        }
        if let image { try dicom.image(frame: frame).write(png: image) }
    }
}
