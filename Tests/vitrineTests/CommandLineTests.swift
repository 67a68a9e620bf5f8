import ArgumentParser
import Foundation
import Testing
import VitrineImage

@testable import vitrine

/// Each wrong command line against the sentence that the user sees: one line, the remedy in it, the right exit code.
@Suite struct CommandLineTests {
    static let wrong: [(arguments: [String], status: Int32, begin: String)] = [
        (["inspct", "x"], 64, "Error: no command 'inspct'; did you mean inspect? The commands are inspect, methods, explain, evaluate"),
        (["study", "rnu", "x"], 64, "Error: no command 'rnu'; did you mean run? The commands are "),
        (["zzz"], 64, "Error: no command 'zzz'. The commands are "),
        (
            ["explain", "--model", "m", "--image", "i", "--methods", "attention", "-o", "o"], 64,
            "Error: explain has no option '--methods'; did you mean --method?"
        ),
        (
            ["evaluate", "--map", "a", "--masks", "b", "--metric", "auroc", "-o", "c"], 64,
            "Error: evaluate has no option '--map'; did you mean --maps?"
        ),
        (
            ["explain", "--model", "m", "--image", "i", "--method", "attention", "--target", "-1", "-o", "o"], 64,
            "Error: --target -1: class indices start at 0"
        ),
        (
            ["explain", "--model", "m", "--image", "i", "--method", "attention", "--alpha", "2", "-o", "o"], 64,
            "Error: --alpha must lie between 0 and 1"
        ),
        (
            ["explain", "--model", "m", "--image", "i", "--method", "gradcm", "-o", "o"], 1,
            "Error: no method 'gradcm'; did you mean gradcam, "
        ),
        (
            ["explain", "--model", "m", "--image", "i", "--method", "grad-cam", "-o", "o"], 1,
            "Error: no method 'grad-cam'; did you mean gradcam, "
        ),
        (
            ["explain", "--model", "m", "--image", "i", "--method", "attention", "--preprocess", "resiz", "-o", "o"], 1,
            "Error: preprocessing 'resiz': 'resiz' is none of"
        ),
        (
            ["explain", "--model", "m", "--image", "nowhere", "--method", "attention", "-o", "o"], 1,
            "Error: nowhere: there is no such file"
        ),
        (["explain", "--model", "m", "--image", "empty", "--method", "attention", "-o", "o"], 1, "Error: empty: holds no image (PNG"),
        (
            ["explain", "--model", "m", "--image", "a*.png", "--method", "attention", "-o", "o"], 1,
            "Error: a*.png: no file matches this pattern"
        ),
        (
            ["explain", "--model", "m", "--image", "img", "--method", "attention", "-o", "img"], 1,
            "Error: img: holds the images; write the maps to another folder"
        ),
        (
            ["explain", "--model", "m", "--image", "img", "--method", "attention", "-o", "file"], 1,
            "Error: file: is a file; choose a folder for the results"
        ),
        (
            ["explain", "--model", "m", "--image", "img", "--method", "attention", "-o", "/proc/x"], 1,
            "Error: /proc/x: cannot be made a folder (No such file or directory)"
        ),
        (
            ["explain", "--model", "MODEL", "--image", "img", "--method", "attention", "--target", "3", "-o", "o"], 1,
            "Error: --target 3: the model has classes 0...2"
        ),
        (
            ["explain", "--model", "MODEL", "--image", "img", "--method", "attention", "--target", "lesion", "-o", "o"], 1,
            "Error: --target lesion: is neither 'predicted' nor a class"
        ),
        (
            ["explain", "--model", "MODEL", "--image", "img", "--method", "attention", "--preprocess", "resize:42", "-o", "o"], 1,
            "Error: --preprocess resize:42:imagenet: 42 pixels are no multiple of the model's patch of 8; take 40 or 48"
        ),
        (
            ["explain", "--model", "MODEL", "--image", "img", "--method", "attention:block=99", "-o", "o"], 1,
            "Error: --method attention:block=99: block 99, but the model has blocks 0...1"
        ),
        (
            ["explain", "--model", "MODEL", "--image", "img", "--method", "legrad:layers=99", "-o", "o"], 1,
            "Error: --method legrad:layers=99: the last 99 blocks, but the model has 2"
        ),
        (
            ["explain", "--model", "MODEL", "--image", "img", "--method", "reciprocam:blocks=9", "-o", "o"], 1,
            "Error: --method reciprocam:blocks=9: the last 9 blocks, but the model has 2"
        ),
        (
            ["explain", "--model", "m", "--image", "i", "--method", "rise:p=2", "-o", "o"], 1,
            "Error: method 'rise': option p cannot be '2'; it takes a number above 0 and below 1"
        ),
        (
            ["explain", "--model", "m", "--image", "i", "--method", "legrad:pool=max", "-o", "o"], 1,
            "Error: method 'legrad': option pool cannot be 'max'; it takes mean, readout"
        ),
        (
            ["explain", "--model", "m", "--image", "i", "--method", "mask-prior", "-o", "o"], 1,
            "Error: --method mask-prior: looks at the masks of a whole data set, so it runs in a study alone"
        ),
        (
            ["evaluate", "--maps", "img", "--masks", "img", "--metric", "iou", "-o", "c"], 1,
            "Error: metric 'iou' needs a percentage of the image: write for example iou@10"
        ),
        (
            ["evaluate", "--maps", "img", "--masks", "img", "--metric", "averageprecision", "-o", "c"], 1,
            "Error: unknown metric 'averageprecision'; did you mean average-precision"
        ),
        (
            ["evaluate", "--maps", "nowhere", "--masks", "img", "--metric", "auroc", "-o", "c"], 1,
            "Error: nowhere: there is no such folder of maps"
        ),
        (["evaluate", "--maps", "img", "--masks", "img", "--metric", "auroc", "-o", "c"], 1, "Error: img: holds no map"),
        (
            ["evaluate", "--maps", "img", "--masks", "img", "--metric", "auroc", "-o", "no/c.csv"], 1,
            "Error: no/c.csv: there is no folder no to write it to"
        ),
        (["audit-masks", "nowhere"], 1, "Error: nowhere: there is no such folder"),
        (["audit-masks", "file"], 1, "Error: file: is a file; name the folder of the masks"),
        (["audit-masks", "empty"], 1, "Error: empty: holds no readable mask image"),
        (["figure", "--results", "img", "-o", "f.jpg"], 64, "Error: --output f.jpg: a figure ends in .svg, .pdf or .png"),
        (
            ["figure", "--results", "img", "-o", "f.png"], 1,
            "Error: img/results.jsonl: cannot be read; name a folder that vitrine explain wrote"
        ),
        (["figure", "--results", "img", "--rows", "0", "-o", "f.png"], 64, "Error: --rows and --columns must be at least 1"),
        (["inspect", "nowhere"], 1, "Error: nowhere"),
    ]

