import Foundation
import Testing
import VitrineImage

/// What Scripts/fixtures/image.py wrote.
struct ImageFixtures: Decodable {
    struct Resize: Decodable {
        let width, height, channels, newWidth, newHeight: Int
        let seed: UInt32
        let extreme: Bool?
        let filter: String?
        let side: Int?
        let hash: String
        let pixels: [UInt8]?
    }
    struct File: Decodable {
        let width, height, channels: Int
        let hash: String
    }
    struct Luma: Decodable {
        let width, height: Int
        let seed: UInt32
        let hash: String
    }
    struct Array: Decodable {
        let shape: [Int]
        let values: [Float]
    }
    struct Display: Decodable {
        let rows, columns, height, width: Int
        let values, nearest, bilinear, bicubic, gradCAM, relevance: [Float]
    }
    struct Colors: Decodable {
        let values: [Float]
        let maps: [String: [UInt8]]
    }
    struct Components: Decodable {
        let seed: UInt32
        let threshold: UInt8
        let areas4, areas8: [Int]
    }
    struct MaskResize: Decodable {
        let width, height, newWidth, newHeight: Int
        let seed: UInt32
        let resized, cropped: String
    }
    let colors: Colors
    let components: [Components]
    let masks: [MaskResize]
    let luma: Luma
    let faintCount: Int
    let resize, crop, shorterSide: [Resize]
    let files: [String: File]
    let npy: [String: Array]
    let display: [Display]

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let folder = root.appendingPathComponent("Tests/Fixtures/image")
    /// Real data beside the package, where there is any.
    static let shared = root.deletingLastPathComponent().appendingPathComponent("shared")
    static let expected: ImageFixtures = {
        do {
            return try JSONDecoder().decode(ImageFixtures.self, from: Data(contentsOf: folder.appendingPathComponent("expected.json")))
        } catch { fatalError("Tests/Fixtures/image/expected.json: \(error); run Scripts/fixtures/image.py") }
    }()

    static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    static func bytes(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: folder.appendingPathComponent(name))) }

    /// A folder of its own for one test.
    static func temporaryFolder() throws -> URL {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("vitrine-image-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }
}

/// The generator of the fixture script, byte for byte.
func generatedImage(width: Int, height: Int, channels: Int, seed: UInt32, extreme: Bool = false) -> Image {
    var state = seed
    let pixels = (0..<width * height * channels).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return extreme ? (state >> 31 == 1 ? 255 : 0) : UInt8(state >> 24)
    }
    return Image(width: width, height: height, channels: channels, pixels: pixels)
}

/// FNV-1a, 64 bits, as the fixture script writes it.
func fnv(_ bytes: [UInt8]) -> String {
    let value = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
}
