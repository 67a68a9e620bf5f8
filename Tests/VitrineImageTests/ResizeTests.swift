import Testing
import VitrineImage

@Suite struct ResizeTests {
    @Test func matchesPillowByteForByte() throws {
        let cases = ImageFixtures.expected.resize
        #expect(cases.count >= 200)
        for c in cases {
            let image = generatedImage(
                width: c.width, height: c.height, channels: c.channels, seed: c.seed, extreme: c.extreme ?? false)
            let filter = try #require(ResizeFilter(rawValue: c.filter ?? ""))
            let result = image.resized(width: c.newWidth, height: c.newHeight, filter: filter)
            if let pixels = c.pixels { #expect(result.pixels == pixels, "seed \(c.seed), \(filter)") }
            #expect(
                fnv(result.pixels) == c.hash,
                "\(c.width)x\(c.height)x\(c.channels) to \(c.newWidth)x\(c.newHeight), \(filter), seed \(c.seed)")
        }
    }

    @Test func centerCropMatchesTorchvision() {
        for c in ImageFixtures.expected.crop {
            let image = generatedImage(width: c.width, height: c.height, channels: c.channels, seed: c.seed)
            let result = image.centerCropped(width: c.newWidth, height: c.newHeight)
            #expect(fnv(result.pixels) == c.hash, "\(c.width)x\(c.height) to \(c.newWidth)x\(c.newHeight)")
        }
    }

    @Test func shorterSideMatchesTorchvision() {
        for c in ImageFixtures.expected.shorterSide {
            let image = generatedImage(width: c.width, height: c.height, channels: c.channels, seed: c.seed)
            let result = image.resizedShorterSide(to: c.side ?? 0, filter: .bilinear)
            #expect(result.width == c.newWidth && result.height == c.newHeight)
            #expect(fnv(result.pixels) == c.hash)
        }
    }

    @Test func lumaMatchesPillow() {
        let c = ImageFixtures.expected.luma
        let image = generatedImage(width: c.width, height: c.height, channels: 3, seed: c.seed)
        #expect(fnv(image.converted(toChannels: 1).pixels) == c.hash)
    }

    @Test func greyToRGBAndBackIsTheSame() {
        let image = generatedImage(width: 7, height: 5, channels: 1, seed: 3)
        #expect(image.converted(toChannels: 3).converted(toChannels: 1) == image)
    }
}