    @Test(arguments: wrong.indices) func wrongCommandLine(_ index: Int) throws {
        let (arguments, status, begin) = Self.wrong[index]
        let scratch = try Scratch()
        try scratch.image("img/a.png")
        try scratch.makeFolder("empty")
        try scratch.write("x", to: "file")
        let isReal = arguments.contains("MODEL")
        let result = try CommandRun.run(
            arguments.map { $0 == "MODEL" ? CommandRun.model : $0 } + (isReal ? ["--heads", "4"] : []), in: scratch.path)
        let lines = result.errorLines.filter { !$0.hasPrefix("note: ") && !$0.contains(": assumed, since the file does not say: ") }
        #expect(result.status == status, "\(arguments): \(result.errors)")
        #expect(lines.first?.hasPrefix(begin) == true, "\(arguments): \(result.errors)")
        // A wrong command line (64) is followed by the usage; everything else is one line.
        #expect(status == 64 || lines.count == 1, "\(result.errors)")
        for raw in ["NSCocoaErrorDomain", "NSPOSIXErrorDomain", "UserInfo", "Fatal error", "Optional("] {
            #expect(!result.errors.contains(raw))
        }
    }

    @Test func patternsMatchAsAShellDoes() {
        func matches(_ name: String, _ pattern: String) -> Bool { FileCollection.matches(Array(name), Array(pattern)) }
        #expect(matches("a.png", "*.png") && matches("a.png", "?.png") && matches("a.png", "a*") && matches("", "*"))
        #expect(!matches("ab.png", "?.png") && !matches("a.png", "*.jpg") && !matches("a", "") && matches("a.b.png", "*.*.png"))
    }

