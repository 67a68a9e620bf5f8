import Foundation
import VitrineImage

/// Files that the tests read: this folder's parents hold the package and, beside it, data that may be absent.
enum TestFiles {
    static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let shared = package.deletingLastPathComponent().appendingPathComponent("shared")
    static let fixtures = package.appendingPathComponent("Tests/Fixtures/metrics")

    /// The shared folder also lies beside the package of a git worktree's parent.
    static func sharedFolder(_ path: String) -> URL {
        let direct = shared.appendingPathComponent(path)
        if FileManager.default.fileExists(atPath: direct.path) { return direct }
        return shared.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/" + path)
    }

    static func hasShared(_ path: String) -> Bool { FileManager.default.fileExists(atPath: sharedFolder(path).path) }
}

/// The least that the localisation reference needs of the safetensors format: F32 and U8 tensors by name.
struct SafetensorsReader {
    private let data: Data
    private let header: [String: [String: Any]]
    private let start: Int

    init(_ url: URL) throws {
        data = try Data(contentsOf: url)
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        start = 8 + length
        header = try JSONSerialization.jsonObject(with: data[8..<start]) as! [String: [String: Any]]
    }

    private func bytes(_ name: String) -> [UInt8] {
        let range = header[name]!["data_offsets"] as! [Int]
        return [UInt8](data[start + range[0]..<start + range[1]])
    }

    func floats(_ name: String) -> [Float] {
        let bytes = bytes(name)
        return (0..<bytes.count / 4).map { i in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[4 * i + $1]) << UInt32(8 * $1) })
        }
    }

    func mask(_ name: String) -> Mask {
        let shape = header[name]!["shape"] as! [Int]
        return Mask(width: shape[1], height: shape[0], bits: bytes(name).map { $0 > 0 })
    }
}
