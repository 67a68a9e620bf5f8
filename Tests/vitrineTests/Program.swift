import Foundation
import Synchronization
import Testing

/// The program as a user starts it, in a folder of its own that goes when the test ends.
final class Program: Sendable {
    let folder: String
    private static let isBuilt = FileManager.default.isExecutableFile(atPath: path)

    /// The program stands beside the tests.
    static let path: String = {
        let arguments = CommandLine.arguments
        let bundle = arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] } ?? arguments[0]
        var folder = URL(filePath: bundle).deletingLastPathComponent()
        while folder.pathComponents.count > 1 {
            let candidate = folder.appending(path: "vitrine").path
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
            folder.deleteLastPathComponent()
        }
        return "vitrine"
    }()

    init() throws {
        folder = NSTemporaryDirectory() + "vitrine-command-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try #require(Self.isBuilt, "the program is not where the tests are: \(Self.path)")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func file(_ name: String) -> String { folder + "/" + name }

    func write(_ text: String, to name: String) throws {
        let url = URL(filePath: file(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: file(name)) ?? Data(), as: UTF8.self)
    }

    struct Result {
        var code: Int32
        var output: String
        var errors: String
    }

    /// Runs the program, or a shell line with the program as `$V`, in the folder.
    func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Result {
        try run(Self.path, arguments, environment)
    }

    func shell(_ line: String) throws -> Result { try run("/bin/bash", ["-c", line], ["V": Self.path]) }

    private func run(_ program: String, _ arguments: [String], _ environment: [String: String]) throws -> Result {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Files and not pipes: nothing waits for a reader.
        let names = ["out", "err"].map { file(".\($0)-\(UUID().uuidString)") }
        for name in names { _ = FileManager.default.createFile(atPath: name, contents: nil) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: names[0])
        process.standardError = FileHandle(forWritingAtPath: names[1])
        try process.run()
        process.waitUntilExit()
        let texts = names.map { String(decoding: FileManager.default.contents(atPath: $0) ?? Data(), as: UTF8.self) }
        for name in names { try? FileManager.default.removeItem(atPath: name) }
        let code = process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus
        return Result(code: code, output: texts[0], errors: texts[1])
    }
}
