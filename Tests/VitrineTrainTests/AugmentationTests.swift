import Testing
import VitrineImage
import VitrineTrain

@Suite struct AugmentationTests {
    /// Different everywhere.
    private let image = Image(
        width: 9, height: 7, channels: 3, pixels: (0..<189).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 5) })
    private let square = Image(width: 9, height: 9, channels: 1, pixels: (0..<81).map { UInt8($0 * 3) })

    private func apply(_ rule: Augmentation, _ image: Image, epoch: Int = 0, seed: UInt64 = 1, id: String = "a") -> Image {
        rule(image, seed: seed, epoch: epoch, id: id)
    }

    @Test func offMeansUntouched() { #expect(apply(Augmentation(), image) == image) }

    @Test func dependsOnSeedEpochAndImageAlone() {
        let rule = Augmentation(flips: true, cropScale: 0.5, rotation: 20, brightness: 0.2, contrast: 0.2)
        let first = apply(rule, image)
        #expect(apply(rule, image) == first)
        #expect(first.width == 9 && first.height == 7)
        #expect(apply(rule, image, epoch: 1) != first && apply(rule, image, seed: 2) != first && apply(rule, image, id: "b") != first)
    }

    @Test func halfAreMirrored() {
        var mirrored = 0
        for epoch in 0..<400 {
            let result = apply(Augmentation(flips: true), image, epoch: epoch)
            if result == image { continue }
            mirrored += 1
            for y in 0..<7 {
                for x in 0..<9 {
                    for c in 0..<3 { #expect(result.pixels[(y * 9 + x) * 3 + c] == image.pixels[(y * 9 + 8 - x) * 3 + c]) }
                }
            }
        }
        // Four standard deviations of a fair coin.
        #expect(abs(mirrored - 200) < 40)
    }

    @Test func switchingOneOffDoesNotMoveTheOthers() {
        let both = Augmentation(flips: true, brightness: 0.3)
        let one = Augmentation(flips: true)
        for epoch in 0..<20 {
            let level = apply(Augmentation(brightness: 0.3), image, epoch: epoch)
            let isMirrored = apply(one, image, epoch: epoch) != image
            #expect(apply(both, image, epoch: epoch) == (isMirrored ? mirror(level) : level))
        }
    }

    private func mirror(_ image: Image) -> Image {
        var out = image
        for y in 0..<image.height {
            for x in 0..<image.width {
                for c in 0..<3 {
                    out.pixels[(y * image.width + x) * 3 + c] = image.pixels[(y * image.width + image.width - 1 - x) * 3 + c]
                }
            }
        }
        return out
    }

    @Test func brightnessScalesAndClamps() {
        for epoch in 0..<50 {
            let result = apply(Augmentation(brightness: 0.5), image, epoch: epoch)
            // One factor explains every pixel to half a level.
            let ratios = zip(result.pixels, image.pixels).filter { $0.0 < 255 && $0.1 > 100 }.map { Double($0) / Double($1) }
            #expect(!ratios.isEmpty && ratios.max()! - ratios.min()! < 0.011 && ratios[0] > 0.49 && ratios[0] < 1.51)
        }
    }

    @Test func contrastKeepsTheMean() {
        let soft = Image(width: 16, height: 16, channels: 1, pixels: (0..<256).map { UInt8(96 + $0 % 64) })
        for epoch in 0..<20 {
            let result = apply(Augmentation(contrast: 0.4), soft, epoch: epoch)
            let mean = Double(result.pixels.reduce(0) { $0 + Int($1) }) / 256
            // Rounding to bytes moves a mean by less than half a level.
            #expect(abs(mean - 127.5) < 0.5)
        }
    }

    @Test func smallRotationsMoveLittle() {
        // The centre of an odd square stays; corners may leave.
        for epoch in 0..<20 {
            let result = apply(Augmentation(rotation: 30), square, epoch: epoch)
            #expect(result.pixels[40] == square.pixels[40])
            #expect(result != square)
        }
    }

    @Test func cropsStayInside() {
        // A constant image stays constant under any crop and resize.
        let flat = Image(width: 12, height: 12, channels: 3, pixels: [UInt8](repeating: 77, count: 432))
        for epoch in 0..<50 { #expect(apply(Augmentation(cropScale: 0.1), flat, epoch: epoch) == flat) }
        let crops = (0..<20).map { apply(Augmentation(cropScale: 0.3), image, epoch: $0) }
        #expect(crops.contains { $0 != image })
    }
}
