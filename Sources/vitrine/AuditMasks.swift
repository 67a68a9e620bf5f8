import ArgumentParser
import Foundation
import VitrineEvaluate
import VitrineImage
import VitrineTensor

struct AuditMasks: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit-masks",
        abstract:
            "Looks at a folder of expert masks before anything is scored: areas, shapes, empty and full ones, and what no model scores on them."
    )

    @Argument(help: "Folder of mask images.", completion: .directory)
    var folder: String

    @Option(name: .customLong("mask-rule"), help: "Which mask values are lesion: \(MaskRule.summary).")
    var maskRule: MaskRule = .positive

    @Option(help: "Seed of the random maps.")
    var seed: UInt64 = 0

    @Option(
        name: [.customLong("output"), .customShort("o")], help: "CSV file for the rows of the table.",
        completion: .file(extensions: ["csv"]))
    var output: String?

    func run() throws {
        switch FileCollection.isFolder(folder) {
        case nil: throw CommandFailure("\(folder): there is no such folder")
        case false?: throw CommandFailure("\(folder): is a file; name the folder of the masks")
        case true?: break
        }
        if let output { try OutputFolder.check(file: output) }
        let audit = try MaskFolderAudit(folder: URL(fileURLWithPath: folder), rule: maskRule, seed: seed)
        // Why masks cannot be read is said also where none can.
        for failure in audit.failures { complain("\(failure.error)") }
        guard let levels = audit.levels else { throw CommandFailure("\(folder): holds no readable mask image") }
        let width = audit.masks.map(\.name.count).max()!
        print("mask".padded(width) + "   size      area    components  rectangle  grey levels  remark")
        for mask in audit.masks {
            let cells = [
                mask.name.printable.padded(width + 3), "\(mask.width)x\(mask.height)".padded(10),
                Self.number(mask.area, digits: 4).padded(8), "\(mask.components)".padded(12), (mask.isRectangle ? "yes" : "no").padded(11),
                "\(mask.greyLevels)".padded(13), Self.remark(mask),
            ]
            print(cells.joined())
        }
        print(
            """

            \(audit.masks.count) masks: \(audit.masks.count { $0.isEmpty }) empty, \(audit.masks.count { $0.isFull }) full, \
            \(audit.masks.count { $0.isRectangle }) filled rectangles, \(audit.masks.count { $0.greyLevels > 2 }) with more than two grey levels
            area: minimum \(Self.number(levels.minimumArea)), mean \(Self.number(levels.meanArea)), maximum \(Self.number(levels.maximumArea))

            Levels that need no model (protocol study; an empty mask scores 0):
            map                                  pointing game   rectangle IoU \(ControlLevels.percentages.map { "@\(Int($0))" }.joined(separator: "    "))
            """)
        for (name, level) in [
            ("random pixels", levels.randomPixels), ("random 14x14 patches, nearest (ties)", levels.randomPatches),
            ("centre Gaussian, sigma = height / 4", levels.centre),
        ] {
            print(
                name.padded(37) + Self.number(level.pointingGame).padded(30)
                    + level.rectangleIoU.map { Self.number($0).padded(6) }.joined())
        }
        if let output { try AtomicFile.write(Array(Self.csv(audit.masks).utf8), to: output) }
        complainOnce(audit.notes.map { ("\(folder)/\($0.file)", $0.note) })
        if !audit.failures.isEmpty { throw ExitCode.someItemsFailed }
    }

    private static func remark(_ mask: MaskAudit) -> String {
        mask.isEmpty ? "EMPTY" : mask.isFull ? "FULL" : mask.greyLevels > 2 ? "halo" : ""
    }

    private static func csv(_ masks: [MaskAudit]) -> String {
        masks.reduce(into: CSV.line(["mask", "width", "height", "mask_area", "lesions", "is_rectangle", "grey_levels", "remark"])) {
            text, mask in
            text += CSV.line([
                CSV.field(mask.name), "\(mask.width)", "\(mask.height)", CSV.number(mask.area), "\(mask.components)",
                mask.isRectangle ? "1" : "0", "\(mask.greyLevels)", remark(mask),
            ])
        }
    }

    private static func number(_ value: Double, digits: Int = 3) -> String { String(format: "%.\(digits)f", value) }
}

extension String {
    /// Filled with spaces to a width.
    func padded(_ width: Int) -> String { count >= width ? self : self + String(repeating: " ", count: width - count) }
}
