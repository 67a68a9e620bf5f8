import Foundation
import Testing
import VitrineImage

@Suite struct HostileDICOMTests {
    /// Cut at every byte, a file is refused, or gives the whole picture where only padding is missing.
    @Test(arguments: DICOMFixtures.names) func everyTruncation(name: String) throws {
        let bytes = try DICOMFixtures.bytes(name)
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
        #expect(harmless <= 1, "\(name): \(harmless) truncations went unnoticed")
    }

    /// Single damaged bytes give a picture within the limits or a named error, never a crash.
    @Test(arguments: DICOMFixtures.names) func everyDamagedByte(name: String) throws {
        var bytes = try DICOMFixtures.bytes(name)
        let limits = ImageLimits(pixels: 1 << 16, fileBytes: 1 << 20)
        var refused = 0
        for i in bytes.indices {
            for flip: UInt8 in [0xFF, 0x01, 0x80] {
                bytes[i] ^= flip
                do throws(ImageError) {
                    let image = try Image(encoded: bytes, source: name, limits: limits)
                    #expect(image.width * image.height <= limits.pixels)
                } catch {
                    refused += 1
                    #expect(!"\(error)".contains("\n"), "\(error)")
                }
                bytes[i] ^= flip
            }
        }
        #expect(refused > 0)
    }

    /// An element in Implicit VR Little Endian, or the head of one.
    private func element(_ group: Int, _ element: Int, length: UInt32, _ value: [UInt8] = []) -> [UInt8] {
        [UInt8(group & 0xFF), UInt8(group >> 8), UInt8(element & 0xFF), UInt8(element >> 8)]
            + [0, 8, 16, 24].map { UInt8(length >> $0 & 0xFF) } + value
    }

    private func number(_ tag: Int, _ value: UInt16) -> [UInt8] { element(0x28, tag, length: 2, [UInt8(value & 0xFF), UInt8(value >> 8)]) }

    private func header(rows: UInt16, columns: UInt16, bits: UInt16 = 8) -> [UInt8] {
        element(0x08, 0x60, length: 2, Array("MR".utf8)) + number(0x02, 1) + element(0x28, 0x04, length: 12, Array("MONOCHROME2 ".utf8))
            + number(0x10, rows) + number(0x11, columns) + number(0x100, bits) + number(0x101, bits) + number(0x102, bits - 1)
            + number(0x103, 0)
    }

    @Test func smallestFile() throws {
        let image = try Image(encoded: header(rows: 2, columns: 3) + element(0x7FE0, 0x10, length: 6, [0, 10, 20, 30, 40, 255]))
        #expect(image == Image(width: 3, height: 2, channels: 1, pixels: [0, 10, 20, 30, 40, 255]))
    }

    @Test func oversizedHeaders() throws {
        let pixels = element(0x7FE0, 0x10, length: 6, [0, 10, 20, 30, 40, 255])
        #expect(throws: ImageError.tooLarge(source: "x", width: 60000, height: 60000, pixelLimit: ImageLimits.default.pixels)) {
            try Image(encoded: header(rows: 60000, columns: 60000) + pixels, source: "x")
        }
        #expect {
            try Image(encoded: header(rows: 9000, columns: 9000) + pixels, source: "x")
        } throws: { "\($0)".contains("6 bytes of pixels cannot hold 1 x 9000 x 9000") }
        #expect {
            try Image(encoded: header(rows: 0, columns: 9) + pixels, source: "x")
        } throws: { "\($0)".contains("it declares 9 x 0 pixels") }
        #expect {
            try Image(encoded: header(rows: 2, columns: 3, bits: 12) + pixels, source: "x")
        } throws: { "\($0)".contains("12 bits allocated") }
        // A length of 4 GB with six bytes behind it.
        #expect(throws: ImageError.self) {
            try Image(encoded: header(rows: 2, columns: 3) + element(0x7FE0, 0x10, length: 0xFFFF_FFFE, [0, 1, 2, 3, 4, 5]), source: "x")
        }
    }

    /// DCMTK parses nested sequences by recursion, without a limit of its own.
    @Test(arguments: [30, 3000, 300_000]) func nestedSequences(depth: Int) throws {
        let level = element(0x08, 0x1140, length: 0xFFFF_FFFF) + element(0xFFFE, 0xE000, length: 0xFFFF_FFFF)
        var bytes = element(0x08, 0x60, length: 2, Array("MR".utf8))
        for _ in 0..<depth { bytes += level }
        if depth == 30 {
            // A depth that no real object reaches is read all the same.
            for _ in 0..<depth { bytes += element(0xFFFE, 0xE00D, length: 0) + element(0xFFFE, 0xE0DD, length: 0) }
            bytes += header(rows: 2, columns: 3).dropFirst(10) + element(0x7FE0, 0x10, length: 6, [0, 10, 20, 30, 40, 255])
            #expect(try Image(encoded: bytes).width == 3)
        } else {
            #expect {
                try Image(encoded: bytes, source: "x")
            } throws: { "\($0)".contains("nested too deeply") }
        }
    }

    /// A deflated data set that would grow without end is cut off at the limit.
    @Test func inflation() throws {
        let bytes = try DICOMFixtures.bytes("deflated.dcm")
        // The group length of the meta header stands behind the preamble: 4 bytes, then what it counts.
        let start = 144 + bytes[140..<144].reversed().reduce(0) { $0 << 8 | Int($1) }
        // Fixed codes of RFC 1951 3.2.6: a literal zero, then runs of 258 zeros at distance 1, ten bits each, 60 MB in 290 kB.
        var packed: [UInt8] = []
        var (word, filled) = (UInt32(0), 0)
        func put(_ code: [UInt32]) {
            for bit in code {
                word |= bit << UInt32(filled)
                filled += 1
                if filled == 8 {
                    packed.append(UInt8(word))
                    (word, filled) = (0, 0)
                }
            }
        }
        put([1, 1, 0])
        put([0, 0, 1, 1, 0, 0, 0, 0])
        for _ in 0..<232_000 { put([1, 1, 0, 0, 0, 1, 0, 1] + [0, 0, 0, 0, 0]) }
        put([0, 0, 0, 0, 0, 0, 0] + [UInt32](repeating: 0, count: 8))
        #expect {
            try Image(
                encoded: Array(bytes[..<start]) + packed, source: "x", limits: ImageLimits(pixels: 1 << 20, fileBytes: 1 << 20))
        } throws: { "\($0)".contains("grows beyond") }
    }

    @Test func filesWithoutPixels() {
        #expect {
            try Image(encoded: element(0x08, 0x60, length: 2, Array("SR".utf8)), source: "report.dcm")
        } throws: { "\($0)" == "report.dcm: DICOM holds no image (a directory, a report or a plan?); choose a file with pixels" }
    }
}
