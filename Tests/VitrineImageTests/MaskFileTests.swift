import Foundation
import Testing
import VitrineImage

/// What is lesion in a mask file: one rule for every way in which masks are written.
@Suite struct MaskFileTests {
    /// 6 x 5 pixels at column 10, row 4 of 24 x 16.
    private static let lesion = PixelRectangle(top: 4, left: 10, width: 6, height: 5).mask(width: 24, height: 16)

    private func mask(_ name: String, _ rule: MaskRule = .positive) throws -> Mask {
        try Mask(contentsOf: PictureFixtures.path(name), rule: rule)
    }

    @Test(
        arguments: [
            "mask-16-ones.png", "mask-16-bytes.png", "mask-16-full.png", "mask-16-bytes.tif", "mask-grey100.png", "mask-palette.png",
            "mask-palette-white-first.png", "mask-palette-no-colours.png", "mask-palette-light-background.png", "mask-alpha.png",
            "mask-rgba.png", "mask-red.png", "mask.gif", "mask.bmp", "mask-float.tif",
        ])
    func everyWayToWriteALesion(name: String) throws {
        #expect(try mask(name) == Self.lesion)
    }

    @Test(arguments: ["mask-16-ones.png", "mask-16-bytes.png", "mask-16-full.png", "mask-grey100.png", "mask.gif", "mask-float.tif"])
    func halfOfTwoValuesIsTheOtherOne(name: String) throws {
        #expect(try mask(name, .half) == Self.lesion)
    }

    @Test(
        arguments: [
            ("mask-labels.png", "2 ("), ("mask-border.png", "255 ("), ("mask-palette-border.png", "255 ("),
            ("mask-no-background.png", "no background"), ("mask-palette-clash.png", "background"), ("mask-two-colours.png", "#ff0000"),
            ("mask-alpha-hidden.png", "alpha"),
        ])
    func whatCannotBeKnownIsAsked(name: String, word: String) {
        #expect { try mask(name) } throws: { error in
            guard case ImageError.ambiguousMask? = error as? ImageError else { return false }
            let line = "\(error)"
            return line.contains(word) && line.contains(name) && !line.contains("\n")
        }
    }

    @Test func valuesAnswerTheQuestion() throws {
        #expect(try mask("mask-labels.png", .values([2])) == Self.lesion)
        #expect(try mask("mask-border.png", .values([1])) == Self.lesion)
        #expect(try mask("mask-palette-border.png", .values([1])) == Self.lesion)
        #expect(try mask("mask-no-background.png", .values([2])) == Self.lesion)
        #expect(try mask("mask-two-colours.png", .values([0xFF0000])) == Self.lesion)
        let all = try mask("mask-border.png", .atLeast(1))
        #expect(all.count > Self.lesion.count)
        #expect(try mask("mask-labels.png", .atLeast(1)) == all)
        #expect(try mask("mask-labels.png", .values([1, 2])) == all)
        #expect(try mask("mask-labels.png", .values([7])).isEmpty, "a class that this image does not have")
    }

    /// A threshold that a mask of two values does not reach would call it empty.
    @Test func aRuleThatReachesNothingIsRefused() {
        for (name, rule) in [("mask-16-ones.png", MaskRule.atLeast(128)), ("mask-grey100.png", .atLeast(200))] {
            #expect(throws: ImageError.self) { try mask(name, rule) }
        }
    }

    @Test func halosAndLossyMasks() throws {
        let halo = try MaskFile(contentsOf: PictureFixtures.path("mask-halo.png"))
        #expect(halo.greyLevels > 2 && halo.notes.isEmpty)
        let half = try MaskFile(contentsOf: PictureFixtures.path("mask-halo.png"), rule: .half)
        #expect(half.mask.count < halo.mask.count)
        // 6 x 5 of 24 x 16, four times as large.
        #expect(abs(half.mask.area - 30.0 / 384) < 0.01)
        let lossy = try MaskFile(contentsOf: PictureFixtures.path("mask.jpg"))
        #expect(lossy.notes.count == 1 && lossy.notes[0].contains("half"))
        #expect(lossy.mask.area > half.mask.area)
        #expect(try MaskFile(contentsOf: PictureFixtures.path("mask.jpg"), rule: .half).notes.isEmpty)
    }

    @Test func emptyMasksStayEmpty() throws {
        for channels in [1, 3] {
            let empty = Image(width: 9, height: 8, channels: channels)
            for rule in [MaskRule.positive, .half, .atLeast(1), .atLeast(128), .values([1])] {
                #expect(try Mask(encoded: empty.pngData(), rule: rule).isEmpty)
            }
        }
        // Ringing around nothing, as a JPEG that was saved again as PNG has it.
        var noise = Image(width: 9, height: 8, channels: 1)
        for i in noise.pixels.indices { noise.pixels[i] = UInt8(i % 4) }
        #expect(try Mask(encoded: noise.pngData(), rule: .half).isEmpty)
    }

    @Test func rulesAreReadAndWritten() {
        for rule in [MaskRule.positive, .half, .atLeast(7), .values([1]), .values([1, 255])] {
            #expect(MaskRule(parsing: rule.text) == rule)
        }
        #expect(MaskRule(parsing: "values:#ff0010") == .values([0xFF0010]))
        for text in ["values:", "values:a", "values:1+", "values:#ff", "values:-1", "at-least:0", "Half"] {
            #expect(MaskRule(parsing: text) == nil)
        }
    }

    @Test func countingComponentsByRuns() {
        for seed in UInt32(1)...40 {
            let side = 3 + Int(seed) % 23
            let mask = Mask(generatedImage(width: side, height: 29 - side, channels: 1, seed: seed), rule: .atLeast(UInt8(60 + 4 * seed)))
            #expect(mask.componentCount == mask.components(.four).count)
        }
    }
}
