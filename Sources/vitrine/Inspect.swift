import ArgumentParser
import Foundation
import VitrineModel
import VitrineTensor

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says what a checkpoint is: family, architecture, parameters, classes, unused and missing keys, SHA-256.")

    @Argument(help: "safetensors, .pth, .pt or .bin")
    var checkpoint: String

    @Flag(help: "One JSON object instead of lines.")
    var json = false

    @OptionGroup var options: ModelOptions

    func run() throws {
        let (loaded, sha256) = try options.load(checkpoint)
        let description = Description(loaded, sha256: sha256)
        print(json ? try description.json() : description.lines)
    }

    private struct Description: Encodable {
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
        var classNames: [String]
        var sha256: String

        init(_ loaded: LoadedModel, sha256: String) {
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
            self.sha256 = sha256
        }

        func json() throws -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }

        var lines: String {
            let c = configuration
            var prefixTokens: [String] = []
            if c.hasClassToken { prefixTokens.append("class token") }
            if c.hasDistillationToken { prefixTokens.append("distillation token") }
            if c.registers > 0 { prefixTokens.append("\(c.registers) registers") }
            let mlp =
                switch c.mlp {
                case .activation(let kind): "\(kind.rawValue), hidden width \(c.hidden)"
                case .swiGLU: "SwiGLU, hidden width \(c.hidden)"
                }
            var rows: [(String, String)] = [
                ("file", path), ("sha-256", sha256), ("family", family),
                ("tensors", elementTypes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")),
                ("parameters", "\(parameters)"),
                ("blocks", "\(c.depth), width \(c.width), \(c.heads) heads"),
                ("mlp", mlp),
                (
                    "patch",
                    "\(c.patchSize) pixels, "
                        + (c.hasPositionEmbedding
                            ? "position grid \(c.positionGrid), resampled \(c.positionResampling.rawValue)" : "no learnt positions")
                ),
                ("prefix", prefixTokens.isEmpty ? "none" : prefixTokens.joined(separator: ", ")),
                ("pooling", "\(c.pooling.rawValue), norm \(c.normPlacement.rawValue), epsilon \(c.normEpsilon)"),
                ("layer scale", c.hasLayerScale ? "yes" : "no"),
                (
                    "classes",
                    c.classes == 0
                        ? "none: a backbone without a head"
                        : "\(c.classes)" + (classNames.isEmpty ? "" : ": " + classNames.prefix(20).joined(separator: ", "))
                ),
            ]
            let more = [
                c.rotary == nil ? nil : "rotary positions", c.hasRelativePositions ? "relative positions" : nil,
                c.hasQueryKeyNorm ? "norm on queries and keys" : nil, c.hasContextNorm ? "norm on the context" : nil,
                c.hasHiddenNorm ? "norm in the MLP" : nil, c.hasKeyBias ? nil : "keys without bias",
            ].compactMap { $0 }
            if !more.isEmpty { rows.append(("attention", more.joined(separator: ", "))) }
            if c.hasInputNorm { rows.append(("before block 0", "a LayerNorm")) }
            if c.projectionWidth > 0 || c.hasUnitFeatures {
                rows.append(("features", "\(c.featureWidth) values" + (c.hasUnitFeatures ? " of length 1" : "")))
            }
            if !group.isEmpty { rows.append(("chosen", "dictionary \(group)")) }
            if !prefix.isEmpty { rows.append(("prefix of names", prefix)) }
            rows += unusedKeys.sorted { $0.key < $1.key }.map { ("unused", "\($0.key) (\($0.value))") }
            rows += facts.sorted { $0.key < $1.key }.map { ("known", "\($0.key) \($0.value)") }
            let width = rows.map(\.0.count).max()!
            return rows.map { $0.0.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.1 }.joined(separator: "\n")
        }
    }
}
