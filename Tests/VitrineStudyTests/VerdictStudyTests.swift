import Testing
import VitrineEvaluate

@testable import VitrineStudy

@Suite("Study of a verdict")
struct VerdictStudyTests {
    @Test("the file that is written reads as what was asked")
    func text() throws {
        var study = VerdictStudy(model: "../a \"b\"/model.safetensors", data: "../d: x/labels.csv", kind: "csv")
        study.masks = "../m'"
        study.settings = [.heads: "3", .classes: "no, yes"]
        study.options = ["patient-pattern": "^(\\w+)_"]
        study.methods = ["attention", "centre", "gradcam"]
        study.metrics = ["gini", "saco"]
        study.seed = 7
        let file = try StudyFile.parse(study.text, path: "study.yaml")
        #expect(file.methods.map(\.name) == ["attention", "gradcam", "centre", "random-patch"])
        #expect(file.metrics == VerdictStudy.standardMetrics + ["saco"])
        #expect(file.protocols == [.corrected] && file.seed == 7 && file.datasets[0].limit == 24)
        #expect(file.datasets[0].path == "../d: x/labels.csv" && file.datasets[0].options["annotations"] == "../m'")
        #expect(file.datasets[0].options["patient-pattern"] == "^(\\w+)_")
        #expect(file.models[0].settings[.heads] == "3" && file.models[0].path(dataset: "x") == "../a \"b\"/model.safetensors")
        #expect(file.models[0].name == "a--b-" && file.datasets[0].name == "d--x")
    }

    @Test("names say what a folder is called, not what every table is called")
    func names() {
        #expect(VerdictStudy.name("data/scans/") == "scans")
        #expect(VerdictStudy.name("data/lgg/labels.csv") == "lgg")
        #expect(VerdictStudy.name("runs/a/model.safetensors") == "a")
        #expect(VerdictStudy.name("vit.v2.pth") == "vit-v2")
        #expect(VerdictStudy.name("..") == "data")
    }

    @Test("every question has its metric among the standard ones")
    func metrics() throws {
        for name in VerdictStudy.standardMetrics { _ = try MetricRegistry.metric(name, protocol: .corrected) }
        #expect(MetricRegistry.facts(VerdictStudy.standardMetrics[0])?.family == .localisation)
    }
}
