import ReferenceViT
import Synchronization
import Testing
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineTensor

/// Walks the registry: what every method promises, whatever it computes.
@Suite struct RegistryTests {
    static let random = RandomModel.all[0]
    /// Every method, those that draw with few draws: what they promise does not depend on how many.
    static let identifiers = Method.all.map { text($0.identifier) }

    private static let fewer = [
        "rise": "masks=24", "kernel-shap": "samples=40", "leverage-shap": "samples=40", "lime": "samples=40", "hsic": "samples=30,grid=3",
        "sobol": "samples=4,grid=3", "owen": "evaluations=30", "tis": "masks=16", "integrated-gradients": "steps=4",
        "beyond-intuition": "steps=3,start=2", "beyond-intuition-token": "steps=3,start=2", "transition-attention": "steps=3",
        "smoothgrad": "samples=3", "smoothgrad-squared": "samples=3", "vargrad": "samples=3",
    ]

    static func text(_ identifier: String) -> String { fewer[identifier].map { "\(identifier):\($0)" } ?? identifier }

    /// Methods whose clipped map may be 0 everywhere on six patches of an untrained network.
    private static let mayBeBlank: Set = ["attention-gradcam", "fem", "grad-eclip", "scorecam", "hsic", "sobol"]

    private static func name(_ text: String) -> String { String(text.split(separator: ":")[0]) }

    /// The methods that a network can serve; those that it cannot are refused in one line that names what is missing.
    static func served(_ random: RandomModel) throws -> [String] {
        try identifiers.filter { text in
            do {
                _ = try ConfiguredMethod(text).explainer.needs(random.configuration)
                return true
            } catch let error as ViTError {
                #expect(!error.description.isEmpty && !error.description.contains("\n"), "\(text), \(random)")
                return false
            }
        }
    }

    static func plan(_ random: RandomModel, _ methods: [String], seed: UInt64 = 7) throws -> ExplanationPlan {
        try ExplanationPlan(model: random.model, methods: ConfiguredMethod.parse(methods), seed: seed)
    }

    static func prepared(_ random: RandomModel, _ index: Int) -> PreparedImage {
        PreparedImage(name: "image-\(index)", pixels: random.image(index), target: .fixed(.logit(index % random.configuration.classes)))
    }

