import ArgumentParser
import Foundation
import VitrineImage
import VitrineReport
import VitrineStore
import VitrineStudy

struct StudyReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Says what the scores are worth: one page, tables, figures.",
        discussion: """
            Writes DIR/report.html (one file that needs no network), verdict.csv (a row per method and question), scores.csv and scores.jsonl (a row per image, model, method, metric and \
            protocol), summary.csv (a row per cell), comparisons.csv (pairs, and methods against controls), tables.tex, figures/, and \
            timings.csv. All but the last depend on the results alone, byte for byte.

            Pictures are read again from the study's data sets; an image that has changed is not shown. Exit code 4 when the study is not finished, 3 when it is and some units failed.
            """)

    @Argument(help: "The results: a .sqlite file, or the study's output folder.")
    var results: String

    @Option(name: [.customLong("output"), .customShort("o")], help: "Folder for the report; made if missing.")
    var output: String

    @Option(
        help: "\(ColorMap.allCases.map(\.rawValue).joined(separator: "|")); the study drew jet, whose lightness misleads.",
        transform: { text in
            guard let map = ColorMap(rawValue: text) else {
                throw ValidationError("'\(text)' is none of \(ColorMap.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return map
        })
    var colormap: ColorMap = .viridis

    @Option(help: "Best, worst and random images of every data set in the gallery; 0 for none.")
    var gallery: Int = 3

    @Option(help: "Bootstrap resamples, sign flips.")
    var resamples: Int = 10_000

    @Option(
        name: .customLong("study-folder"), help: "The folder that paths in the study file start from (default: found from the results).")
    var studyFolder: String?

    @Flag(help: "Also write every stored map as .npy, at its native resolution.")
    var maps = false

    @Option(
        help: "Folder of a trust run on phantoms: marks the metrics that did not beat chance there (default: by the product's own table).",
        completion: .directory)
    var trust: String?

    @Flag(help: "Also print the cards of the verdict: what is shown of every method, question by question.")
    var cards = false

    @Option(help: "Worker threads (default: one per core). Results do not depend on it.")
    var workers: Int = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        if gallery < 0 { throw ValidationError("--gallery must not be negative") }
        if resamples < 100 { throw ValidationError("--resamples must be at least 100") }
        if workers < 1 { throw ValidationError("--workers must be at least 1") }
    }

    func run() throws {
        let store = try Store.open(try storePath(results))
        var report = Report()
        report.resamples = resamples
        report.workers = workers
        report.colorMap = colormap
        report.galleryImages = gallery
        report.writesMaps = maps
        if let trust { report.plantedTruth = try PlantedTruth(folder: trust) }
        let answer = try report.write(store, pictures: StudyPictures(store, folder: studyFolder), to: output)
        print(answer.question)
        print(answer.short)
        for sentence in answer.sentences { print(sentence) }
        if cards { for line in answer.cards { print(line) } }
        complain("report in \(output)/report.html")
        let progress = try store.progress()
        guard progress.isComplete else {
            complain(
                "not finished: \(progress.done) of \(progress.total) units"
                    + (progress.failed > 0 ? ", \(progress.failed) failed" : "") + "; run the study again to continue, then the report")
            throw ExitCode.stopped
        }
        if progress.failed > 0 {
            complain("\(progress.failed) of \(progress.total) units failed; vitrine study status says why")
            throw ExitCode.someItemsFailed
        }
    }
}
