import ArgumentParser
import Foundation
import VitrineData
import VitrineTensor

/// `vitrine data`: what data sets there are, their preparation, and what a file holds.
struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "Lists the data sets, prepares them as the study does, and shows what a DICOM file holds.",
        subcommands: [List.self, Prepare.self, DataShow.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the data sets: their layout, the study's preparation and preprocessing, and their options.")

        func run() throws {
            for type in Datasets.all {
                let information = type.information
                print("\(information.identifier): \(information.title)")
                print("  layout       \(information.layout)")
                if let positive = information.positiveClass { print("  positive     \(positive)") }
                print("  prepare      \(information.preparation ?? "nothing: the files are used as they are")")
                print("  preprocess   \(information.preprocess)")
                print("  source       \(information.citation)")
                Self.show(information.options)
                print()
            }
            print("options of all data sets")
            Self.show(DatasetOptions.common)
        }

        private static func show(_ options: [DatasetOption]) {
            for option in options { print("  \(option.name.padded(18)) \(option.summary) (default: \(option.standard))") }
        }
    }

    struct Prepare: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes a published data set as the study prepares it: sizes, crops, classes.",
            discussion: """
                A file that is there already is kept, so that a preparation that was stopped goes on. A file that cannot be read is \
                named, the rest goes on, and the exit code is 3.
                """)

        @Option(
            help: "\(Datasets.all.filter { $0.information.preparation != nil }.map { $0.information.identifier }.joined(separator: ", ")).")
        var dataset: String

        @Option(help: ArgumentHelp("The data set as it was downloaded.", valueName: "DIR"))
        var input: String

        @Option(
            name: [.customLong("output"), .customShort("o")],
            help: ArgumentHelp("Folder to write to; made if missing.", valueName: "DIR"))
        var output: String

        @Option(
            name: .customLong("option"), parsing: .singleValue,
            help: ArgumentHelp("A setting of the data set, as vitrine data list names them; may be repeated.", valueName: "NAME=VALUE"))
        var options: [String] = []

        @Flag(help: "No progress.")
        var quiet = false

        func run() throws {
            var values: [String: String] = [:]
            for text in options {
                guard let mark = text.firstIndex(of: "=") else { throw ValidationError("--option \(text): write name=value") }
                values[String(text[..<mark])] = String(text[text.index(after: mark)...])
            }
            guard Self.resolved(input) != Self.resolved(output) else {
                throw CommandFailure("\(output): is the data set itself; give another folder to write to")
            }
            let set = try Datasets.open(dataset, path: input, options: values)
            var progress: Progress?
            let result = try set.prepare(to: output) { _, all in
                if progress == nil { progress = Progress(total: all, unit: "files", isQuiet: quiet) }
                progress?.advance()
            }
            for failure in result.failures { complain(failure) }
            print("\(dataset): \(result.written) written, \(result.kept) there already, \(result.failures.count) failed; \(output)")
            if !result.failures.isEmpty { throw ExitCode.someItemsFailed }
        }

        private static func resolved(_ path: String) -> String {
            URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
        }
    }
}
