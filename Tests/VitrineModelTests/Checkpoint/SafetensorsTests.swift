import Foundation
import Testing
import VitrineModel
import VitrineTensor

@Suite struct SafetensorsTests {
    @Test(arguments: ["small.safetensors", "types.safetensors"])
    func readsWhatPythonWrote(name: String) throws { try CheckpointFixtures.compare(name) }

    @Test func keepsMetadata() throws {
        let file = try Checkpoint.open(CheckpointFixtures.path("types.safetensors"))
        #expect(file.metadata == ["format": "pt", "näme": "quote \" \\ line\n"])
        #expect(file.format == .safetensors)
    }

    /// Our writer's file is the reference writer's, byte by byte.
    @Test func writesTheBytesThatPythonWrites() throws {
        let source = try Checkpoint.open(CheckpointFixtures.path("small.safetensors"))
        let tensors = try source.tensors.mapValues { try $0.tensor() }
        let url = try CheckpointFixtures.temporaryFolder().appendingPathComponent("small.safetensors")
        try Safetensors.write(tensors, metadata: ["format": "pt"], to: url.path)
        let reference = try Data(contentsOf: URL(fileURLWithPath: CheckpointFixtures.path("small.safetensors")))
        #expect(try Data(contentsOf: url) == reference)
    }

