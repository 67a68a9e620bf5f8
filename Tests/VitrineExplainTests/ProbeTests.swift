import ReferenceViT
import Synchronization
import Testing
import VitrineImage
import VitrineModel
import VitrineTensor

@testable import VitrineExplain

/// Questions to the network about changed images: right, in order, and the same however they are packed.
@Suite struct ProbeTests {
    static func probe(_ random: RandomModel, watch: Watch = Watch(), threads: Int = 1) -> Probe {
        let image = random.image(0)
        let grid = PatchGrid(
            rows: image.shape[1] / random.configuration.patchSize, columns: image.shape[2] / random.configuration.patchSize)
        return Probe(
            model: random.model, image: image, grid: grid, target: .logit(1), workspace: Workspace(poisons: true, threads: threads),
            watch: watch)
    }

    /// Images of many kinds and lengths, in an order that fills no pass evenly.
    static func inputs(_ random: RandomModel, _ count: Int) -> [ChangedInput] {
        let patches = probe(random).grid.count
        return (0..<count).map { i in
            var draw = Philox(seed: 5, name: "inputs", index: UInt64(i))
            if i % 7 == 5 { return .visible((0..<patches).filter { _ in draw.uniform() < 0.6 }) }
            if i % 7 == 6 && random.model.inputNorm == nil { return .averaged(keeping: (0..<patches).filter { _ in draw.uniform() < 0.6 }) }
            if i % 3 == 0 {
                var pixels = random.image(0)
                pixels.withMutableSpan { $0[i % $0.count] += 1 }
                return .pixels(pixels)
            }
            return .patches((0..<patches).filter { _ in draw.uniform() < 0.6 })
        }
    }

    static func logits(_ probe: Probe, _ inputs: [ChangedInput]) throws -> [[Float]] {
        var found: [[Float]] = []
        try probe.logits(of: inputs) { index, logits in
            #expect(index == found.count, "answers come in the order of the inputs")
            found.append(logits)
        }
        return found
    }

    /// Packing never shows in a bit.
    @Test(arguments: RandomModel.all)
    func packedEqualsSinglePasses(_ random: RandomModel) throws {
        let inputs = Self.inputs(random, 200)
        let packed = try Self.logits(Self.probe(random), inputs)
        #expect(packed.count == inputs.count)
        for (input, expected) in zip(inputs, packed) {
            #expect(try Self.logits(Self.probe(random), [input])[0] == expected)
        }
        #expect(try Self.logits(Self.probe(random, threads: 3), inputs) == packed)
    }

