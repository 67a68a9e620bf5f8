import Foundation
import Testing
import VitrineImage

@Suite struct MaskTests {
    private func mask(_ rows: String...) -> Mask {
        Mask(width: rows[0].count, height: rows.count, bits: rows.joined().map { $0 == "#" })
    }

    @Test func rulesByHand() {
        let grey = Image(width: 5, height: 1, channels: 1, pixels: [0, 1, 127, 128, 255])
        #expect(Mask(grey, rule: .positive).bits == [false, true, true, true, true])
        #expect(Mask(grey, rule: .atLeast(128)).bits == [false, false, false, true, true])
        #expect(Mask(grey, rule: .half).bits == [false, false, false, true, true])
        let binary = Image(width: 3, height: 1, channels: 1, pixels: [0, 1, 0])
        #expect(Mask(binary, rule: .half).bits == [false, true, false])
        #expect(Mask(Image(width: 2, height: 2, channels: 1), rule: .half).isEmpty)
    }

    @Test func positiveCountsEveryChannel() {
        // Pure dark blue has a luma of 0, and is not zero.
        let image = Image(width: 2, height: 1, channels: 3, pixels: [0, 0, 1, 0, 0, 0])
        #expect(Mask(image, rule: .positive).bits == [true, false])
    }

    @Test func sixteenBitMaskOfZerosAndOnesSurvives() throws {
        let mask = try Mask(contentsOf: ImageFixtures.path("faint16.png"), rule: .positive)
        #expect(mask.count == ImageFixtures.expected.faintCount)
        #expect(ImageFixtures.expected.faintCount > 0)
    }

    @Test func loadsNPY() throws {
        #expect(try Mask(contentsOf: ImageFixtures.path("bool.npy"), rule: .half).count == 12)
        let half = NPY.encoded([0, 0.49, 0.5, 1], shape: [1, 2, 2])
        #expect(try Mask(encoded: half, rule: .half).bits == [false, false, true, true])
        #expect(try Mask(encoded: half, rule: .positive).bits == [false, true, true, true])
        #expect(throws: ImageError.self) { try Mask(encoded: NPY.encoded([0, .nan], shape: [1, 2]), rule: .half) }
        #expect(throws: ImageError.self) { try Mask(encoded: NPY.encoded([0, 1, 2], shape: [3]), rule: .half) }
        #expect(throws: ImageError.self) { try Mask(encoded: NPY.encoded([], shape: [0, 3]), rule: .half) }
    }

    @Test func geometryMatchesPillowAndTorchvision() {
        for c in ImageFixtures.expected.masks {
            let image = generatedImage(width: c.width, height: c.height, channels: 1, seed: c.seed)
            let mask = Mask(image, rule: .atLeast(128))
            let resized = mask.resized(width: c.newWidth, height: c.newHeight)
            #expect(fnv(resized.bits.map { $0 ? 1 : 0 }) == c.resized)
            #expect(fnv(mask.centerCropped(width: c.newWidth, height: c.newHeight).bits.map { $0 ? 1 : 0 }) == c.cropped)
        }
    }

    @Test func componentsMatchOpenCV() {
        for c in ImageFixtures.expected.components {
            let mask = Mask(generatedImage(width: 11, height: 9, channels: 1, seed: c.seed), rule: .atLeast(c.threshold + 1))
            #expect(mask.components(.four).areas.sorted() == c.areas4)
            #expect(mask.components(.eight).areas.sorted() == c.areas8)
        }
    }

    @Test func componentsByHand() {
        let m = mask(
            "##...",
            "..#..",
            "....#")
        #expect(m.components(.four).labels == [1, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 3])
        #expect(m.components(.eight).areas == [3, 1])
        #expect(m.largestComponent(.eight) == mask("##...", "..#..", "....."))
        #expect(m.largestComponent(.four) == mask("##...", ".....", "....."))
    }

    @Test func rectanglesByHand() {
        let m = mask("....", ".##.", ".##.")
        #expect(m.boundingRectangle == PixelRectangle(top: 1, left: 1, width: 2, height: 2))
        #expect(m.isFilledRectangle)
        #expect(!mask("##", "#.").isFilledRectangle)
        let empty = mask("..", "..")
        #expect(empty.boundingRectangle == nil && !empty.isFilledRectangle)
        #expect(empty.components(.eight).largest == nil && empty.largestComponent(.four) == empty)
        #expect(PixelRectangle(top: 1, left: 1, width: 2, height: 2).mask(width: 4, height: 3) == m)
        #expect(PixelRectangle(top: -5, left: 9, width: 2, height: 2).mask(width: 4, height: 3).isEmpty)
    }

    @Test func outlineByHand() {
        let m = mask("#####", "#####", "#####", "#####")
        #expect(m.outline == mask("#####", "#...#", "#...#", "#####"))
        #expect(mask(".....", ".###.", ".###.", ".###.", ".....").outline == mask(".....", ".###.", ".#.#.", ".###.", "....."))
    }
}