    @Test func writtenNamesAndMetadataComeBack() throws {
        let url = try CheckpointFixtures.temporaryFolder().appendingPathComponent("names.safetensors")
        let tensors: [String: Tensor] = [
            "a \"quoted\" \\ name\u{1}": Tensor([2], [1, .infinity]), "ключ🙂": Tensor([], [3]), "empty": Tensor([0, 2]),
        ]
        try Safetensors.write(tensors, metadata: ["κ": "λ\t"], to: url.path)
        let file = try Checkpoint.open(url.path)
        #expect(file.metadata == ["κ": "λ\t"])
        #expect(file.names == tensors.keys.sorted())
        for (name, tensor) in tensors { #expect(try file.tensor(named: name).values == tensor.values) }
        // Float32 is mapped at a multiple of four bytes: the header was padded.
        #expect(file.tensors.values.allSatisfy { $0.byteOffset % 4 == 0 })
    }

    /// All 65,536 halves, so that denormals, infinities and the sign of zero are among them.
    @Test func halfPrecisionSurvivesARoundTrip() throws {
        let bits = (0..<65536).map { UInt16($0) }
        let url = try CheckpointFixtures.temporaryFolder().appendingPathComponent("half.safetensors")
        let values = bits.map { Float(Float16(bitPattern: $0)) }
        try Safetensors.write(["x": Tensor([65536], values)], type: .float16, to: url.path)
        let back = try Checkpoint.open(url.path).tensor(named: "x").values
        for (a, b) in zip(values, back) { #expect(a.isNaN ? b.isNaN : a.bitPattern == b.bitPattern) }
    }

    /// Against the rounding of the language's own Float16, at and around every tie.
    @Test func halfPrecisionRoundsToNearestEven() throws {
        var values: [Float] = [65519.996, 65520, 1e9, -1e9, 2.98e-8, 2.980233e-8, 1e-30]
        for pattern in stride(from: UInt16(0), to: 0x7bff, by: 7) {
            let low = Float(Float16(bitPattern: pattern))
            let high = Float(Float16(bitPattern: pattern + 1))
            let tie = (low + high) / 2
            values += [tie, tie.nextUp, tie.nextDown, -tie]
        }
        let bits = Tensor([values.count], values).halfPrecisionBits
        #expect(bits == values.map { Float16($0).bitPattern })
    }

    @Test func aFileThatCannotBeWrittenIsNamed() throws {
        let path = try CheckpointFixtures.temporaryFolder().appendingPathComponent("absent/x.safetensors").path
        let error = #expect(throws: CheckpointError.self) { try Safetensors.write([:], to: path) }
        #expect(error?.description.hasPrefix("\(path): cannot be written (No such file or directory)") == true)
    }

    // MARK: files that lie

    struct Lie: CustomTestStringConvertible, Sendable {
        let header: String
        let dataCount: Int
        let fault: SafetensorsFault
        var testDescription: String { String("\(fault)".prefix(100)) }
    }

    static func item(_ shape: String, _ begin: Int, _ end: Int, type: String = "F32") -> String {
        "{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(end)]}"
    }

    static let deep = String(repeating: "[", count: 2000)
    static let deepObject = String(repeating: "{\"a\":", count: 2000)
    static let largest = "9223372036854775807"

    static let lies: [Lie] = [
        Lie(header: "[]", dataCount: 0, fault: .headerStart(found: 0x5b)),
        Lie(header: " {}", dataCount: 0, fault: .headerStart(found: 0x20)),
        Lie(header: "", dataCount: 0, fault: .syntax(byte: 0, expected: "'{'")),
        Lie(header: "{}x", dataCount: 0, fault: .syntax(byte: 2, expected: "the end of the header")),
        Lie(header: "{\"a\":\(item("[1]", 0, 4)),}", dataCount: 4, fault: .syntax(byte: 54, expected: "'\"'")),
        Lie(header: "{\"a\":\(item("[1]", 0, 4)),\"a\":\(item("[1]", 4, 8))}", dataCount: 8, fault: .duplicateKey(key: "a")),
        Lie(header: "{\"a\":\(item("[1]", 0, 4)),\"\\u0061\":\(item("[1]", 4, 8))}", dataCount: 8, fault: .duplicateKey(key: "a")),
        Lie(header: "{\"__metadata__\":{},\"__metadata__\":{}}", dataCount: 0, fault: .duplicateKey(key: "__metadata__")),
        Lie(
            header: "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", dataCount: 0,
            fault: .duplicateField(key: "__metadata__", field: "k")),
        Lie(header: "{\"__metadata__\":{\"k\":1}}", dataCount: 0, fault: .syntax(byte: 21, expected: "'\"'")),
        Lie(header: "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", dataCount: 0, fault: .duplicateField(key: "a", field: "dtype")),
        Lie(header: "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", dataCount: 0, fault: .missingField(key: "a", field: "data_offsets")),
        Lie(header: "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", dataCount: 4, fault: .missingField(key: "a", field: "dtype")),
        Lie(header: "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", dataCount: 4, fault: .missingField(key: "a", field: "shape")),
        Lie(header: "{\"a\":{\"dtype\":\"F32\",\"order\":[0,4]}}", dataCount: 4, fault: .unknownField(key: "a", field: "order")),
        Lie(header: "{\"a\":\(item("[1]", 0, 4, type: "C64"))}", dataCount: 4, fault: .unknownType(key: "a", type: "C64")),
        Lie(header: "{\"a\":\(item("[-1]", 0, 4))}", dataCount: 4, fault: .syntax(byte: 29, expected: "a whole number")),
        Lie(header: "{\"a\":\(item("[1.0]", 0, 4))}", dataCount: 4, fault: .syntax(byte: 30, expected: "']'")),
        Lie(header: "{\"a\":\(item("[01]", 0, 4))}", dataCount: 4, fault: .syntax(byte: 29, expected: "a whole number")),
        Lie(header: "{\"a\":\(item("[9223372036854775808]", 0, 4))}", dataCount: 4, fault: .numberTooLarge(byte: 29)),
        Lie(
            header: "{\"a\":\(item("[4294967296,4294967296]", 0, 0))}", dataCount: 0,
            fault: .shapeOverflow(key: "a", shape: [1 << 32, 1 << 32])),
        Lie(
            header: "{\"a\":\(item("[\(largest),4,0]", 0, 0))}", dataCount: 0,
            fault: .shapeOverflow(key: "a", shape: [Int.max, 4, 0])),
        Lie(header: "{\"a\":\(item("[1]", 4, 0))}", dataCount: 4, fault: .offsetsReversed(key: "a", begin: 4, end: 0)),
        Lie(header: "{\"a\":\(item("[2]", 0, 4))}", dataCount: 4, fault: .sizeMismatch(key: "a", fromShape: 8, fromOffsets: 4)),
        Lie(header: "{\"a\":\(item("[2]", 0, 8))}", dataCount: 4, fault: .beyondFile(key: "a", end: 8, available: 4)),
        Lie(header: "{\"a\":\(item("[1]", 4, 8))}", dataCount: 8, fault: .gap(key: "a", begin: 4, previousEnd: 0)),
        Lie(
            header: "{\"a\":\(item("[1]", 0, 4)),\"b\":\(item("[1]", 8, 12))}", dataCount: 12,
            fault: .gap(key: "b", begin: 8, previousEnd: 4)),
        Lie(
            header: "{\"a\":\(item("[2]", 0, 8)),\"b\":\(item("[1]", 4, 8))}", dataCount: 8,
            fault: .overlap(key: "b", begin: 4, previousEnd: 8)),
        Lie(header: "{\"a\":\(item("[1]", 0, 4))}", dataCount: 9, fault: .trailingBytes(end: 4, available: 9)),
        Lie(header: "{\"a\":{\"dtype\":\"F32\",\"shape\":\(deep)", dataCount: 0, fault: .syntax(byte: 29, expected: "a whole number")),
        Lie(header: deepObject, dataCount: 0, fault: .unknownField(key: "a", field: "a")),
        Lie(header: "{\"a\\ud800\":{}}", dataCount: 0, fault: .syntax(byte: 3, expected: "a pair of surrogates")),
        Lie(header: "{\"a\n\":{}}", dataCount: 0, fault: .syntax(byte: 3, expected: "an escaped control character")),
        Lie(header: "{\"a\\x\":{}}", dataCount: 0, fault: .syntax(byte: 3, expected: "an escape")),
        Lie(header: "{\"a", dataCount: 0, fault: .syntax(byte: 3, expected: "the end of a string")),
        Lie(header: "{\"a\":{\"data_offsets\":[0]}}", dataCount: 0, fault: .missingField(key: "a", field: "dtype")),
        Lie(
            header: "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", dataCount: 4,
            fault: .syntax(byte: 47, expected: "two data_offsets")),
    ]

    static func bytes(_ header: [UInt8], declared: Int? = nil, dataCount: Int) -> [UInt8] {
        let length = declared ?? header.count
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header + [UInt8](repeating: 0, count: dataCount)
    }

    @Test(arguments: lies)
    func aLyingHeaderIsRefused(lie: Lie) throws {
        let folder = try CheckpointFixtures.temporaryFolder()
        let bytes = Self.bytes(Array(lie.header.utf8), dataCount: lie.dataCount)
        let error = try CheckpointFixtures.failure(bytes, named: "x.safetensors", in: folder)
        let path = folder.appendingPathComponent("x.safetensors").path
        #expect(error == .safetensors(path: path, lie.fault))
        #expect(error?.description.contains("\n") == false)
    }

    @Test func aLyingLengthIsRefused() throws {
        let folder = try CheckpointFixtures.temporaryFolder()
        let path = folder.appendingPathComponent("x.safetensors").path
        func fault(_ bytes: [UInt8]) throws -> CheckpointError? {
            try CheckpointFixtures.failure(bytes, named: "x.safetensors", in: folder)
        }
        let header = Array("{}".utf8)
        #expect(
            try fault(Self.bytes(header, declared: 3, dataCount: 0))
                == .safetensors(path: path, .headerBeyondFile(declared: 3, available: 2)))
        #expect(
            try fault(Self.bytes(header, declared: -1, dataCount: 0))
                == .safetensors(path: path, .headerTooLong(declared: .max, maximum: 100_000_000)))
        #expect(
            try fault(Self.bytes(header, declared: 100_000_001, dataCount: 0))
                == .safetensors(path: path, .headerTooLong(declared: 100_000_001, maximum: 100_000_000)))
        #expect(try fault([1, 2, 3]) == .safetensors(path: path, .tooShort(bytes: 3)))
        #expect(
            try fault(Self.bytes([0x7b, 0x22, 0xff, 0x22, 0x7d], dataCount: 0)) == .safetensors(path: path, .headerNotUTF8(byte: 2)))
    }

    @Test func truncationAtEveryByteIsRefused() throws {
        let folder = try CheckpointFixtures.temporaryFolder()
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: CheckpointFixtures.path("small.safetensors"))))
        for length in 0..<whole.count {
            let error = try CheckpointFixtures.failure(Array(whole.prefix(length)), named: "x.safetensors", in: folder)
            #expect(error != nil, "\(length) bytes")
        }
        #expect(try CheckpointFixtures.failure(whole, named: "x.safetensors", in: folder) == nil)
    }

    /// Bytes flipped at random places: whatever comes of it, the process lives and refusals are typed.
    @Test func flippedBytesNeverCrash() throws {
        let folder = try CheckpointFixtures.temporaryFolder()
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: CheckpointFixtures.path("small.safetensors"))))
        var random = Philox(seed: 7, name: "flipped safetensors")
        var refused = 0
        for _ in 0..<1500 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if try CheckpointFixtures.failure(bytes, named: "x.safetensors", in: folder) != nil { refused += 1 }
        }
        // Three quarters of the bytes are header, where most changes break a rule.
        #expect(refused > 500)
    }

    @Test func unknownFilesSayWhatTheyAre() throws {
        let folder = try CheckpointFixtures.temporaryFolder()
        func error(_ text: String) throws -> CheckpointError? {
            try CheckpointFixtures.failure(Array(text.utf8), named: "x.bin", in: folder)
        }
        let path = folder.appendingPathComponent("x.bin").path
        #expect(try error("version https://git-lfs.github.com/spec/v1\noid sha256:0\n") == .gitLFSPointer(path: path))
        #expect(try error("<!DOCTYPE html><html>") == .webPage(path: path))
        #expect(try error("hello") == .unknownFormat(path: path, firstBytes: Array("hello".utf8)))
        #expect(try error("") == .unreadable(.empty(path: path)))
        #expect(try error(String(repeating: "\0", count: 257) + "ustar\0") == .legacyTar(path: path))
    }

    @Test func legacyPyTorchFilesSayHowToConvertThem() throws {
        let path = CheckpointFixtures.path("legacy.pth")
        let error = #expect(throws: CheckpointError.self) { try Checkpoint.open(path) }
        #expect(error == .legacyPyTorch(path: path))
        #expect(error?.description.contains("python -c \"import torch; torch.save(torch.load('legacy.pth'") == true)
    }
}