    /// Foundation's traps for a path of one character.
    @Test(arguments: [
        ("a", "", "a", "", "a"), ("a.png", "", "a.png", "png", "a"), ("/a", "/", "a", "", "/a"),
        ("x/a.b.png", "x", "a.b.png", "png", "x/a.b"),
        ("x//a/", "x", "a", "", "x//a/"), ("", "", "", "", ""), ("/", "", "/", "", "/"), (".x", "", ".x", "", ".x"),
        ("a.b/c", "a.b", "c", "", "a.b/c"),
    ])
    func partsOfPaths(_ path: String, _ folder: String, _ name: String, _ ending: String, _ rest: String) {
        #expect(PathText.name(path) == name && PathText.ending(path) == ending && PathText.withoutEnding(path) == rest)
        #expect(PathText.folder(path) == folder || path == "/")
    }

    @Test func everyHelpPageEndsWithExamples() throws {
        func names(_ command: any ParsableCommand.Type, _ path: [String]) -> [[String]] {
            [path] + command.configuration.subcommands.flatMap { names($0, path + [$0._commandName]) }
        }
        let all = names(Vitrine.self, [])
        #expect(all.count > 15)
        for path in all {
            let page = try CommandRun.run(path + ["--help"], in: NSTemporaryDirectory()).output
            #expect(page.contains("\nEXAMPLES:\n  vitrine "), "\(path)")
        }
    }

    /// An example that a reader copies has to be understood.
    @Test(arguments: HelpText.examples.keys.sorted()) func examplesParse(_ command: String) throws {
        let text = (HelpText.examples[command] ?? []).joined(separator: "\n").replacing("\\\n", with: " ")
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            #expect(words.first == "vitrine")
            #expect(throws: Never.self, "\(line)") { _ = try Vitrine.parseAsRoot(Array(words.dropFirst())) }
        }
    }

    /// A reason that many methods share is said once.
    @Test func methodsLeftOutAreNamedOnce() {
        let lines = Words.leftOut(
            ["gradcam", "chefer"].map { ($0, "method '\($0)' needs a class, but there is none") } + [("alti", "alti is not defined")])
        #expect(
            lines == [
                "note: 2 methods are left out: each needs a class, but there is none: gradcam, chefer",
                "note: method 'alti' is left out: alti is not defined",
            ])
    }

    /// The control that only a study knows stands in the list of controls.
    @Test func methodsListMaskPrior() throws {
        let page = try CommandRun.run(["methods", "--family", "control"], in: NSTemporaryDirectory()).output
        #expect(page.contains("  mask-prior") && page.contains("in studies alone"))
    }

    /// There is no progress to tell of where every image was refused.
    @Test func noProgressBeforeARefusal() throws {
        let scratch = try Scratch()
        try scratch.write("x", to: "a.png")
        let result = try CommandRun.explain(["a.png"], methods: ["attention"], in: scratch)
        #expect(result.status != 0 && result.errors.contains("a.png") && !result.errors.contains("1/1 images"), "\(result.errors)")
    }

    @Test func completionKnowsMethodsMetricsAndRecipes() throws {
        let script = try CommandRun.run(["--generate-completion-script", "bash"], in: NSTemporaryDirectory()).output
        for word in ["chefer-stable", "average-precision", "gradcam-eigen", "kvasir-sup", "minimal"] { #expect(script.contains(word)) }
    }
}
