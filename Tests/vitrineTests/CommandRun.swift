import Foundation
import VitrineImage
import VitrineModel
import VitrineTensor

/// The built program, run as a user runs it.
struct CommandRun {
    struct Result {
        var status: Int32
        var output: String
        var errors: String
        var errorLines: [String] { errors.split(separator: "\n").map(String.init) }
    }

    /// A vision transformer of 40 x 40 pixels, patch 8, two blocks of four heads, three classes.
    static let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/zoo/timm-float32.safetensors").path

    static func start(_ arguments: [String], in folder: String) throws -> (process: Process, output: FileHandle, errors: FileHandle) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Program.path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        let names = ["stdout", "stderr"].map { folder + "/.\($0)-\(UInt32.random(in: 0 ... .max))" }
        for name in names { _ = FileManager.default.createFile(atPath: name, contents: nil) }
        let handles = names.map { FileHandle(forUpdatingAtPath: $0)! }
        process.standardOutput = handles[0]
        process.standardError = handles[1]
        try process.run()
        return (process, handles[0], handles[1])
    }

    static func finish(_ started: (process: Process, output: FileHandle, errors: FileHandle)) throws -> Result {
        started.process.waitUntilExit()
        func text(_ handle: FileHandle) throws -> String {
            try handle.seek(toOffset: 0)
            return String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
        }
        return Result(status: started.process.terminationStatus, output: try text(started.output), errors: try text(started.errors))
    }

    static func run(_ arguments: [String], in folder: String) throws -> Result { try finish(start(arguments, in: folder)) }

    /// `vitrine explain` of images in the scratch folder into `maps`.
    static func explain(_ images: [String], methods: [String] = ["attention", "centre"], _ more: [String] = [], in scratch: Scratch) throws
        -> Result
    {
        try run(
            ["explain", "--model", model, "--heads", "4", "--image"] + images + ["--method"] + methods + ["-o", "maps"] + more,
            in: scratch.path)
    }
}

/// A folder that goes when the test ends.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("vitrine-cli-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }
    func text(_ name: String) -> String {
        FileManager.default.contents(atPath: file(name)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
    func bytes(_ name: String) -> Data? { FileManager.default.contents(atPath: file(name)) }
    func lines(_ name: String) -> [String] { text(name).split(separator: "\n").map(String.init) }

    func write(_ text: String, to name: String) throws {
        try makeFolder((name as NSString).deletingLastPathComponent)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
    }

    /// Noise that the name decides.
    func image(_ name: String, width: Int = 40, height: Int = 40) throws {
        try makeFolder((name as NSString).deletingLastPathComponent)
        var random = Philox(seed: 5, name: name)
        var image = Image(width: width, height: height, channels: 3)
        for i in image.pixels.indices { image.pixels[i] = UInt8(random.below(256)) }
        try image.write(png: file(name))
    }

    /// A mask with one rectangle.
    func mask(_ name: String, _ rectangle: PixelRectangle, width: Int = 40, height: Int = 40) throws {
        try makeFolder((name as NSString).deletingLastPathComponent)
        let mask = rectangle.mask(width: width, height: height)
        try Image(width: width, height: height, channels: 1, pixels: mask.bits.map { $0 ? 255 : 0 }).write(png: file(name))
    }

    /// The model with the first logit alone.
    func oneLogitModel(_ name: String) throws {
        let file = try Checkpoint.open(CommandRun.model)
        var tensors: [String: Tensor] = [:]
        for name in file.names { tensors[name] = try file.tensor(named: name) }
        let weight = tensors["head.weight"]!
        tensors["head.weight"] = Tensor([1, weight.shape[1]], Array(weight.values[0..<weight.shape[1]]))
        tensors["head.bias"] = Tensor([1], [tensors["head.bias"]!.values[0]])
        try Safetensors.write(tensors, to: self.file(name))
    }

    /// The model with a weight of the head that is not a number.
    func brokenModel(_ name: String) throws {
        var bytes = [UInt8](FileManager.default.contents(atPath: CommandRun.model)!)
        let length = bytes[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as! [String: Any]
        let begin = ((header["head.weight"] as! [String: Any])["data_offsets"] as! [Int])[0]
        bytes.replaceSubrange(8 + length + begin..<8 + length + begin + 4, with: [0, 0, 0xC0, 0x7F])
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
    }
}
