import Foundation
import Testing
import VitrineImage

@Suite struct DecodingTests {
    @Test(arguments: ImageFixtures.expected.files.keys.sorted())
    func matchesPillow(name: String) throws {
        let expected = try #require(ImageFixtures.expected.files[name])
        let image = try Image(contentsOf: ImageFixtures.path(name))
        #expect(image.width == expected.width && image.height == expected.height && image.channels == expected.channels)
        #expect(fnv(image.pixels) == expected.hash)
    }

    @Test func extensionIsNotLookedAt() throws {
        let folder = try ImageFixtures.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("photo.jpg").path
        try Data(ImageFixtures.bytes("rgb8.png")).write(to: URL(fileURLWithPath: path))
        #expect(try Image(contentsOf: path) == Image(contentsOf: ImageFixtures.path("rgb8.png")))
    }

    /// Ink and floating-point samples, which were refused: the exact pixels are in `PictureFileTests`.
    @Test func inkAndFloatingPointAreRead() throws {
        let ink = try ImageFile(contentsOf: ImageFixtures.path("cmyk.jpg"))
        #expect(ink.image.channels == 3 && ink.notes.isEmpty)
        let real = try ImageFile(contentsOf: ImageFixtures.path("float.tif"))
        #expect(real.image.channels == 1 && real.notes.count == 1)
    }

    @Test(arguments: [1, 3]) func pngRoundTrip(channels: Int) throws {
        let folder = try ImageFixtures.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("a.png").path
        let image = generatedImage(width: 33, height: 18, channels: channels, seed: 9)
        try image.write(png: path)
        #expect(try Image(contentsOf: path) == image)
        #expect(try Image(encoded: image.pngData()) == image)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.png"], "no temporary file stays behind")
    }

    @Test func writingIntoAMissingFolderIsAnError() {
        let path = "/no-such-folder/a.png"
        #expect(throws: ImageError.cannotWrite(path: path, reason: "No such file or directory")) {
            try Image(width: 1, height: 1, channels: 1).write(png: path)
        }
    }
}
