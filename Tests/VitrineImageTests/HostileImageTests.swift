import Foundation
import Testing
import VitrineImage

@Suite struct HostileImageTests {
    /// Every file of every format, cut at every byte, is refused; or decodes to the whole picture, where the bytes
    /// that are missing carry nothing.
    @Test(arguments: ImageFixtures.expected.files.keys.sorted())
    func everyTruncation(name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        let whole = try Image(encoded: bytes)
        var harmless = 0
        for n in 0..<bytes.count {
            do throws(ImageError) {
                let image = try Image(encoded: Array(bytes.prefix(n)), source: name)
                #expect(image == whole, "\(name) cut at byte \(n)")
                harmless += 1
            } catch {
                #expect("\(error)".hasPrefix(name) && !"\(error)".contains("\n"), "\(error)")
            }
        }
        // What may be missing: the checksum of a PNG's empty last chunk; a TIFF's padding and unused tags behind its pixels.
        let allowed = name.hasSuffix(".png") ? 4 : name.hasSuffix(".tif") ? 16 : 0
        #expect(harmless <= allowed, "\(name): \(harmless) truncations went unnoticed")
    }

    /// Single damaged bytes give a picture of the declared size or a named error, never a crash.
    @Test(arguments: ImageFixtures.expected.files.keys.sorted())
    func everyDamagedByte(name: String) throws {
        var bytes = try ImageFixtures.bytes(name)
        let limits = ImageLimits(pixels: 1 << 20, fileBytes: 1 << 20)
        var (seen, refused) = (0, 0)
        for i in bytes.indices {
            for flip: UInt8 in [0xFF, 0x01, 0x80] {
                bytes[i] ^= flip
                seen += 1
                do throws(ImageError) {
                    let image = try Image(encoded: bytes, limits: limits)
                    #expect(image.pixels.count == image.width * image.height * image.channels)
                    #expect(image.width * image.height <= limits.pixels)
                } catch { refused += 1 }
                bytes[i] ^= flip
            }
        }
        #expect(refused > 0 && seen == 3 * bytes.count)
    }

    @Test func otherBytesAreNoImage() {
        #expect(throws: ImageError.unknownFormat(source: "image in memory", firstBytes: [])) { try Image(encoded: []) }
        #expect(throws: ImageError.unknownFormat(source: "a.tga", firstBytes: [0x00, 0x00, 0x0A])) {
            try Image(encoded: [0x00, 0x00, 0x0A], source: "a.tga")
        }
    }

    @Test func filesThatAreNotThere() throws {
        #expect(throws: ImageError.unreadable(path: "/nowhere.png", reason: "No such file or directory")) {
            try Image(contentsOf: "/nowhere.png")
        }
        let folder = try ImageFixtures.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: ImageError.unreadable(path: folder.path, reason: "it is not a regular file")) {
            try Image(contentsOf: folder.path)
        }
    }

    @Test func largeFilesAreRefused() throws {
        let size = try ImageFixtures.bytes("rgb8.png").count
        #expect(throws: ImageError.fileTooLarge(source: ImageFixtures.path("rgb8.png"), bytes: size, limit: 10)) {
            try Image(contentsOf: ImageFixtures.path("rgb8.png"), limits: ImageLimits(pixels: 1000, fileBytes: 10))
        }
    }

    /// Big-endian words at some place of a file.
    private func patched(_ name: String, at place: Int, _ words: [UInt16]) throws -> [UInt8] {
        var bytes = try ImageFixtures.bytes(name)
        for (i, word) in words.enumerated() {
            bytes[place + 2 * i] = UInt8(word >> 8)
            bytes[place + 2 * i + 1] = UInt8(word & 0xFF)
        }
        return bytes
    }

    @Test func oversizedJPEGHeaders() throws {
        let bytes = try ImageFixtures.bytes("grey.jpg")
        let frame = try #require(bytes.indices.dropLast().first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
        #expect(throws: ImageError.tooLarge(source: "x", width: 60000, height: 60000, pixelLimit: ImageLimits.default.pixels)) {
            try Image(encoded: patched("grey.jpg", at: frame + 5, [60000, 60000]), source: "x")
        }
        // Allowed by the limit, but more than the bytes can hold: refused before 81 MB are asked for.
        #expect {
            try Image(encoded: patched("grey.jpg", at: frame + 5, [9000, 9000]), source: "x")
        } throws: { "\($0)".contains("cannot hold 9000 x 9000") }
    }

    @Test func oversizedPNGHeaders() throws {
        func png(_ side: UInt32) -> [UInt8] {
            func word(_ v: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(v >> $0 & 0xFF) } }
            func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
                let body = Array(name.utf8) + data
                var crc: UInt32 = 0xFFFF_FFFF
                for byte in body {
                    crc ^= UInt32(byte)
                    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
                }
                return word(UInt32(data.count)) + body + word(~crc)
            }
            return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", word(side) + word(side) + [8, 2, 0, 0, 0])
                + chunk("IDAT", [0x78, 0x9C, 3, 0, 0, 0, 0, 1]) + chunk("IEND", [])
        }
        #expect(
            throws: ImageError.tooLarge(source: "x", width: 2_000_000_000, height: 2_000_000_000, pixelLimit: ImageLimits.default.pixels)
        ) {
            try Image(encoded: png(2_000_000_000), source: "x")
        }
        #expect {
            try Image(encoded: png(9000), source: "x")
        } throws: { "\($0)".contains("cannot hold 9000 x 9000") }
    }

    @Test func oversizedTIFFTiles() throws {
        var bytes = try ImageFixtures.bytes("tiled.tif")
        // Little-endian directory entries of 12 bytes: tag, type, count, value.
        let directory = (0..<4).reduce(0) { $0 | Int(bytes[4 + $1]) << (8 * $1) }
        for entry in 0..<Int(bytes[directory]) {
            let at = directory + 2 + 12 * entry
            let tag = Int(bytes[at]) | Int(bytes[at + 1]) << 8
            // Width and height of a tile, as 32-bit values of 2^30.
            if tag == 322 || tag == 323 { bytes.replaceSubrange(at + 2..<at + 12, with: [4, 0, 1, 0, 0, 0, 0, 0, 0, 0x40]) }
        }
        #expect {
            try Image(encoded: bytes, source: "x")
        } throws: { error in
            guard case ImageError.damaged("x", "TIFF", _)? = error as? ImageError else { return false }
            return true
        }
    }
}
