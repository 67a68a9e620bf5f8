import ArgumentParser
import Foundation
import VitrineData

/// `vitrine phantom`: images whose cause is planted.
struct PhantomCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phantom",
        abstract: "Makes medical-looking images with a planted lesion, its exact mask, and, on request, a shortcut.",
        discussion: """
            Writes DIR/images, DIR/masks, DIR/shortcuts and DIR/labels.csv (image, label, patient, mask, split, shortcut), which every \
            command takes as --data DIR/labels.csv; for the tasks with planted causes, and with --distractor, also DIR/parts/<part> with \
            a mask of everything planted. The same options and seed give the same bytes.

            --without draws the same pictures once more with parts left out: the counterfactual, in which nothing else changes.
            """)

    @Option(help: "What the images imitate: \(PhantomTask.allCases.map(\.rawValue).joined(separator: ", ")).")
    var task: PhantomTask

    @Option(help: "Number of images; half of them show a lesion.")
    var count: Int

    @Option(help: "Seed of every draw.")
    var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp(
            "A tag that goes with the label: letter, scope-box or ruler, present on a positive with probability RATE, on a negative with 1 - RATE.",
            valueName: "TAG:RATE"))
    var shortcut: String?

    @Option(
        help: ArgumentHelp("Share of images, whatever their label, with a look-alike of a lesion that means nothing.", valueName: "RATE"))
    var distractor: Double = 0

    @Option(help: ArgumentHelp("Factor of the lesions' areas, 0.1 to 4 (not for bone).", valueName: "FACTOR"))
    var size: Double = 1

    @Option(help: ArgumentHelp("How much of its difference from the picture without it a lesion keeps, 0 to 1.", valueName: "SHARE"))
    var contrast: Double = 1

    @Option(help: ArgumentHelp("Lesions of each kind, 1 to 4 (for the tasks with planted causes).", valueName: "N"))
    var number: Int = 1

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Leave out: \(PhantomPart.allCases.map(\.rawValue).joined(separator: ", ")). Labels and masks are those of what is left.",
            valueName: "PART"))
    var without: [String] = []

    @Option(
        help: ArgumentHelp("Number of patients that the images are slices of. (default: one per image or matched pair)", valueName: "K"))
    var patients: Int?

    @Flag(help: "Pairs of one patient that differ in the lesion alone: each view once with and once without it.")
    var matched = false

    @Option(help: "Threads; they change no byte.")
    var workers: Int = ProcessInfo.processInfo.activeProcessorCount

    @Option(name: [.customLong("output"), .customShort("o")], help: ArgumentHelp("Folder to write to; made if missing.", valueName: "DIR"))
    var output: String

    func validate() throws {
        guard workers >= 1 else { throw ValidationError("--workers \(workers): ask for at least one") }
    }

    func run() throws {
        let set = try PhantomSet(
            task: task, count: count, seed: seed, patients: patients, shortcut: shortcut.map { try PhantomShortcut(parsing: $0) },
            distractorRate: distractor, isMatched: matched, options: PhantomOptions(size: size, contrast: contrast, number: number))
        let removed = try without.map { text throws(PhantomError) in
            guard let part = PhantomPart(rawValue: text), set.parts.contains(part) else { throw .part(text, task: task) }
            return part
        }
        let s = try set.write(to: output, without: Set(removed), workers: workers)
        func percent(_ x: Double) -> String { String(format: "%.1f", 100 * x) }
        print(
            "\(task.rawValue): \(s.images) images of \(s.patients) patients, \(s.positives) with a lesion of "
                + "\(percent(s.area.min)) / \(percent(s.area.mean)) / \(percent(s.area.max)) % (min / mean / max), "
                + "\(s.shortcuts) with a shortcut, \(s.distractors) with a distractor; \(output)/labels.csv")
    }
}

extension PhantomTask: ExpressibleByArgument {}
