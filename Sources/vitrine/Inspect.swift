import ArgumentParser
import Foundation
import VitrineData
import VitrineExplain
import VitrineModel
import VitrineTensor

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says what a checkpoint is: family, every fact with where it comes from, preprocessing, unused tensors, methods, SHA-256."
    )

    @Argument(help: "safetensors, .pth, .pt or .bin")
    var checkpoint: String

    @Flag(help: "One JSON object instead of lines.")
    var json = false

    @OptionGroup var options: ModelOptions

    func run() throws {
        let (loaded, file) = try options.load(checkpoint)
        let description = try Description(loaded, sha256: file.sha256(), preset: options.preset)
        print(json ? try description.json() : description.lines)
    }

    private struct Description: Encodable {
        /// A fact and where it comes from.
        struct Fact: Encodable {
            var name: String
            var value: String
            var source: String
            /// The flag that gives it; absent where none does.
            var flag: String?
        }

        struct Preparation: Encodable {
            var text: String
            var source: String
            /// Why nothing can be said; absent where it can.
            var problem: String?
        }

        struct Methods: Encodable {
            var canRun: [String]
            /// By name, why not.
            var cannot: [String: String]
        }

        var path: String
        var family: String
        var group: String
        var prefix: String
        var configuration: ViTConfiguration
        var parameters: Int
        var elementTypes: [String: Int]
        var unusedKeys: [String: String]
        var missingKeys: [String]
        var notes: [String]
        var facts: [String: String]
        var table: [Fact]
        var preprocessing: Preparation
        var methods: Methods
        var classNames: [String]
        var files: [String: String]
        var sha256: String

        init(_ loaded: LoadedModel, sha256: String, preset: String?) throws {
            let report = loaded.report
            path = report.path
            family = report.family.rawValue
            group = report.group
            prefix = report.prefix
            configuration = loaded.model.configuration
            parameters = report.parameterCount
            elementTypes = report.elementTypes
            unusedKeys = Dictionary(report.unusedKeys.map { ($0.key, $0.reason) }) { first, _ in first }
            // A checkpoint with missing keys does not load; its error lists them.
            missingKeys = []
            notes = report.notes
            facts = Dictionary(report.facts.map { ($0.name, "\($0.value): \($0.source)") }) { first, _ in first }
            classNames = report.classNames
            files = report.files
            self.sha256 = sha256
            table = Self.table(loaded)
            preprocessing = try Self.preparation(loaded, preset: preset)
            let (methods, leftOut) = try ConfiguredMethod.expanded(["all"], for: loaded.model.configuration)
            self.methods = Methods(
                canRun: methods.map(\.name),
                // The same reason for many methods, without their names.
                cannot: Dictionary(leftOut.map { ($0.name, $0.reason.replacing("method '\($0.name)' ", with: "")) }) { first, _ in first })
        }

        /// What the loader knew with its sources, and what names and shapes of the tensors show besides.
        private static func table(_ loaded: LoadedModel) -> [Fact] {
            let (c, report) = (loaded.model.configuration, loaded.report)
            let isStored = report.facts.contains { $0.origin == .stored }
            var rows: [Fact] = []
            func shown(_ name: String, _ value: String) {
                rows.append(Fact(name: name, value: value, source: isStored ? "stored by Vitrine" : "tensors"))
            }
            shown("family", report.family.rawValue)
            for fact in report.facts {
                rows.append(Fact(name: fact.name, value: fact.value, source: fact.source, flag: fact.setting.map { "--\($0.rawValue)" }))
            }
            func missing(_ name: String) -> Bool { !report.facts.contains { $0.name == name } }
            let hidden = c.mlp == .swiGLU ? "gate and value of \(c.hidden)" : "\(c.hidden)"
            shown("hidden width of the MLP", hidden)
            shown("patch", "\(c.patchSize) pixels, \(c.channels) channels")
            var prefixTokens: [String] = []
            if c.hasClassToken { prefixTokens.append("class token") }
            if c.hasDistillationToken { prefixTokens.append("distillation token") }
            if c.registers > 0 { prefixTokens.append("\(c.registers) registers") }
            shown("tokens before the patches", prefixTokens.isEmpty ? "none" : prefixTokens.joined(separator: ", "))
            if missing("position grid") { shown("learnt positions", c.hasPositionEmbedding ? "\(c.positionGrid)" : "none") }
            if missing("last norm") { shown("last norm", c.normPlacement == .afterPooling ? "behind the pool" : "before the pool") }
            shown("layer scale", c.hasLayerScale ? "yes" : "no")
            let more = [
                c.hasRelativePositions ? "relative positions" : nil, c.hasQueryKeyNorm ? "norm on queries and keys" : nil,
                c.hasContextNorm ? "norm on the context" : nil, c.hasHiddenNorm ? "norm in the MLP" : nil,
                c.hasKeyBias ? nil : "keys without bias", c.hasInputNorm ? "a norm before block 0" : nil,
            ].compactMap(\.self)
            if !more.isEmpty { shown("besides", more.joined(separator: ", ")) }
            if c.projectionWidth > 0 || c.hasUnitFeatures {
                shown("features", "\(c.featureWidth) values" + (c.hasUnitFeatures ? " of length 1" : ""))
            }
            shown("classes", c.classes == 0 ? "none: a backbone without a head" : "\(c.classes)")
            return rows
        }

        /// How images are prepared for the model where nobody says otherwise.
        private static func preparation(_ loaded: LoadedModel, preset: String?) throws -> Preparation {
            let choice: ChosenPreprocess
            do {
                choice = try ChosenPreprocess(for: loaded, given: nil, preset: preset)
            } catch {
                if preset != nil { throw error }
                return Preparation(text: "", source: "", problem: "\(error)")
            }
            return Preparation(text: choice.preprocess.description, source: choice.source.description)
        }

        func json() throws -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }

        var lines: String {
            var head: [(String, String)] = [
                ("file", path), ("sha-256", sha256),
                ("tensors", elementTypes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")),
                ("parameters", "\(parameters)"),
            ]
            if !group.isEmpty { head.append(("dictionary", group)) }
            if !prefix.isEmpty { head.append(("prefix of names", prefix)) }
            head += files.sorted { $0.key < $1.key }.map { ("also read", "\($0.key) (sha-256 \($0.value))") }
            var text = Self.columns(head.map { [$0.0, $0.1] }) + "\n\n"
            text += Self.columns([["fact", "value", "from", "changed by"]] + table.map { [$0.name, $0.value, $0.source, $0.flag ?? ""] })
            if !classNames.isEmpty {
                text += "\nnames of the classes: " + classNames.prefix(20).joined(separator: ", ") + (classNames.count > 20 ? ", ..." : "")
            }
            text += "\n\npreprocessing  "
            if let problem = preprocessing.problem {
                text += problem + " (--preprocess of the command)"
            } else {
                text += "\(preprocessing.text) (\(preprocessing.source))"
            }
            text += "\nmissing        nothing"
            text += "\nunused         "
            let unused = unusedKeys.sorted { $0.key < $1.key }
            text += unused.isEmpty ? "nothing" : unused.map { "\($0.key) (\($0.value))" }.joined(separator: "\n               ")
            text += "\nmethods        \(methods.canRun.count) of \(methods.canRun.count + methods.cannot.count) can run: "
            text += methods.canRun.joined(separator: " ")
            for (reason, names) in Dictionary(grouping: methods.cannot.keys.sorted(), by: { methods.cannot[$0]! }).sorted(by: {
                $0.key < $1.key
            }) {
                text += "\n               not \(names.joined(separator: " ")): \(reason)"
            }
            return text
        }

        /// Rows of equal columns, the last as long as it is.
        private static func columns(_ rows: [[String]]) -> String {
            let count = rows.map(\.count).max() ?? 0
            let widths = (0..<count).map { i in rows.compactMap { i < $0.count ? $0[i].count : nil }.max() ?? 0 }
            return rows.map { row in
                let line = row.enumerated().map { i, cell in
                    i == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[i] - cell.count + 2)
                }.joined()
                return String(line.reversed().drop { $0 == " " }.reversed())
            }.joined(separator: "\n")
        }
    }
}
