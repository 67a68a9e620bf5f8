import Foundation
import Testing

@testable import VitrineStore
@testable import VitrineStudy

/// A study whose metrics ask the model.
@Suite("Study that asks the model")
struct AskingStudyTests {
    private static let names = [
        "iou@20", "deletion:steps=4", "insertion:steps=4", "gini", "class-sensitivity", "quantisation-stability:draws=2",
        "parameter-randomisation", "shuffled-auroc",
    ]

    private func scratch() throws -> Scratch {
        let scratch = try Scratch()
        try scratch.writeTable("table", count: 4)
        try scratch.writeModel("weights/table_a.safetensors", seed: 1)
        try scratch.writeModel("weights/table_b.safetensors", seed: 2)
        _ = try scratch.writeStudy()
        return scratch
    }

    private func plan(_ scratch: Scratch, _ metrics: [String]) throws -> StudyPlan {
        try scratch.plan([
            "methods=[attention, gradcam, random-patch]", "metrics=[\(metrics.map { "\"\($0)\"" }.joined(separator: ", "))]",
            "protocols=[study, corrected]",
        ])
    }

    @Test("every image has its values, curves and reasons; localisation alone stands under two protocols")
    func scores() throws {
        let scratch = try scratch()
        let plan = try plan(scratch, Self.names)
        let store = try Store.open(scratch.run(plan))
        #expect(try store.failures() == [])
        let metrics = try store.metrics()
        #expect(metrics.map(\.name).count { $0 == "iou@20" } == 2 && metrics.map(\.name).count { $0 == "gini" } == 1)
        #expect(metrics.first { $0.name == "deletion:steps=4" }?.direction == "lower")
        #expect(metrics.first { $0.name == "gini" }?.direction == "none")
        let names = Dictionary(uniqueKeysWithValues: metrics.map { ($0.id, $0.name) })
        let methods = Dictionary(uniqueKeysWithValues: try store.methods().map { ($0.id, $0) })
        var seen: [String: Int] = [:]
        try store.forEachScore { model, _, score in
            let name = try #require(names[score.metricID])
            let method = try #require(methods[score.methodID])
            let isControl = method.isControl
            seen["\(name) \(isControl)", default: 0] += 1
            if isControl, ["deletion:steps=4", "class-sensitivity", "parameter-randomisation"].contains(name) {
                #expect(score.value == nil && score.reason == "there is no model to ask" && score.status == "undefined")
                return
            }
            guard !isControl else { return }
            #expect(score.value?.isFinite == true && score.chance?.isFinite == true, "\(name) \(method.name): \(score.reason ?? "")")
            switch name {
            case "deletion:steps=4", "insertion:steps=4":
                #expect(score.curve?.count == 5 && score.chanceCurve?.count == 5 && score.chanceSource == "controls")
            // None, then head, norm, two blocks and embedding.
            case "parameter-randomisation": #expect(score.curve?.count == 6 && score.curve?.first == 1)
            case "class-sensitivity" where method.name == "attention": #expect(score.value == 1)
            case "quantisation-stability:draws=2": #expect(score.curve?.count == 2)
            default: break
            }
        }
        // Two models, two methods, four positives; one control.
        #expect(seen["deletion:steps=4 false"] == 16 && seen["deletion:steps=4 true"] == 4 && seen["iou@20 false"] == 32)
        let digest = try store.contentDigest()
        #expect(try Store.open(scratch.run(plan, into: "alone", workers: 1)).contentDigest() == digest)
    }

    @Test("a finished study gains metrics that ask the model: no map is made again")
    func growth() throws {
        let scratch = try scratch()
        let whole = try Store.open(scratch.run(plan(scratch, Self.names), into: "whole")).contentDigest()
        try scratch.run(plan(scratch, ["iou@20"]))
        let grown = try plan(scratch, Self.names)
        let store = try StudyRunner.openStore(grown, folder: scratch.file("results"))
        let missing = try grown.missing(in: store).filter { $0.modelID == 1 }
        try store.close()
        #expect(!missing.isEmpty && missing.allSatisfy { $0.methods.isEmpty && $0.asksModel })
        #expect(try Store.open(scratch.run(grown)).contentDigest() == whole)
    }

    @Test("families of metrics are written out, and a name that is none is an error")
    func families() throws {
        let scratch = try scratch()
        let plan = try scratch.plan(["metrics=[\"family:complexity\", gini, auroc]"])
        #expect(plan.file.metrics == ["gini", "entropy", "area-50", "area-90", "auroc"])
        #expect(throws: (any Error).self) { try scratch.plan(["metrics=[\"family:beauty\"]"]) }
    }
}
