import Foundation
import Testing
import VitrineImage
import VitrineTensor

/// Pictures as files come: each test is named after the fault that it keeps away.
@Suite struct PictureFileTests {
    @Test(arguments: PictureFixtures.expected.files.keys.sorted())
    func matchesPillow(name: String) throws {
        let expected = try #require(PictureFixtures.expected.files[name])
        let image = try Image(contentsOf: PictureFixtures.path(name))
        let wanted = image.converted(toChannels: expected.channels)
        #expect(image.width == expected.width && image.height == expected.height)
        #expect(fnv(wanted.pixels) == expected.hash, "\(name)")
    }

    /// Orientation was ignored for grey and RGB pages and half applied to bilevel and palette pages.
    @Test(arguments: PictureFixtures.expected.turned.keys.sorted())
    func tiffOrientationOnEveryKindOfPage(name: String) throws {
        let turned = try #require(PictureFixtures.expected.turned[name])
        var bytes = try PictureFixtures.bytes(name)
        #expect(turned.cases.count == 8)
        for (i, expected) in turned.cases.enumerated() {
            bytes[turned.place + (turned.isLittle ? 0 : 1)] = UInt8(i + 1)
            let file = try ImageFile(encoded: bytes)
            #expect(file.image.width == expected.width && file.image.height == expected.height, "\(name), orientation \(i + 1)")
            #expect(fnv(file.image.converted(toChannels: expected.channels).pixels) == expected.hash, "\(name), orientation \(i + 1)")
            #expect(file.orientation == 1, "it was applied")
        }
    }

    /// EXIF elsewhere is not applied, as Pillow opens files, but whoever joins annotations can see it.
    @Test(arguments: ["exif6.jpg", "exif6.png", "exif6.webp"])
    func exifOrientationIsTold(name: String) throws {
        let file = try ImageFile(contentsOf: PictureFixtures.path(name))
        #expect(file.orientation == 6 && file.isTurnedSideways)
        #expect(file.image.width == 37 && file.image.height == 29)
        #expect(try ImageFile(contentsOf: ImageFixtures.path("rgb420.jpg")).orientation == 1)
    }

    /// 10 to 14 bits in files of 16 became 4 to 64 grey levels.
    @Test func deepGreyKeepsItsLevels() throws {
        for name in ["deep10.png", "deep10.tif", "deep12-rgb.png", "deep12-rgb.tif"] {
            let file = try ImageFile(contentsOf: PictureFixtures.path(name))
            #expect(Set(file.image.pixels).count > 60, "\(name)")
            #expect(file.notes.count == 1 && file.notes[0].contains("no depth is stated"), "\(name): \(file.notes)")
        }
        for name in ["deep12-sbit.png", "deep12-maximum.tif", "deep12-old-maximum.tif", "packed12.tif", "deep12-scaled.png"] {
            #expect(try ImageFile(contentsOf: PictureFixtures.path(name)).notes.isEmpty, "\(name) states its depth")
        }
        #expect(try ImageFile(contentsOf: ImageFixtures.path("grey16.png")).notes.isEmpty, "all 16 bits are used")
        #expect(try ImageFile(contentsOf: PictureFixtures.path("float.tif")).notes.count == 1)
    }

    @Test func moreThanOnePictureIsTold() throws {
        #expect(try ImageFile(contentsOf: PictureFixtures.path("moving.gif")).notes.count == 1)
        #expect(try ImageFile(contentsOf: PictureFixtures.path("plain.gif")).notes.isEmpty)
    }

    /// libjpeg's first warning hid the later ones: a stray byte made any damage behind it invisible.
    @Test(arguments: ["rgb420.jpg", "rgb444.jpg", "progressive.jpg", "grey.jpg"])
    func damageBehindAHarmlessWarning(name: String) throws {
        let good = try ImageFixtures.bytes(name)
        let scan = try #require(good.indices.dropLast().first { good[$0] == 0xFF && good[$0 + 1] == 0xDA })
        var stray = good
        stray.insert(0, at: scan)
        #expect(try Image(encoded: stray) == Image(encoded: good), "one byte between segments touches no pixel")
        for share in [0.3, 0.6, 0.9] {
            let cut = Array(stray[..<(scan + Int(Double(stray.count - scan) * share))])
            #expect(throws: ImageError.self, "\(name) cut at \(share)") { try Image(encoded: cut) }
        }
        // Left-over bytes inside the scan, before the end marker, are lost data; padding is not.
        let end: [UInt8] = [0xFF, 0xD9]
        #expect(throws: ImageError.self) { try Image(encoded: good.dropLast(2) + [UInt8](repeating: 0x12, count: 40) + end) }
        #expect(try Image(encoded: good.dropLast(2) + [UInt8](repeating: 0, count: 40) + end) == Image(encoded: good))
    }

    @Test func kindsOfJPEGThatAreNotReadAreNamed() throws {
        var bytes = try ImageFixtures.bytes("grey.jpg")
        let frame = try #require(bytes.indices.dropLast().first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
        func isUnsupported(_ error: any Error, _ word: String) -> Bool {
            guard case ImageError.unsupported("x", "JPEG", let reason)? = error as? ImageError else { return false }
            return reason.contains(word)
        }
        bytes[frame + 4] = 12
        #expect { try Image(encoded: bytes, source: "x") } throws: { isUnsupported($0, "12") }
        bytes[frame + 4] = 8
        bytes[frame + 1] = 0xC3
        #expect { try Image(encoded: bytes, source: "x") } throws: { isUnsupported($0, "SOF") }
    }

    /// Three mutated files of a few kilobytes took seconds and 460 MB.
    @Test func workIsBoundByTheSizeOfTheFile() throws {
        let limits = ImageLimits(pixels: 1 << 28, fileBytes: 1 << 20)
        #expect { try Image(contentsOf: PictureFixtures.path("bomb-fax.tif"), limits: limits) } throws: {
            "\($0)".contains("cannot hold 40000 x 4000 pixels")
        }
    }

    @Test func theDigestIsThatOfTheBytesDecoded() throws {
        let path = PictureFixtures.path("rgb.bmp")
        #expect(try ImageFile(contentsOf: path).sha256 == sha256(ofFile: path))
        #expect(try MaskFile(contentsOf: PictureFixtures.path("mask.bmp")).sha256 == sha256(ofFile: PictureFixtures.path("mask.bmp")))
    }

    @Test func namesOfFilesAreListedOnce() {
        #expect(Set(ImageCodec.fileExtensions).count == ImageCodec.fileExtensions.count)
        for known in ["png", "jpg", "tif", "bmp", "webp", "gif", "jp2", "dcm", "dicom", "ima", "npy"] {
            #expect(ImageCodec.fileExtensions.contains(known))
        }
    }

    @Test func arraysAreRefusedFromTheirHeader() throws {
        let large = NPY.encoded([Float](repeating: 0, count: 50), shape: [5, 10])
        #expect(throws: NPYError.tooLarge(path: "x", shape: [5, 10], limit: 49)) {
            try NPY.read(encoded: large, source: "x", mostValues: 49)
        }
        let folder = try ImageFixtures.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("a.npy").path
        // A header alone: nothing of what it claims is needed to refuse it.
        try Data(large.prefix(128)).write(to: URL(fileURLWithPath: path))
        #expect(throws: NPYError.tooLarge(path: path, shape: [5, 10], limit: 49)) { try NPY.read(path, mostValues: 49) }
        #expect(throws: ImageError.self) { try Mask(encoded: large, limits: ImageLimits(pixels: 49, fileBytes: 1 << 20)) }
    }
}
