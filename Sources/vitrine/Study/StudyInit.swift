import ArgumentParser
import Foundation
import VitrineStudy
import VitrineTensor

struct StudyInit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Writes a commented study file to begin with.",
        discussion: "Presets:\n" + StudyPreset.all.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n"))

    @Option(
        help: "\(StudyPreset.all.map(\.name).joined(separator: "|"))", completion: .list(StudyPreset.all.map(\.name)))
    var preset: String = "minimal"

    @Option(name: [.customLong("output"), .customShort("o")], help: "The file to write.")
    var output: String = "study.yaml"

    @Flag(help: "Replace the file if it exists.")
    var force = false

    func validate() throws {
        guard StudyPreset.all.contains(where: { $0.name == preset }) else {
            throw ValidationError("there is no preset '\(preset)'; there are \(StudyPreset.all.map(\.name).joined(separator: ", "))")
        }
    }

    func run() throws {
        guard let text = StudyPreset.all.first(where: { $0.name == preset })?.text else { return }
        if FileManager.default.fileExists(atPath: output) && !force {
            throw CommandFailure("\(output) exists; name another file with --output, or replace it with --force")
        }
        try AtomicFile.write(Array(text.utf8), to: output)
        print("\(output) written; edit its paths, then: vitrine study run \(output) --dry-run")
    }
}