    /// Sequences of different lengths go through the network side by side, and each gets what it gets on its own in a batch.
    @Test(arguments: RandomModel.all)
    func lengthsShareAPass(_ random: RandomModel) throws {
        let patches = Self.probe(random).grid.count
        let sets = (1...patches).flatMap { n in [Array(0..<n), Array(patches - n..<patches)] } + [[0, patches - 1], [1]]
        let passes = Mutex<[Int]>([])
        let probe = Self.probe(
            random,
            watch: Watch {
                false
            } passed: { count in
                passes.withLock { $0.append(count) }
            })
        let packed = try Self.logits(probe, sets.map { .patches($0) })
        #expect(passes.withLock { $0 } == [sets.count] && probe.passCount == sets.count)
        for (set, expected) in zip(sets, packed) {
            try Self.probe(random).traces(of: [.patches(set)], .logits) { #expect($1.logits == expected, "\(set)") }
        }
    }

    /// A pass is cut where the next sequence would no longer fit; no answer is lost or exchanged.
    @Test func longListsTakeSeveralPasses() throws {
        let random = RandomModel.all[0]
        let patches = Self.probe(random).grid.count
        let sets = (0..<700).map { i in (0..<patches).filter { (i >> $0) & 1 == 1 } }.filter { !$0.isEmpty }
        let passes = Mutex<[Int]>([])
        let probe = Self.probe(
            random,
            watch: Watch {
                false
            } passed: { count in
                passes.withLock { $0.append(count) }
            })
        let found = try Self.logits(probe, sets.map { .patches($0) })
        let rows = sets.reduce(0) { $0 + random.configuration.prefixTokens + $1.count }
        let counts = passes.withLock { $0 }
        let fewest = (rows + VisionTransformer.tokensPerPass - 1) / VisionTransformer.tokensPerPass
        #expect(counts.reduce(0, +) == sets.count && counts.count >= 2 && counts.count <= fewest + 1)
        for i in [0, 1, 333, sets.count - 1] { #expect(try Self.logits(Self.probe(random), [.patches(sets[i])])[0] == found[i]) }
    }

    /// All patches kept is the image itself, to the last bit, and so are its embedded tokens.
    @Test(arguments: RandomModel.all)
    func nothingChangedChangesNothing(_ random: RandomModel) throws {
        let probe = Self.probe(random)
        let image = random.image(0)
        let own = try random.model(image.reshaped(Shape([1] + image.shape.dimensions)), workspace: Workspace()).values
        #expect(try Self.logits(probe, [.pixels(image), .patches(Array(0..<probe.grid.count))]) == [own, own])
        var entered: [[Float]] = []
        try probe.logits(entering: 0, [(tokens: try probe.embeddedTokens(), kept: nil)]) { entered.append($1) }
        #expect(entered == [own])
    }

    /// Tokens after a block, put in where the next one begins, give the image's own logits; so do those of the last block.
    @Test(arguments: RandomModel.all)
    func resumingAtABlockChangesNothing(_ random: RandomModel) throws {
        let image = random.image(0)
        let batch = image.reshaped(Shape([1] + image.shape.dimensions))
        let request = TraceRequest(forward: [.tokens(1), .tokens(2), .tokens(3)])
        let trace = try random.model.trace(batch, targets: [], request: request, workspace: Workspace(poisons: true))
        for block in 1...3 {
            var found: [[Float]] = []
            try Self.probe(random).logits(entering: block, [(tokens: trace.forward[.tokens(block)]![0], kept: nil)]) { found.append($1) }
            #expect(found == [trace.logits(of: 0)], "block \(block)")
        }
    }

    /// A dropped patch is a patch whose key nobody sees: the Float64 twin with rows left out says the same.
    @Test(arguments: RandomModel.all)
    func droppedPatchesLeaveTheSequence(_ random: RandomModel) throws {
        let probe = Self.probe(random)
        let (r, d) = (random.configuration.prefixTokens, random.configuration.width)
        let all = try probe.embeddedTokens()
        let kept = [0, 2, 5]
        var rows = Tensor([r + kept.count, d])
        rows.replace(from: 0, with: all[0..<r])
        for (i, patch) in kept.enumerated() { rows.replace(from: (r + i) * d, with: all[r + patch]) }
        let twin = Twin(random.model)
        // Patches that stay keep the angles and the relative positions of their own places, not of their packed ones.
        let expected = twin.logits(fromTokens: Matrix(r + kept.count, d) { Double(rows[at: $0, $1]) }, places: kept)
        let found = try Self.logits(probe, [.patches(kept)])[0]
        #expect(found.count == expected.count)
        // Float32 against Float64, as in the twin's own tests.
        for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 5e-5, "\(found), \(expected)") }
    }

    /// A key that nobody sees is a patch that is not there, under heads that read class tokens or ask by attention: 1e-5 for sums in another
    /// order.
    @Test(arguments: RandomModel.all)
    func maskedKeysEqualDroppedPatches(_ random: RandomModel) throws {
        let probe = Self.probe(random)
        let all = Array(0..<probe.grid.count)
        let whole = try Self.logits(probe, [.visible(all), .pixels(random.image(0))])
        #expect(whole[0] == whole[1])
        for kept in [[0, 2, 5], [1], [0, 1, 2, 3, 4]] {
            let found = try Self.logits(probe, [.visible(kept), .patches(kept)])
            let distance = zip(found[0], found[1]).map { abs($0 - $1) }.max()!
            #expect(found[0].allSatisfy { $0.isFinite })
            // A mean over patches counts the masked ones as well, which read the others.
            if [.mean, .classAndMean].contains(random.configuration.pooling) {
                #expect(distance > 1e-4)
            } else {
                #expect(distance < 1e-5, "\(found)")
            }
        }
    }

