import Foundation
import Testing
import VitrineImage

@testable import VitrineEvaluate

@Suite struct MaskAuditTests {
    private func image(_ rows: [[UInt8]]) -> Image {
        Image(width: rows[0].count, height: rows.count, channels: 1, pixels: rows.flatMap { $0 })
    }

    private func audit(_ name: String, _ image: Image, rule: MaskRule = .positive) throws -> MaskAudit {
        let file = try MaskFile(encoded: image.pngData(), rule: rule)
        return MaskAudit(name: name, mask: file.mask, greyLevels: file.greyLevels)
    }

    @Test func audits() throws {
        let two = try audit("two", image([[255, 0, 0, 9], [255, 0, 0, 0], [0, 255, 0, 0]]))
        // The diagonal neighbour is another component; 9 is a halo.
        #expect(two.components == 3 && two.greyLevels == 3 && !two.isRectangle && !two.isEmpty && !two.isFull)
        #expect(two.area == 4.0 / 12)
        let half = try audit("half", image([[255, 0, 0, 9], [255, 0, 0, 0], [255, 0, 0, 0]]), rule: .half)
        #expect(half.components == 1 && half.isRectangle && half.area == 0.25)
        let empty = try audit("empty", image([[0, 0]]))
        #expect(empty.isEmpty && empty.components == 0 && !empty.isRectangle && empty.greyLevels == 1)
        let full = try audit("full", image([[255, 255]]))
        #expect(full.isFull && full.isRectangle && full.components == 1)
    }

    @Test func damagedFilesAreListed() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("masks-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("no image".utf8).write(to: folder.appendingPathComponent("a.png"))
        try Data("ignored".utf8).write(to: folder.appendingPathComponent("notes.txt"))
        try Data(try image([[0, 255], [0, 255]]).pngData()).write(to: folder.appendingPathComponent("b.png"))
        let audit = try MaskFolderAudit(folder: folder)
        #expect(audit.masks.map(\.name) == ["b.png"])
        #expect(audit.failures.map(\.file) == ["a.png"])
        #expect(audit.levels?.meanArea == 0.5)
    }

    /// The table of levels that no model is needed for, as printed.
    struct Row: Sendable, CustomStringConvertible {
        let folder: String
        let area: [Double]
        let randomPixels: Double
        let randomPatches: Double
        let centre: [Double]
        var description: String { folder }
    }

    static let table = [
        Row(folder: "cpchild", area: [0.16, 0.43, 0.84], randomPixels: 0.43, randomPatches: 0.49, centre: [0.68, 0.09, 0.16, 0.28, 0.39]),
        Row(folder: "duke", area: [0.001, 0.019, 0.07], randomPixels: 0.02, randomPatches: 0.04, centre: [0.04, 0.02, 0.02, 0.04, 0.04]),
        Row(folder: "kvasir", area: [0.32, 0.59, 1], randomPixels: 0.59, randomPatches: 0.66, centre: [1, 0.11, 0.22, 0.39, 0.59]),
        Row(folder: "mura", area: [0, 0.13, 0.43], randomPixels: 0.13, randomPatches: 0.17, centre: [0.42, 0.15, 0.21, 0.23, 0.19]),
    ]

    @Test(
        .enabled(if: TestFiles.hasShared("data/expert_masks"), "the shared expert masks are absent"), arguments: table)
    func publishedTable(_ row: Row) throws {
        let audit = try MaskFolderAudit(folder: TestFiles.sharedFolder("data/expert_masks/\(row.folder)"))
        #expect(audit.failures.isEmpty && audit.masks.count == 50)
        let levels = try #require(audit.levels)
        // The table was rounded twice, through four decimals: 0.31499 stands there as 0.32, 0.03499 as 0.04.
        func printed(_ value: Double, _ decimals: Int = 2) -> Double {
            let scale = decimals == 2 ? 100.0 : 1000.0
            return ((value * 10_000).rounded() * scale / 10_000).rounded() / scale
        }
        func decimals(_ value: Double) -> Int { value == printed(value) ? 2 : 3 }
        for (value, expected) in zip([levels.minimumArea, levels.meanArea, levels.maximumArea], row.area) {
            #expect(printed(value, decimals(expected)) == expected)
        }
        #expect(printed(levels.randomPixels.pointingGame) == row.randomPixels)
        #expect(printed(levels.randomPatches.pointingGame) == row.randomPatches)
        // A random map's rectangle is the image at every k, to the printed precision.
        for value in levels.randomPixels.rectangleIoU { #expect(printed(value) == row.randomPixels) }
        // 4,000 random arrangements in NumPy: mean and standard error at 5, 10 and 20 %; at 40 % nearly all fill the image.
        let patches = [
            "cpchild": [(0.41979, 45e-5), (0.43057, 18e-5), (0.43123, 6e-5)],
            "duke": [(0.02299, 6e-5), (0.02024, 3e-5), (0.01894, 1e-5)],
            "kvasir": [(0.58535, 64e-5), (0.59441, 22e-5), (0.58917, 9e-5)],
            "mura": [(0.14779, 21e-5), (0.13505, 11e-5), (0.12918, 4e-5)],
        ]
        for (value, simulated) in zip(levels.randomPatches.rectangleIoU, patches[row.folder]!) {
            // Five standard errors, and half a unit of their last digit.
            #expect(abs(value - simulated.0) < 5 * simulated.1 + 5e-6)
        }
        let centre = [levels.centre.pointingGame] + levels.centre.rectangleIoU
        #expect(centre.map { printed($0) } == row.centre)
        #expect(audit.masks.count { $0.isEmpty } == (row.folder == "mura" ? 2 : 0))
        #expect(audit.masks.count { $0.isFull } == (row.folder == "kvasir" ? 1 : 0))
    }
}
