import Foundation
import Synchronization
import Testing
import VitrineImage
import VitrineTensor

/// Every command with every kind of path that cannot be what it needs: one line that says what is wrong and what to do, and an exit code.
@Suite("Wrong command lines and files")
struct WrongCommandLineTests {
    /// Paths that cannot be read as what they are asked to be.
    private static let inputs = [
        "missing", "", "empty", "junk", "folder", "loop", "missing/below", "junk/below", "/dev/null", "long", "two\nlines\u{1B}[31m",
    ]
    /// Paths that cannot be written to, or be made a folder.
    private static let outputs = [
        "junk", "junk/below", "/proc/x", "loop/below", "long", "/dev/null/x",
    ]

    private static func commands(_ path: String) -> [[String]] {
        [
            ["inspect", path], ["audit-masks", path], ["data", "show", path], ["study", "run", path], ["study", "train", path],
            ["study", "status", path], ["study", "report", path, "-o", "report"], ["study", "merge", path, "-o", "m"],
            ["study", "merge", "--study", path], ["study", "slurm", path], ["figure", "--results", path, "-o", "f.png"],
            ["evaluate", "--maps", path, "--masks", "images", "--metric", "iou@20", "-o", "e.csv"],
            ["explain", "--model", path, "--image", "images", "--method", "attention", "-o", "maps"],
            ["train", "--data", path, "-o", "t"],
        ]
    }

    private static func writers(_ path: String) -> [[String]] {
        [
            ["phantom", "--task", "colon", "--count", "2", "--output", path + "/o"], ["study", "init", "-o", path + "/o.yaml"],
            [
                "train", "--data", "labels.csv", "--model", "patch=8,width=8,depth=1,heads=1", "--image-size", "16", "--epochs", "1", "-o",
                path,
            ],
        ]
    }

    /// Everything that is wrong by its options.
    private static let options: [[String]] = [
        ["nonsense"], ["--nonsense"], ["explain"], ["study", "nonsense"], ["inspect"], ["data", "show"], ["train"],
        ["train", "--data", "labels.csv", "-o", "t", "--workers", "0"], ["train", "--data", "labels.csv", "-o", "t", "--recipe", "none"],
        ["train", "--data", "labels.csv", "-o", "t", "--set", "colour=red"], ["train", "--data", "labels.csv", "-o", "t", "--set", "x"],
        ["train", "--data", "labels.csv", "-o", "t", "--model", "patch=0,width=8,depth=1,heads=1"],
        ["train", "--data", "labels.csv", "-o", "t", "--config", "junk"], ["train", "--data", "images", "-o", "t"],
        ["train", "--data", "labels.csv", "-o", "t", "--init", "junk"],
        ["train", "--data", "labels.csv", "-o", "t", "--checkpoint-minutes", "0"],
        ["train", "--data", "labels.csv", "-o", "t", "--image-size", "17", "--model", "patch=8,width=8,depth=1,heads=1"],
        ["phantom", "--task", "none", "--count", "2", "--output", "p"],
        ["phantom", "--task", "colon", "--count", "0", "--output", "p"],
        ["study", "init", "--preset", "none"], ["study", "init", "-o", "junk"], ["study", "run", "study.yaml", "--shard", "3/2"],
        ["study", "run", "study.yaml", "--workers", "0"], ["study", "run", "study.yaml", "seed=x", "nothing=1"],
        ["study", "merge", "results.sqlite"], ["study", "merge"], ["study", "slurm", "study.yaml", "--time", "2"],
        ["study", "slurm", "study.yaml", "--time", "soon"], ["study", "slurm", "study.yaml", "--shards", "0"],
        ["study", "report", "junk", "-o", "r", "--resamples", "1"],
        ["evaluate", "--maps", "images", "--masks", "images", "--metric", "none", "-o", "e"],
        ["data", "prepare", "--dataset", "none", "--input", "images", "--output", "p"],
        ["figure", "--results", "images", "--rows", "0", "-o", "f"],
    ]

    @Test("each is answered in one line that names the remedy; no number of Foundation, no crash (case 17)")
    func oneLineEach() throws {
        let program = try Program()
        try program.write("", to: "empty")
        try program.write("{\"a\": [1, 2\n<html>\u{0}\u{FF}", to: "junk")
        try program.write("image,label\nimages/0.png,0\nimages/1.png,1\nimages/2.png,0\nimages/3.png,1\n", to: "labels.csv")
        try program.write(
            "title: x\nmethods: [centre]\nmetrics: [iou@20]\ndatasets:\n  d: {kind: csv, path: labels.csv}\n", to: "study.yaml")
        for i in 0..<4 {
            try FileManager.default.createDirectory(atPath: program.file("images"), withIntermediateDirectories: true)
            try Image(width: 16, height: 16, channels: 3).write(png: program.file("images/\(i).png"))
        }
        try FileManager.default.createDirectory(atPath: program.file("folder"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: program.file("loop"), withDestinationPath: "loop")
        let long = String(repeating: "n", count: 300)
        var lines = Self.options
        for path in Self.inputs { lines += Self.commands(path == "long" ? long : path) }
        for path in Self.outputs { lines += Self.writers(path == "long" ? long : path) }
        #expect(lines.count > 150)
        let wrong = lines
        let complaints = Mutex<[Int: String]>([:])
        try parallelFor(wrong.count, workers: 2) { _, i in
            let result = try program.run(wrong[i])
            if let complaint = Self.complaint(result) { complaints.withLock { $0[i] = complaint } }
        }
        for (i, complaint) in complaints.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            Issue.record("vitrine \(wrong[i].map { $0.debugDescription }.joined(separator: " ")): \(complaint)")
        }
    }

    /// What is wrong with the answer to a wrong command line; nil when nothing is.
    private static func complaint(_ result: Program.Result) -> String? {
        guard [1, 3, 64].contains(result.code) else { return "exit code \(result.code): \(result.errors.prefix(300))" }
        for raw in [
            "NSCocoaErrorDomain", "Error Domain", "UserInfo", "Fatal error", "CocoaError", "DecodingError", "NSError", "error 0x",
            "Optional(",
        ]
        where result.errors.contains(raw) || result.output.contains(raw) { return "raw text '\(raw)': \(result.errors.prefix(300))" }
        let control = (result.errors + result.output).unicodeScalars.first {
            $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t"
        }
        if let control { return "control character U+\(String(control.value, radix: 16)) reaches the terminal" }
        let lines = result.errors.split(separator: "\n").filter { line in !["Usage:", "  See ", "Help:"].contains { line.hasPrefix($0) } }
        guard let first = lines.first(where: { $0.hasPrefix("Error: ") }) ?? lines.first else { return "no word on standard error" }
        // A study file has a line for each mistake, a run one for each image; else one line is all.
        if result.code == 1 && lines.count > 1 && !lines.dropFirst().allSatisfy({ $0.contains(": ") }) {
            return "\(lines.count) lines: \(result.errors.prefix(300))"
        }
        return first.count < 12 ? "too short to help: \(first)" : nil
    }

    @Test("a name with control characters stays one line, on both streams")
    func controlCharacters() throws {
        let program = try Program()
        let name = "a\nb\u{1B}[2J\u{202E}.yaml"
        let first = try program.run(["study", "init", "-o", name])
        #expect(first.code == 0 && first.output.contains("\\u{1b}[2J\\u{202e}.yaml"))
        #expect(!first.output.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
        let again = try program.run(["study", "init", "-o", name])
        #expect(again.code == 1)
        #expect(again.errors.split(separator: "\n").count == 1 && !again.errors.unicodeScalars.contains("\u{1B}"))
    }
}
