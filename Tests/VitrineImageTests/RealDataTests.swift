import Foundation
import Testing
import VitrineImage

/// The reference's preprocessing on real images; skipped where `shared` does not lie beside the package.
@Suite struct RealDataTests {
    static let busi = ImageFixtures.shared.appendingPathComponent("reference/busi")
    static let tiff = ImageFixtures.shared.appendingPathComponent("data/lgg_mri/tiff")

    /// One tensor of a safetensors file, as Float32.
    private func tensor(_ name: String, _ path: URL) throws -> [Float] {
        let data = try Data(contentsOf: path)
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: Any]
        let entry = try #require(header?[name] as? [String: Any])
        #expect(entry["dtype"] as? String == "F32")
        let offsets = try #require(entry["data_offsets"] as? [Int])
        let bytes = [UInt8](data[(8 + length + offsets[0])..<(8 + length + offsets[1])])
        return stride(from: 0, to: bytes.count, by: 4).map { i in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[i + $1]) << UInt32(8 * $1) })
        }
    }

    @Test(
        .enabled(if: FileManager.default.fileExists(atPath: busi.path), "needs shared/reference/busi beside the package"),
        arguments: ["benign_178", "benign_366", "malignant_12", "malignant_129", "normal_14"])
    func referenceInputIsOurs(stem: String) throws {
        let input = try tensor("input", Self.busi.appendingPathComponent(stem + ".safetensors"))
        let image = try Image(contentsOf: Self.busi.appendingPathComponent(stem + ".png").path).converted(toChannels: 3)
            .resized(width: 224, height: 224, filter: .bilinear)
        let (mean, deviation): ([Float], [Float]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        #expect(input.count == 3 * 224 * 224)
        var differing = 0
        var largest: Float = 0
        for c in 0..<3 {
            for i in 0..<224 * 224 {
                let ours = (Float(image.pixels[3 * i + c]) / 255 - mean[c]) / deviation[c]
                let theirs = input[c * 224 * 224 + i]
                if UInt8(((theirs * deviation[c] + mean[c]) * 255).rounded()) != image.pixels[3 * i + c] { differing += 1 }
                largest = max(largest, abs(ours - theirs))
            }
        }
        #expect(differing == 0)
        // One grey level is 0.017 after normalisation; Float32 rounding of values up to 2.7 stays below a millionth.
        #expect(largest < 1e-6)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: tiff.path), "needs shared/data/lgg_mri beside the package"))
    func tiffPairsLoad() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.tiff.path).filter { $0.hasSuffix(".tif") }
        #expect(names.count == 12)
        for name in names {
            let path = Self.tiff.appendingPathComponent(name).path
            let image = try Image(contentsOf: path)
            #expect(image.width == 256 && image.height == 256 && image.channels == (name.hasSuffix("_mask.tif") ? 1 : 3))
            if name.hasSuffix("_mask.tif") { #expect(try Mask(contentsOf: path) == Mask(image, rule: .half)) }
        }
    }
}
