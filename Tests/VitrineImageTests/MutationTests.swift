import Foundation
import Testing
import VitrineImage

/// Small valid files of every format, changed at random: a picture or a line, never a crash, and bounded work.
@Suite struct MutationTests {
    private static let seeds: [String] =
        [
            "exif6.jpg", "ink.jpg", "411.jpg", "exif6.png", "deep12-sbit.png", "mask-palette.png", "turned-jpeg.tif", "turned-bilevel.tif",
            "turned-palette.tif", "packed12.tif", "float.tif", "turned-tiled.tif", "rgb.bmp", "runs.bmp", "one.bmp", "plain.gif",
            "interlaced.gif", "moving.gif", "lossless.webp", "lossy.webp", "alpha.webp", "rgb.jp2", "grey.j2k", "deep.jp2",
        ]

    /// SplitMix64: the same changes in every run.
    private struct Draws {
        var state: UInt64
        mutating func next(below n: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return Int((z ^ z >> 31) % UInt64(max(1, n)))
        }
    }

    @Test(arguments: seeds)
    func changedFilesAreReadOrRefused(name: String) throws {
        let good = try PictureFixtures.bytes(name)
        let limits = ImageLimits(pixels: 1 << 18, fileBytes: 1 << 20)
        var draws = Draws(state: name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
        var refused = 0
        for round in 0..<300 {
            var bytes = good
            for _ in 0...draws.next(below: 4) {
                let at = draws.next(below: bytes.count)
                switch draws.next(below: 4) {
                case 0: bytes[at] ^= UInt8(1 << draws.next(below: 8))
                case 1: bytes[at] = UInt8(draws.next(below: 256))
                case 2: bytes.insert(contentsOf: (0...draws.next(below: 6)).map { _ in UInt8(draws.next(below: 256)) }, at: at)
                default: bytes.removeSubrange(at..<min(bytes.count, at + 1 + draws.next(below: 9)))
                }
            }
            do throws(ImageError) {
                let image = try Image(encoded: bytes, source: name, limits: limits)
                #expect(image.width * image.height <= limits.pixels, "\(name), round \(round)")
                #expect(image.pixels.count == image.width * image.height * image.channels)
            } catch {
                refused += 1
                #expect(!"\(error)".contains("\n"), "\(name), round \(round): \(error)")
            }
            // The same bytes as a mask.
            do throws(ImageError) { _ = try MaskFile(encoded: bytes, source: name, limits: limits) } catch {
                #expect(!"\(error)".contains("\n"), "\(name), round \(round): \(error)")
            }
        }
        // Single bytes of plain pixels have nothing to be noticed by; most changes touch more.
        #expect(refused > 30, "\(name): \(refused) of 300 refused")
    }

    @Test(arguments: ["lossless.webp", "lossy.webp", "rgb.jp2", "grey.j2k", "plain.gif", "runs.bmp", "rgb.bmp", "ink.jpg", "exif6.jpg"])
    func everyTruncationIsRefusedOrWhole(name: String) throws {
        let good = try PictureFixtures.bytes(name)
        let whole = try Image(encoded: good)
        for n in 0..<good.count {
            do throws(ImageError) {
                let image = try Image(encoded: Array(good.prefix(n)), source: name)
                #expect(image == whole, "\(name) cut at byte \(n) of \(good.count)")
            } catch { #expect("\(error)".hasPrefix(name)) }
        }
    }
}