    @Test func namesAreUniqueAndCited() {
        let names = Method.all.map(\.identifier)
        #expect(Set(names).count == names.count)
        for method in Method.all {
            #expect(!method.identifier.isEmpty && method.identifier.allSatisfy { $0.isLowercase || $0 == "-" })
            #expect(!method.summary.isEmpty)
            #expect(method.isControl ? method.citation == "control" : method.citation.contains { $0.isLetter }, "\(method.identifier)")
            #expect(Method.named(method.identifier)?.identifier == method.identifier)
        }
        #expect(
            Set(names).isSuperset(of: [
                "attention", "rollout", "gradcam", "gradcam-augmented", "gradcam-eigen", "gradcam-study", "chefer", "chefer-stable",
                "lrp-rollout", "lrp-last-layer", "lrp-full", "random-patch", "random-pixel", "centre", "edge", "constant",
            ]))
    }

    /// On memory that starts as NaN: a value that was never written would show.
    @Test(arguments: RandomModel.all)
    func mapsHaveTheirShapeAndAreFinite(_ random: RandomModel) throws {
        let methods = try Self.served(random)
        let plan = try Self.plan(random, methods)
        let image = Self.prepared(random, 1)
        let grid = random.configuration.positionGrid
        let (height, width) = (grid.rows * 4, grid.columns * 4)
        let result = try plan.explain([image], workspace: Workspace(poisons: true))[0]
        #expect(result.target == .logit(1))
        #expect(result.logits.count == 4 && result.logits.allSatisfy { $0.isFinite })
        #expect(result.explanations.map(\.method) == methods, "\(result.failures)")
        for explanation in result.explanations {
            let map = explanation.map
            #expect(map.height == height && map.width == width)
            #expect((map.rows, map.columns) == (grid.rows, grid.columns) || (map.rows, map.columns) == (height, width))
            #expect(map.values.allSatisfy { $0.isFinite }, "\(explanation.method)")
            let shown = map.displayed()
            #expect(shown.count == height * width)
            #expect(shown.allSatisfy { $0 >= 0 && $0 <= 1 }, "\(explanation.method)")
            #expect(explanation.notes.values.joined().allSatisfy { $0.isFinite }, "\(explanation.method)")
            if !Self.mayBeBlank.contains(Self.name(explanation.method)) {
                #expect(map.audit.isConstant == (explanation.method == "constant"), "\(explanation.method)")
            }
        }
    }

    @Test(arguments: RandomModel.all)
    func mapsAreDeterministic(_ random: RandomModel) throws {
        let image = Self.prepared(random, 0)
        let maps = try (0..<2).map { _ in
            try Self.plan(random, Self.served(random)).explain([image], workspace: Workspace(poisons: true))[0].explanations
        }
        for (a, b) in zip(maps[0], maps[1]) {
            #expect(a.map == b.map, "\(a.method)")
            #expect(a.notes == b.notes, "\(a.method)")
        }
    }

    /// The random controls follow the seed and the image's name, and nothing else.
    @Test func randomControlsFollowSeedAndName() throws {
        func map(_ method: String, seed: UInt64, name: String) throws -> [Float] {
            let image = PreparedImage(name: name, pixels: Self.random.image(0), target: .predicted)
            return try Self.plan(Self.random, [method], seed: seed).explain([image], workspace: Workspace())[0].explanations[0].map.values
        }
        for method in ["random-patch", "random-pixel"] {
            let first = try map(method, seed: 1, name: "a")
            #expect(try map(method, seed: 1, name: "a") == first)
            #expect(try map(method, seed: 2, name: "a") != first)
            #expect(try map(method, seed: 1, name: "b") != first)
        }
    }

    /// A method alone gives what it gives among all others, bit for bit: sharing a trace changes nothing.
    @Test(arguments: RandomModel.all)
    func companyChangesNothing(_ random: RandomModel) throws {
        let image = Self.prepared(random, 2)
        let methods = try Self.served(random)
        let all = try Self.plan(random, methods).explain([image], workspace: Workspace(poisons: true))[0].explanations
        for (index, method) in methods.enumerated() {
            let alone = try Self.plan(random, [method]).explain([image], workspace: Workspace(poisons: true))[0].explanations
            #expect(alone[0].map == all[index].map && alone[0].error == all[index].error, "\(method)")
        }
    }

    /// A batch of 8 gives what 8 single images give, bit for bit: relevance would amplify the smallest difference.
    @Test(arguments: RandomModel.all)
    func aBatchEqualsSingles(_ random: RandomModel) throws {
        let plan = try Self.plan(random, Self.served(random))
        let images = (0..<8).map { Self.prepared(random, $0) }
        let workspace = Workspace(poisons: true)
        let batch = try plan.explain(images, workspace: workspace)
        for (i, image) in images.enumerated() {
            let single = try plan.explain([image], workspace: workspace)[0]
            #expect(batch[i].target == single.target)
            for (a, b) in zip(batch[i].explanations, single.explanations) {
                #expect(a.map == b.map, "\(a.method), image \(i)")
            }
        }
    }

    @Test(arguments: RandomModel.all)
    func workersChangeNothing(_ random: RandomModel) throws {
        let plan = try Self.plan(random, Self.served(random))
        func maps(workers: Int) throws -> [[HeatMap]] {
            let workspaces = (0..<workers).map { _ in Workspace(poisons: true) }
            let results = Mutex([[HeatMap]](repeating: [], count: 12))
            try parallelFor(12, workers: workers) { worker, i in
                let result = try plan.explain([Self.prepared(random, i)], workspace: workspaces[worker])[0]
                results.withLock { $0[i] = result.explanations.map(\.map) }
            }
            return results.withLock { $0 }
        }
        let one = try maps(workers: 1)
        #expect(try maps(workers: 2) == one)
        #expect(try maps(workers: 3) == one)
    }

    /// Threads inside a pass cut its products and rows; no bit may show where.
    @Test(arguments: RandomModel.all)
    func threadsChangeNothing(_ random: RandomModel) throws {
        let plan = try Self.plan(random, Self.served(random))
        let images = (0..<2).map { Self.prepared(random, $0) }
        let alone = try plan.explain(images, workspace: Workspace(poisons: true))
        for threads in [2, 3, 5] {
            let shared = try plan.explain(images, workspace: Workspace(poisons: true, threads: threads))
            for (a, b) in zip(alone, shared) {
                #expect(a.logits == b.logits)
                for (x, y) in zip(a.explanations, b.explanations) { #expect(x.map == y.map, "\(x.method), \(threads) threads") }
            }
        }
    }

    /// Of methods that draw, the lengths of the passes differ from image to image.
    @Test func theSecondImageAllocatesNothing() throws {
        let methods = Method.all.filter { $0.family != .perturbation }.map { Self.text($0.identifier) }
        let plan = try Self.plan(Self.random, methods)
        let workspace = Workspace()
        _ = try plan.explain([Self.prepared(Self.random, 0)], workspace: workspace)
        let allocated = workspace.allocatedCount
        #expect(allocated > 0)
        _ = try plan.explain([Self.prepared(Self.random, 1)], workspace: workspace)
        #expect(workspace.allocatedCount == allocated)
    }

    /// The class asked about changes a class-specific map and no other.
    @Test(arguments: RandomModel.all)
    func onlyClassSpecificMapsFollowTheTarget(_ random: RandomModel) throws {
        let plan = try Self.plan(random, Self.served(random))
        let maps = try [0, 3].map { target in
            let image = PreparedImage(name: "one", pixels: random.image(0), target: .fixed(.logit(target)))
            return try plan.explain([image], workspace: Workspace())[0].explanations.map(\.map)
        }
        for (i, method) in plan.methods.enumerated() {
            if method.method.isClassSpecific && Self.mayBeBlank.contains(method.method.identifier) { continue }
            #expect((maps[0][i] != maps[1][i]) == method.method.isClassSpecific, "\(method.name)")
        }
    }

    /// A head of one logit, whose answers are sigmoids.
    @Test func aSingleLogitIsExplained() throws {
        var configuration = Self.random.configuration
        (configuration.classes, configuration.probabilities) = (1, .sigmoid)
        let random = RandomModel("one logit", seed: 21, configuration)
        let plan = try Self.plan(random, Self.served(random))
        let image = PreparedImage(name: "one", pixels: random.image(0), target: .predicted)
        let result = try plan.explain([image], workspace: Workspace(poisons: true))[0]
        #expect(result.failures.isEmpty && result.explanations.count == Method.all.count, "\(result.failures)")
        for explanation in result.explanations {
            #expect(explanation.map.values.allSatisfy { $0.isFinite }, "\(explanation.method)")
        }
    }

    /// Every method that draws follows its seed.
    @Test(arguments: RandomModel.all)
    func drawsFollowTheSeed(_ random: RandomModel) throws {
        let methods = Method.all.filter { $0.options.contains("seed=") }.map(\.identifier)
        #expect(methods.count > 8)
        func maps(_ seed: Int) throws -> [HeatMap] {
            let texts = methods.map { method in
                let text = method == "cdam" ? "cdam:smooth=3" : Self.text(method)
                return text + (text.contains(":") ? "," : ":") + "seed=\(seed)"
            }
            return try Self.plan(random, texts).explain([Self.prepared(random, 0)], workspace: Workspace())[0].explanations.map(
                \.map)
        }
        let (first, again, other) = (try maps(1), try maps(1), try maps(2))
        for (i, method) in methods.enumerated() {
            #expect(first[i] == again[i], "\(method)")
            if !Self.mayBeBlank.contains(method) { #expect(first[i] != other[i], "\(method)") }
        }
    }

    /// What the contract says of every method's raw map: where it stands, and that some are never negative.
    @Test(arguments: RandomModel.all)
    func rawMapsAreAsTheContractSays(_ random: RandomModel) throws {
        let nonnegative: Set = [
            "attention", "rollout", "gradient-rollout", "generic-attention", "attention-gradcam", "ag-cam", "gmar", "alti", "legrad",
            "inflow",
            "scorecam", "saliency", "hsic", "sobol", "grad-eclip", "chefer", "chefer-stable", "smoothgrad-squared", "vargrad",
        ]
        let pixels: Set = [
            "gradcam-augmented", "gradcam-study", "saliency", "input-x-gradient", "integrated-gradients", "smoothgrad",
            "smoothgrad-squared",
            "vargrad", "cp-lrp", "attn-lrp", "gamma-lrp", "libra", "lrp-full", "rise", "vit-cx", "random-pixel", "centre", "edge",
            "intensity",
        ]
        let plan = try Self.plan(random, Self.served(random))
        for explanation in try plan.explain([Self.prepared(random, 1)], workspace: Workspace())[0].explanations {
            let name = Self.name(explanation.method)
            #expect((explanation.map.rows == explanation.map.height) == pixels.contains(name), "\(name)")
            // Sums of many terms may fall below 0 by their rounding.
            let least = -1e-6 * (explanation.map.values.map(abs).max() ?? 0)
            if nonnegative.contains(name) { #expect(explanation.map.values.allSatisfy { $0 >= least }, "\(name)") }
        }
    }

    @Test func aBackboneServesClassAgnosticMethodsOnly() throws {
        var configuration = Self.random.configuration
        configuration.classes = 0
        let backbone = RandomModel("backbone", seed: 3, configuration)
        for method in Method.all {
            if method.isClassSpecific {
                #expect(throws: ViTError.noHead(request: "method '\(Self.text(method.identifier))'")) {
                    try Self.plan(backbone, [Self.text(method.identifier)])
                }
            } else {
                let image = PreparedImage(name: "one", pixels: backbone.image(0), target: .predicted)
                let result = try Self.plan(backbone, [method.identifier]).explain([image], workspace: Workspace())[0]
                #expect(result.logits.isEmpty && result.target == nil)
                #expect(result.explanations[0].map.values.allSatisfy { $0.isFinite })
            }
        }
        let message = ViTError.noHead(request: "method 'gradcam'").description
        #expect(message.contains("gradcam") && message.contains("backbone") && !message.contains("\n"))
    }

    /// An image of one colour still gives finite maps; what has no answer is flagged, not drawn as noise.
    @Test func aConstantImageIsFlaggedNotFatal() throws {
        let plan = try Self.plan(Self.random, Self.identifiers)
        let pixels = Tensor([3, 8, 12], [Float](repeating: 0.25, count: 288))
        let image = PreparedImage(name: "grey", pixels: pixels, target: .fixed(.logit(0)))
        for explanation in try plan.explain([image], workspace: Workspace(poisons: true))[0].explanations {
            #expect(explanation.map.audit.nanCount == 0, "\(explanation.method)")
            #expect(explanation.map.displayed().allSatisfy { $0.isFinite }, "\(explanation.method)")
            if explanation.method == "edge" {
                #expect(explanation.map.audit.isConstant && !explanation.map.audit.isSound)
                #expect(explanation.map.displayed().allSatisfy { $0 == 0 })
            }
        }
    }

    /// A network that does not look: zero weights in every patch make maps constant, and the audit says so.
    @Test func aBlindModelGivesConstantMaps() throws {
        var model = Self.random.model
        model.patchEmbedding.weight.fill(0)
        model.positionEmbedding!.fill(0)
        let methods = ["attention", "rollout", "gradcam", "gradcam-eigen"]
        let plan = try ExplanationPlan(model: model, methods: ConfiguredMethod.parse(methods), seed: 0)
        for explanation in try plan.explain([Self.prepared(Self.random, 0)], workspace: Workspace(poisons: true))[0].explanations {
            let values = explanation.map.values
            // All patches are one token, so their values agree to rounding.
            #expect(values.max()! - values.min()! < 1e-6, "\(explanation.method)")
            #expect(explanation.map.audit.nanCount == 0)
        }
    }

    /// A pixel that is no number shows in the audit, and the picture stays blank.
    @Test func aNaNImageIsFlagged() throws {
        var pixels = Self.random.image(0)
        pixels.withMutableSpan { $0[5] = .nan }
        let image = PreparedImage(name: "damaged", pixels: pixels, target: .fixed(.logit(0)))
        let plan = try Self.plan(Self.random, ["attention", "rollout", "gradcam", "chefer", "chefer-stable", "lrp-full"])
        for explanation in try plan.explain([image], workspace: Workspace())[0].explanations {
            #expect(!explanation.map.audit.isSound, "\(explanation.method)")
            #expect(explanation.map.displayed().allSatisfy { $0 == 0 }, "\(explanation.method)")
        }
    }

    @Test func optionsAreCheckedAndNeverCrash() throws {
        for text in [
            "attention:block=x", "attention:head=-1", "attention:fusion=median", "rollout:start=", "chefer-stable:epsilon=0",
            "chefer-stable:epsilon=-1", "chefer-stable:epsilon=nan", "centre:sigma=0", "gradcam-study:sign=up", "gradcam:blocks=1",
            "cdam:smooth=2,integrated=2", "cdam:smooth=-1", "lime:tolerance=1", "rise:tolerance=-0.1", "owen:removal=painted",
            "attention:target=1", "gradcam:target=",
            "nothing", "attention:block", "attention:block=1,block=2",
        ] {
            #expect(throws: MethodError.self, "\(text)") { try ConfiguredMethod(text) }
        }
        #expect(throws: MethodError.duplicate("gradcam")) { try ConfiguredMethod.parse(["gradcam", "gradcam"]) }
        for text in [
            "attention:block=3", "attention:block=-1", "attention:head=3", "rollout:start=3", "rollout:start=-1", "chefer:start=3",
            "chefer-stable:start=-2", "gradcam:block=3", "gradcam-study:block=7", "cdam:block=3,smooth=2",
        ] {
            #expect(throws: ViTError.self, "\(text)") {
                _ = try Self.plan(Self.random, [text]).explain([Self.prepared(Self.random, 0)], workspace: Workspace())
            }
        }
    }

    @Test func allAndFamiliesStandForTheirMethods() throws {
        let network = Self.random.configuration
        let all = try ConfiguredMethod.expanded(["all"], for: network)
        #expect(all.methods.map(\.name) + all.leftOut.map(\.name) == Method.all.map(\.identifier) || !all.leftOut.isEmpty)
        #expect(Set(all.methods.map(\.name) + all.leftOut.map(\.name)) == Set(Method.all.map(\.identifier)))
        let cams = try ConfiguredMethod.expanded(["gradcam", "family:cam"], for: network).methods
        #expect(cams[0].name == "gradcam" && cams.count == Method.all.count { $0.family == .cam })
        // What a group has brought already may be named as well.
        #expect(try ConfiguredMethod.expanded(["family:cam", "all", "constant"], for: network).methods.count == all.methods.count)
        var backbone = network
        backbone.classes = 0
        let agnostic = try ConfiguredMethod.expanded(["all"], for: backbone)
        #expect(agnostic.methods.allSatisfy { !$0.method.isClassSpecific } && !agnostic.leftOut.isEmpty)
        #expect(throws: MethodError.self) { try ConfiguredMethod.expanded(["family:none"], for: network) }
        #expect(throws: MethodError.duplicate("gradcam")) { try ConfiguredMethod.expanded(["gradcam", "gradcam"], for: network) }
    }

    @Test func imagesOfUnlikeSizesAreRefused() throws {
        let plan = try Self.plan(Self.random, ["gradcam"])
        let other = PreparedImage(name: "other", pixels: Tensor([3, 8, 8]), target: .predicted)
        #expect(throws: ViTError.imageShape(expected: "[3, 8, 12]", found: "[3, 8, 8]")) {
            try plan.explain([Self.prepared(Self.random, 0), other], workspace: Workspace())
        }
        #expect(try plan.explain([], workspace: Workspace()).isEmpty)
    }

    /// Stability of a control that does not look at pixel values is perfect, and of all methods a number.
    @Test func stabilityIsMeasuredForEveryMethod() throws {
        let methods = Self.identifiers.filter { $0 != "constant" && !Self.mayBeBlank.contains(Self.name($0)) }
        let plan = try Self.plan(Self.random, methods)
        let image = PreparedImage(name: "one", pixels: Self.random.image(0), target: .predicted)
        let undisturbed = try plan.explain([image], workspace: Workspace())[0]
        let found = try plan.stability(
            of: image, undisturbed: undisturbed, greyLevel: [0.017, 0.0175, 0.0174], draws: 4, batch: 3, workspace: Workspace())
        #expect(found.count == methods.count)
        for (index, stability) in found {
            let method = methods[index]
            #expect(stability.draws == 4)
            let (mean, minimum) = (stability.pearsonMean ?? .nan, stability.pearsonMinimum ?? .nan)
            #expect(minimum <= mean && mean <= 1 + 1e-6, "\(method): \(mean), \(minimum)")
            if ["random-patch", "random-pixel", "centre"].contains(method) { #expect(abs(minimum - 1) < 1e-6) }
        }
        let constant = try Self.plan(Self.random, ["constant"])
        let flat = try constant.explain([image], workspace: Workspace())[0]
        let none = try constant.stability(of: image, undisturbed: flat, greyLevel: [0, 0, 0], draws: 2, workspace: Workspace())
        #expect(none[0]!.pearsonMean == nil && none[0]!.spearmanMinimum == nil)
    }
}