    /// The mean embedding, by its definition in Float64, in the place of what is taken away.
    @Test(arguments: RandomModel.all)
    func averagedPatchesHoldTheMeanEmbedding(_ random: RandomModel) throws {
        let probe = Self.probe(random)
        let (r, d, count) = (random.configuration.prefixTokens, random.configuration.width, probe.grid.count)
        // Content plus position: before the norm that stands in front of the blocks, where there is one.
        let all = try random.model.unnormedEmbedding(random.images(1), workspace: Workspace())[0]
        let first = random.configuration.positionedPrefixTokens
        func position(_ patch: Int, _ c: Int) -> Double {
            random.model.positionEmbedding.map { Double($0[at: first + patch, c]) } ?? 0
        }
        let mean = (0..<d).map { c -> Double in
            let sum = (0..<count).reduce(0.0) { sum, patch in sum + Double(all[at: r + patch, c]) - position(patch, c) }
            return sum / Double(count)
        }
        let kept = [0, 2, 5]
        let tokens = Matrix(r + count, d) { row, c in
            let patch = row - r
            return patch < 0 || kept.contains(patch) ? Double(all[at: row, c]) : mean[c] + position(patch, c)
        }
        let twin = Twin(random.model)
        let expected = twin.logits(fromTokens: twin.behindInputNorm(tokens), places: Array(0..<count))
        let found = try Self.logits(probe, [.averaged(keeping: kept)])[0]
        // Float32 against Float64, as in the twin's own tests.
        for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 5e-5, "\(found), \(expected)") }
        #expect(try Self.logits(probe, [.averaged(keeping: Array(0..<count))]) == Self.logits(probe, [.pixels(random.image(0))]))
    }

    /// Where a head pools patches, none at all reads as the mean colour.
    @Test(arguments: RandomModel.all)
    func noPatchAtAllHasAnAnswer(_ random: RandomModel) throws {
        let probe = Self.probe(random)
        let answers = try Self.logits(probe, [.patches([]), .pixels(Tensor(random.image(0).shape))])
        #expect(answers.joined().allSatisfy { $0.isFinite })
        if probe.needsPatches { #expect(answers[0] == answers[1]) } else { #expect(answers[0] != answers[1]) }
    }

    /// Nothing grows with the number of inputs: they are taken as they are needed.
    @Test func inputsAreTakenLazily() throws {
        let random = RandomModel.all[0]
        let taken = Mutex(0)
        let answered = Mutex(0)
        let patches = Self.probe(random).grid.count
        let inputs = (0..<20_000).lazy.map { i -> ChangedInput in
            taken.withLock { $0 += 1 }
            return .patches((0..<patches).filter { ($0 + i) % 3 != 0 || i % 5 == 0 })
        }
        let largest = Mutex(0)
        try Self.probe(random).logits(of: inputs) { _, _ in
            answered.withLock { $0 += 1 }
            let waiting = taken.withLock { $0 } - answered.withLock { $0 }
            largest.withLock { $0 = max($0, waiting) }
        }
        #expect(answered.withLock { $0 } == 20_000)
        // 2,048 lists of patches may wait for their pass to fill, and passes of their answers.
        #expect(largest.withLock { $0 } <= 4096)
    }

    @Test func aStopEndsTheWorkBetweenPasses() throws {
        let passes = Mutex(0)
        let watch = Watch(isStopped: { passes.withLock { $0 } >= 3 }, passed: { _ in passes.withLock { $0 += 1 } })
        let inputs = Self.inputs(RandomModel.all[0], 5000)
        #expect(throws: ExplanationStopped()) { try Self.logits(Self.probe(RandomModel.all[0], watch: watch), inputs) }
        #expect(passes.withLock { $0 } == 3)
    }

    /// A method stopped in the middle ends the whole image; one that cannot serve it does not.
    @Test func aFailureLeavesTheOtherMethods() throws {
        let random = RandomModel.all[0]
        let methods = try ConfiguredMethod.parse(["attention", "occlusion:window=3,stride=5,removal=mean", "token-removal"])
        let plan = try ExplanationPlan(model: random.model, methods: methods, seed: 0)
        let image = PreparedImage(name: "one", pixels: random.image(0), target: .predicted)
        let result = try plan.explain([image], workspace: Workspace(poisons: true))[0]
        #expect(result.explanations.map(\.index) == [0, 2])
        #expect(result.failures.map(\.index) == [1] && result.failures[0].message.contains("uncovered"))
        #expect(throws: ExplanationStopped()) {
            try plan.explain([image], workspace: Workspace(), watch: Watch(isStopped: { true }))
        }
    }

    // MARK: Methods on planted answers

    /// The mean of masks weighted by p, by its definition, from the very masks that were drawn.
    @Test(arguments: ["rise:masks=40,cells=3", "rise:masks=40,level=token"])
    func riseEqualsItsDefinition(_ text: String) throws {
        let random = RandomModel.all[0]
        let method = try ConfiguredMethod(text)
        let rise = method.explainer as! RISE
        let image = random.image(0)
        let plan = try ExplanationPlan(model: random.model, methods: [method], seed: 3)
        let prepared = PreparedImage(name: "one", pixels: image, target: .fixed(.logit(2)))
        let map = try plan.explain([prepared], workspace: Workspace(poisons: true))[0].explanations[0].map
        let grid = Self.probe(random).grid
        let subject = Subject(
            network: random.configuration, image: image, scale: nil, grid: grid, target: .logit(2), logits: [], name: "one", seed: 3,
            traces: [:])
        let probe = Self.probe(random)
        var expected = [Double](repeating: 0, count: map.values.count)
        for i in 0..<40 {
            let mask = rise.mask(subject, i)
            let input: ChangedInput
            if text.contains("token") {
                input = .patches(mask.indices.filter { mask[$0] == 1 })
            } else {
                var pixels = image
                pixels.withMutableSpan { span in for j in 0..<span.count { span[j] *= mask[j % mask.count] } }
                input = .pixels(pixels)
            }
            let p = Double(softmax(try Self.logits(probe, [input])[0])[2])
            for j in mask.indices { expected[j] += p * Double(mask[j]) / 40 / 0.5 }
        }
        for (a, b) in zip(map.values, expected) { #expect(abs(Double(a) - b) < 1e-6) }
        // Masks are 0 or 1 at the cells and their mean is near p.
        let mean = (0..<200).reduce(0.0) { $0 + Double(rise.mask(subject, $1).reduce(0, +)) } / 200 / Double(expected.count)
        #expect(abs(mean - 0.5) < 0.05, "5 standard errors of 200 masks of 9 cells and more: \(mean)")
    }

    /// Under noise of nothing, SmoothGrad is the gradient, its square, and no variance.
    @Test func smoothGradWithoutNoiseIsTheGradient() throws {
        let random = RandomModel.all[0]
        let methods = ["smoothgrad", "smoothgrad-squared", "vargrad"].map { $0 + ":samples=3,sigma=0" }
        let plan = try ExplanationPlan(model: random.model, methods: ConfiguredMethod.parse(methods), seed: 0)
        let image = PreparedImage(name: "one", pixels: random.image(0), target: .fixed(.logit(0)))
        let maps = try plan.explain([image], workspace: Workspace(poisons: true))[0].explanations.map(\.map.values)
        let batch = image.pixels.reshaped(Shape([1] + image.pixels.shape.dimensions))
        let gradient = try random.model.trace(
            batch, targets: [.fixed(.logit(0))], request: TraceRequest(gradient: [.pixels]), workspace: Workspace()
        ).gradient[.pixels]![0].summedOverFirst()
        for i in gradient.indices {
            #expect(abs(maps[0][i] - gradient[i]) < 1e-6 && abs(maps[1][i] - gradient[i] * gradient[i]) < 1e-6 && maps[2][i] < 1e-12)
        }
    }

    /// A path integral's sum is the difference of the logits.
    @Test(arguments: ["pixel", "token"])
    func integratedGradientsAreComplete(_ level: String) throws {
        for random in RandomModel.all {
            let plan = try ExplanationPlan(
                model: random.model, methods: ConfiguredMethod.parse(["integrated-gradients:steps=60,level=\(level)"]), seed: 0)
            let image = PreparedImage(name: "one", pixels: random.image(0), target: .fixed(.contrast(1, 2)))
            let result = try plan.explain([image], workspace: Workspace())[0]
            // 60 nodes of a smooth function; what is left is Float32.
            #expect((result.explanations[0].notes["completeness-gap"]?[0] ?? .nan) < 2e-3, "\(random): \(result.explanations[0].notes)")
        }
    }

    @Test func gaussLegendreIntegratesPolynomials() {
        for n in [1, 2, 5, 50] {
            let (nodes, weights) = gaussLegendre(n)
            for degree in 0..<min(2 * n, 12) {
                let integral = zip(nodes, weights).reduce(0.0) { sum, node in
                    sum + node.1 * (0..<degree).reduce(1.0) { product, _ in product * node.0 }
                }
                #expect(abs(integral - 1 / Double(degree + 1)) < 1e-13)
            }
        }
    }
}
