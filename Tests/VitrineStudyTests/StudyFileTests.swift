import Testing
import VitrineEvaluate
import VitrineExplain
import VitrineStudy

@Suite("Study file")
struct StudyFileTests {
    private func mistakes(_ text: String, _ overrides: [String] = []) -> String {
        do {
            _ = try StudyFile.parse(text, path: "study.yaml", overrides: overrides)
            return "(none)"
        } catch { return "\(error)" }
    }

    private static let good = """
        methods: [attention]
        datasets:
          cpchild: {path: data}

        """

    @Test("a method with a target of its own is refused: a study explains one class per image")
    func ownTargets() {
        #expect(
            mistakes(Self.good.replacing("[attention]", with: "['gradcam:target=1']"))
                == "study.yaml, line 1: method 'gradcam:target=1': a study explains one class per image, which its key 'target' names")
    }

    @Test("every mistake is reported with its line, all at once")
    func allAtOnce() {
        let text = """
            tite: My study
            seed: minus one
            protocols: [study, fair]
            metrics: [pointing-game, iou@5, iou@200]
            methods:
              - attention
              - gradcamm
              - rollout:begin=3
              - attention
            datasets:
              cpchild:
                path: data
                part: both
                colour: red
                limit: 0
              kvasir:
                preprocess: squeeze
            models:
              - pattern: weights/{dataset}_{seed}.pth
              - {name: x, path: a.pth, pattern: b.pth}
              - {random-weights: dino}
            """
        #expect(
            mistakes(text) == """
                study.yaml, line 1: a study has no key 'tite'; it has title, seed, target, datasets, models, methods, metrics, protocols, permutations, stability, control-grid, batch, workers, output
                study.yaml, line 2: seed: 'minus one' is no whole number from 0 to 18446744073709551615
                study.yaml, line 3: protocols: 'fair' is none of study, corrected
                study.yaml, line 4: metric 'iou@K': '200' is no percentage above 0 and below 100; write for example iou@5
                study.yaml, line 7: no method 'gradcamm'; did you mean gradcam or xgradcam? vitrine methods lists all \(Method.all.count + 1)
                study.yaml, line 8: method 'rollout' has no option 'begin'; it takes start=0, fusion=mean|max|min, \
                discard=0, reading=sound|vit-explain
                study.yaml, line 9: method 'attention' stands twice; keep one
                study.yaml, line 14: data set 'cpchild' has no key 'colour'; it has kind, path, split, draw-split, preprocess, explain, others, limit, limit-by, part, annotations, annotation-format, annotation-classes, mask-rule, exif, patient-pattern
                study.yaml, line 15: data set 'cpchild', limit: '0' is no whole number from 1
                study.yaml, line 16: data set 'kvasir' needs a path
                study.yaml, line 19: pattern 'weights/{dataset}_{seed}.pth': '{seed}' is none of {dataset}, {init}
                study.yaml, line 20: a model needs exactly one of path, pattern, train, random-weights; it has path and pattern
                study.yaml, line 21: model 'random-weights': random-weights names the model whose architecture it takes, and 'dino' is none
                """)
    }

    @Test(
        "one mistake, one sentence",
        arguments: [
            ("methods: [attention\n", "study.yaml, line 2: is no YAML: did not find expected ',' or ']'"),
            ("seed: 1\nseed: 2\n" + good, "study.yaml, line 1: 'seed' stands twice in one mapping; keep one"),
            ("methods: [attention]\n", "study.yaml, line 1: a study needs at least one data set under 'datasets'"),
            ("datasets: {cpchild: {path: x}}\n", "study.yaml, line 1: a study needs at least one method under 'methods'"),
            (good + "target: left\n", "study.yaml, line 4: target: 'left' is none of positive, predicted, label, or the index of a class"),
            (good + "stability: maybe\n", "study.yaml, line 4: stability: 'maybe' is neither true nor false"),
            (good + "title:\n", "study.yaml, line 4: title has no value; write one word or text"),
            (good + "protocols: []\n", "study.yaml, line 4: protocols is empty; name study, corrected or both"),
            (
                good + "models: [{pattern: '{init}.pth'}]\n",
                "study.yaml, line 4: pattern '{init}.pth' needs a list 'init', such as init: [scratch, sup, dino, mae]"
            ),
            (
                good + "models: [{pattern: '{init}.pth', init: ['{x}']}]\n",
                "study.yaml, line 4: init '{x}' holds a brace; a name that fills in {init} may not"
            ),
            (
                good + "models: [a.pth, b/a.pth]\n", "study.yaml, line 4: model 'a' stands twice; give each a name of its own"
            ),
            (
                good + "models: [{path: a.pth, datasets: [duke]}]\n",
                "study.yaml, line 4: model 'a': there is no data set 'duke'; there are cpchild"
            ),
            ("- a\n- b\n", "study.yaml, line 1: a study is a mapping of keys to values, not a list"),
            ("? [a]\n: b\n", "study.yaml, line 1: a key must be a word"),
        ])
    func single(text: String, message: String) {
        #expect(mistakes(text).split(separator: "\n").first.map(String.init) == message)
    }

    @Test("a file of more than 1 MiB, deep nesting and many aliases are refused, not followed")
    func hostile() {
        let long = Self.good + "title: " + String(repeating: "x", count: 1 << 20)
        #expect(mistakes(long) == "study.yaml, line 1: the file has \(long.utf8.count) bytes; a study file has at most 1048576")
        #expect(mistakes(String(repeating: "[", count: 100_000)).contains("is no YAML"))
        #expect(mistakes(String(repeating: "- ", count: 100_000)).contains("more than 20000 keys and items"))
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for i in 1..<12 { bomb += "a\(i): &a\(i) [" + (0..<10).map { _ in "*a\(i - 1)" }.joined(separator: ", ") + "]\n" }
        #expect(mistakes(bomb).contains("the file holds more than 100000 values"))
    }

    @Test("overrides address mappings by key and lists by position, and their mistakes name them")
    func overrides() throws {
        let text = Self.good + "models:\n  - {pattern: 'w/{dataset}_{init}.pth', init: [dino]}\n"
        let study = try StudyFile.parse(
            text, path: "study.yaml",
            overrides: [
                "seed=7", "datasets.cpchild.path=elsewhere", "models.0.init=[dino, mae]", "methods=[chefer, centre]", "stability=true",
            ])
        #expect(study.seed == 7)
        #expect(study.datasets[0].path == "elsewhere")
        #expect(study.models.map(\.name) == ["dino", "mae"])
        #expect(study.models[1].path(dataset: "cpchild") == "w/cpchild_mae.pth")
        #expect(study.methods.map(\.name) == ["chefer", "centre"])
        #expect(study.stabilityDraws == 10)
        #expect(
            mistakes(text, ["seed=x", "models.3.name=y", "title"]) == """
                models.3.name=y: '3' is no position in a list of 1; positions count from 0
                title: an override is key=value, such as seed=1 or datasets.kvasir.path=data/kvasir
                """)
        #expect(mistakes(text, ["seed=x"]) == "seed=x: seed: 'x' is no whole number from 0 to 18446744073709551615")
        #expect(try StudyFile.parse(text, path: "study.yaml", overrides: ["seed=18446744073709551615"]).seed == .max)
    }

    @Test("the resolved study reads as the same study, and its fingerprint ignores what cannot change results")
    func resolved() throws {
        let text =
            Self.good
            + "models:\n  - {pattern: 'w/{dataset}_{init}.pth', init: [dino, \"a\\\"b: c\"], heads: 3}\n  - {random-weights: dino, seed: 4}\n"
        let study = try StudyFile.parse(text, path: "study.yaml", overrides: ["title=\"a: 'b' \\\"c\\\" é\"", "datasets.cpchild.part=a"])
        let again = try StudyFile.parse(study.resolved, path: "resolved.yaml")
        #expect(again.resolved == study.resolved)
        #expect(again.fingerprint == study.fingerprint)
        #expect(again.title == "a: 'b' \"c\" é")
        let free = try StudyFile.parse(
            text, path: "s", overrides: ["datasets.cpchild.part=a", "batch=2", "workers=9", "output=x", "title=z"])
        #expect(free.fingerprint == study.fingerprint)
        let bound = try StudyFile.parse(text, path: "s", overrides: ["datasets.cpchild.part=a", "permutations=2"])
        #expect(bound.fingerprint != study.fingerprint)
    }

    @Test("the presets read without a mistake; the paper's has its grid", arguments: StudyPreset.all.map(\.name))
    func presets(name: String) throws {
        let preset = try #require(StudyPreset.all.first { $0.name == name })
        let study = try StudyFile.parse(preset.text, path: name)
        guard name == "paper" else { return }
        #expect(study.datasets.map(\.name) == ["cpchild", "duke", "kvasir", "mura"])
        #expect(study.models.map(\.name) == ["scratch", "sup", "dino", "mae"])
        #expect(study.methods.map(\.name).prefix(3) == ["attention", "gradcam-study", "chefer"])
        #expect(study.metrics == ["pointing-game", "iou@5", "iou@10", "iou@20", "iou@40"])
        #expect(study.protocols == [EvaluationProtocol.study, .corrected])
    }
}
