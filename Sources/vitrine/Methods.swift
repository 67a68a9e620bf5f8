import ArgumentParser
import Foundation
import VitrineExplain
import VitrineModel
import VitrineStudy
import VitrineTensor

struct Methods: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists the explanation methods: names, families, options, cost, sources.",
        discussion: """
            Passes are those of one 224 x 224 image through a ViT-B/16: one that all methods of a run share, and what a method asks beyond it; \
            shortened passes count by their share of the tokens.
            """)

    @Option(help: "One family: \(MethodFamily.allCases.map(\.rawValue).joined(separator: ", ")).")
    var family: MethodFamily?

    @Flag(help: "As JSON, a list of objects.")
    var json = false

    private struct Line: Encodable {
        var name: String
        var family: MethodFamily
        var summary: String
        var options: String
        var isClassSpecific: Bool
        /// `vitrine explain` does not know it.
        var isOfStudiesAlone = false
        var forwardPasses: Double
        var backwardPasses: Double
        var citation: String
    }

    func run() throws {
        let network = ViTConfiguration(
            patchSize: 16, width: 768, depth: 12, heads: 12, classes: 2, positionGrid: PatchGrid(rows: 14, columns: 14))
        var lines = try Method.all.filter { family == nil || $0.family == family }.map { method in
            let explainer = try ConfiguredMethod(method.identifier).explainer
            let needs = try explainer.needs(network)
            var passes = explainer.passes(network, grid: network.positionGrid)
            passes.forward += Double(needs.variants.count)
            passes.backward += Double(([needs.image] + needs.variants.values).reduce(0) { $0 + $1.backward.count })
            return Line(
                name: method.identifier, family: method.family, summary: method.summary, options: method.options,
                isClassSpecific: method.isClassSpecific, forwardPasses: passes.forward, backwardPasses: passes.backward,
                citation: method.citation)
        }
        if family ?? .control == .control {
            let prior = StudyMethod.maskPrior
            lines.append(
                Line(
                    name: prior.name, family: .control, summary: prior.summary + "; in studies alone", options: "", isClassSpecific: false,
                    isOfStudiesAlone: true, forwardPasses: 0, backwardPasses: 0, citation: prior.citation))
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return print(String(decoding: try encoder.encode(lines), as: UTF8.self))
        }
        let width = lines.map(\.name.count).max() ?? 0
        for family in MethodFamily.allCases {
            let own = lines.filter { $0.family == family }
            if own.isEmpty { continue }
            print("\(family.rawValue)")
            for line in own {
                let passes = [(line.forwardPasses, "forward"), (line.backwardPasses, "back")].filter { $0.0 > 0 }
                    .map { "\(Int($0.0.rounded(.up))) \($0.1)" }.joined(separator: " + ")
                print(
                    "  \(line.name)\(String(repeating: " ", count: width - line.name.count))  \(line.summary)"
                        + (line.isClassSpecific ? "" : "; class-agnostic") + (passes.isEmpty ? "" : " (+ \(passes))")
                        + (line.options.isEmpty ? "" : " [\(line.options)]"))
            }
        }
    }
}

extension MethodFamily: ExpressibleByArgument {}
