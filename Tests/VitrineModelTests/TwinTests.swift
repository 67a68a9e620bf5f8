import ReferenceViT
import Testing
import VitrineModel
import VitrineTensor

/// The Float32 engine against a slow Float64 twin on tiny random models, one for every option of the family.
@Suite struct TwinTests {
    /// Largest difference relative to the largest value of the twin.
    static func relative(_ a: [Float], _ b: [Double]) -> Double {
        guard a.count == b.count, a.allSatisfy({ $0.isFinite }) else { return .infinity }
        return zip(a, b).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / b.reduce(0) { max($0, abs($1)) }
    }

    static func doubles(_ tensor: Tensor) -> [Double] { tensor.values.map(Double.init) }

    static var everything: TraceRequest {
        let sites = Set((0..<3).flatMap { [Site.attention($0), .norm1($0)] })
        var relevance: Set<Site> = [.pixels]
        for l in 0..<3 { relevance.insert(.attention(l)) }
        return TraceRequest(
            forward: sites, gradient: sites.union([.pixels]), relevance: Dictionary(uniqueKeysWithValues: rules.map { ($0, relevance) }))
    }

    /// Of all attentions, the pool's among them.
    static func everything(_ random: RandomModel) -> TraceRequest {
        guard random.configuration.pooling == .attention else { return everything }
        let pool: Set<Site> = [.attention(3)]
        return everything.union(
            TraceRequest(forward: pool, gradient: pool, relevance: Dictionary(uniqueKeysWithValues: rules.map { ($0, pool) })))
    }

    static let rules: [RelevanceRule] = [.study, .stabilised(epsilon: 0.03)]

    // Float32 over three blocks of width 15: rounding leaves a few 1e-7 of the largest value.
    @Test(arguments: RandomModel.all)
    func forwardEqualsTheTwin(_ random: RandomModel) throws {
        let twin = Twin(random.model)
        let trace = try random.model.trace(
            random.images(2), targets: [.predicted, .predicted], request: Self.everything(random), workspace: Workspace(poisons: true))
        for b in 0..<2 {
            let pass = twin.forward(Self.doubles(random.image(b)))
            #expect(Self.relative(trace.logits(of: b), pass.logits) < 5e-6)
            #expect(Self.relative(trace.pooled[b].values, pass.pooled) < 5e-6)
            for l in 0..<3 {
                #expect(Self.relative(trace.forward[.attention(l)]![b].values, pass.blocks[l].attention.flatMap(\.values)) < 5e-6)
                #expect(Self.relative(trace.forward[.norm1(l)]![b].values, pass.blocks[l].norm1.values) < 5e-6)
            }
            if let pool = pass.pool {
                let tokens = random.configuration.prefixTokens + random.configuration.positionGrid.count
                let zeros = [Double](repeating: 0, count: tokens - pool.attention.columns)
                let rows = (0..<pool.attention.rows).flatMap { zeros + pool.attention.row($0) }
                #expect(Self.relative(trace.forward[.attention(3)]![b].values, rows) < 5e-6)
            }
        }
    }

    @Test(arguments: RandomModel.all)
    func attentionRowsSumToOne(_ random: RandomModel) throws {
        let request = TraceRequest(forward: Set(random.configuration.attentions.map(Site.attention)))
        let trace = try random.model.trace(random.images(3), targets: [], request: request, workspace: Workspace(poisons: true))
        for l in random.configuration.attentions {
            let attention = trace.forward[.attention(l)]!
            let n = attention.shape[3]
            let values = attention.values
            for row in 0..<values.count / n {
                // n numbers of Float32, each off by half a unit in the last place at most.
                #expect(abs(values[row * n..<(row + 1) * n].reduce(0) { $0 + Double($1) } - 1) < 1e-6)
            }
        }
    }

    /// Gradients by every attention weight, every value of every first LayerNorm, and a third of the pixels.
    @Test(arguments: RandomModel.all)
    func gradientsEqualFiniteDifferences(_ random: RandomModel) throws {
        let twin = Twin(random.model)
        let target = [Target.logit(2), .probability(1), .contrast(3, 0)][Int(random.seed % 3)]
        let image = Self.doubles(random.image(0))
        let trace = try random.model.trace(
            random.images(1), targets: [.fixed(target)], request: Self.everything(random), workspace: Workspace(poisons: true))
        // Step 1e-5 in Float64: truncation and cancellation leave about 1e-9; what remains is Float32's rounding in the engine.
        for l in 0..<3 {
            let byAttention = twin.gradient(image, target, by: twin.attentionSites(l))
            #expect(Self.relative(trace.gradient[.attention(l)]![0].values, byAttention) < 2e-5)
            let byNorm = twin.gradient(image, target, by: twin.norm1Sites(l))
            #expect(Self.relative(trace.gradient[.norm1(l)]![0].values, byNorm) < 2e-5)
        }
        if random.configuration.pooling == .attention {
            let byPool = twin.gradient(image, target, by: twin.attentionSites(3))
            #expect(Self.relative(trace.gradient[.attention(3)]![0].values, byPool) < 2e-5)
        }
        let pixels = stride(from: 0, to: image.count, by: 3).map { $0 }
        let byPixel = twin.gradient(image, target, by: pixels.map { .pixel($0) })
        let ours = trace.gradient[.pixels]![0].values
        #expect(Self.relative(pixels.map { ours[$0] }, byPixel) < 2e-5)
    }

    @Test(arguments: RandomModel.all)
    func relevanceEqualsTheTwin(_ random: RandomModel) throws {
        let twin = Twin(random.model)
        let trace = try random.model.trace(
            random.images(2), targets: [.fixed(.logit(1)), .fixed(.logit(3))], request: Self.everything(random),
            workspace: Workspace(poisons: true))
        // The rules divide by sums that may nearly cancel (a context value, a pooled mean, a residual sum), which lifts Float32's rounding
        // from 1e-6 to 1e-2 in the worst of these models, and by how much is a matter of the order of summation; most values stay sharp,
        // and another rule would be off by 1.
        let bar = 3e-2
        var errors: [Double] = []
        for rule in Self.rules {
            let epsilon: Double? = if case .stabilised(let e) = rule.addition { Double(e) } else { nil }
            for (b, target) in [1, 3].enumerated() {
                let expected = twin.relevance(
                    twin.forward(Self.doubles(random.image(b))), classIndex: target, epsilon: epsilon)
                let found = trace.relevance(rule)
                for l in random.configuration.attentions {
                    let error = Self.relative(found[.attention(l)]![b].values, expected.attention[l])
                    #expect(error < bar, "\(rule), image \(b), block \(l): \(error)")
                    errors.append(error)
                }
                let error = Self.relative(found[.pixels]![b].values, expected.pixels)
                #expect(error < bar, "\(rule), image \(b), pixels: \(error)")
                errors.append(error)
            }
        }
        #expect(errors.sorted()[errors.count / 2] < 1e-3, "median of \(errors)")
    }

    /// Relevance starts as 1 and no rule makes any, whatever the head pools; linear outputs without a positive product lose theirs,
    /// which in so narrow a model happens to 1 output in 30,000, and nothing else does.
    @Test(arguments: RandomModel.all)
    func relevanceIsConserved(_ random: RandomModel) throws {
        let twin = Twin(random.model)
        let trace = try random.model.trace(
            random.images(2), targets: [.fixed(.logit(1)), .fixed(.logit(3))], request: Self.everything(random),
            workspace: Workspace(poisons: true))
        for rule in Self.rules {
            let epsilon: Double? = if case .stabilised(let e) = rule.addition { Double(e) } else { nil }
            for (b, target) in [1, 3].enumerated() {
                let expected = twin.relevance(
                    twin.forward(Self.doubles(random.image(b))), classIndex: target, epsilon: epsilon)
                for (sum, lost) in zip(expected.sums, expected.lost).dropLast() {
                    #expect(abs(sum + lost - 1) < 1e-5, "twin, \(rule): \(expected.sums), lost \(expected.lost)")
                }
                // The prefix tokens and the positions keep their share, so the pixels' sum is not 1.
                for (ours, theirs) in zip(trace.backward[.relevance(rule)]!.sums[b], expected.sums.dropFirst()) {
                    #expect(abs(ours - theirs) < 5e-3, "\(rule): \(trace.backward[.relevance(rule)]!.sums[b]), twin \(expected.sums)")
                }
            }
        }
    }

    /// What is asked for beside it changes nothing: the passes stop early, the values stay, bit for bit.
    @Test(arguments: RandomModel.all)
    func partialRequestsGiveTheSame(_ random: RandomModel) throws {
        let model = random.model
        let targets = [TargetChoice.fixed(.logit(0)), .fixed(.logit(2))]
        let all = try model.trace(random.images(2), targets: targets, request: Self.everything(random), workspace: Workspace(poisons: true))
        for l in 0..<3 {
            let one: Set<Site> = [.attention(l)]
            let request = TraceRequest(forward: one, gradient: one, relevance: [.study: one])
            let part = try model.trace(random.images(2), targets: targets, request: request, workspace: Workspace(poisons: true))
            #expect(part.forward[.attention(l)]!.values == all.forward[.attention(l)]!.values)
            #expect(part.gradient[.attention(l)]!.values == all.gradient[.attention(l)]!.values)
            #expect(part.relevance(.study)[.attention(l)]!.values == all.relevance(.study)[.attention(l)]!.values)
            let norm = TraceRequest(forward: [.norm1(l)], gradient: [.norm1(l)])
            let other = try model.trace(random.images(2), targets: targets, request: norm, workspace: Workspace(poisons: true))
            #expect(other.forward[.norm1(l)]!.values == all.forward[.norm1(l)]!.values)
            #expect(other.gradient[.norm1(l)]!.values == all.gradient[.norm1(l)]!.values)
        }
    }

    @Test func aBackboneHasNoClassToExplain() throws {
        var random = RandomModel.all[0].configuration
        random.classes = 0
        let backbone = RandomModel("backbone", seed: 1, random)
        let model = backbone.model
        #expect(model.head == nil)
        var request = TraceRequest(forward: [.attention(0)])
        let trace = try model.trace(backbone.images(1), targets: [], request: request, workspace: Workspace())
        #expect(trace.logits == nil)
        request = TraceRequest(gradient: [.attention(0)])
        #expect(throws: ViTError.noHead(request: "a gradient or a relevance")) {
            try model.trace(backbone.images(1), targets: [.predicted], request: request, workspace: Workspace())
        }
    }

    @Test func wrongRequestsAreNamed() throws {
        let random = RandomModel.all[0]
        let model = random.model
        let gradient = TraceRequest(gradient: [.norm1(2)])
        func run(_ images: Tensor, _ targets: [TargetChoice], _ request: TraceRequest) throws {
            _ = try model.trace(images, targets: targets, request: request, workspace: Workspace())
        }
        #expect(throws: ViTError.targetCount(images: 2, targets: 1)) { try run(random.images(2), [.predicted], gradient) }
        for target in [Target.logit(4), .logit(-1), .probability(4), .contrast(0, 4)] {
            #expect(throws: ViTError.self) { try run(random.images(1), [.fixed(target)], gradient) }
        }
        var beyond = TraceRequest(forward: [.attention(3)])
        #expect(throws: ViTError.blockOutOfRange(block: 3, depth: 3)) { try run(random.images(1), [], beyond) }
        #expect(throws: ViTError.blockOutOfRange(block: 4, depth: 3)) {
            let asked = RandomModel.all.first { $0.description == "attention pooling" }!
            _ = try asked.model.trace(
                asked.images(1), targets: [], request: TraceRequest(forward: [.attention(4)]), workspace: Workspace())
        }
        beyond = TraceRequest(gradient: [.attention(-1)])
        #expect(throws: ViTError.blockOutOfRange(block: -1, depth: 3)) { try run(random.images(1), [], beyond) }
        #expect(throws: ViTError.imageSize(height: 8, width: 10, patch: 4)) { try run(Tensor([1, 3, 8, 10]), [], TraceRequest()) }
        #expect(throws: ViTError.self) { try run(Tensor([1, 1, 8, 12]), [], TraceRequest()) }
        #expect(throws: ViTError.self) { try run(Tensor([0, 3, 8, 12]), [], TraceRequest()) }
    }

    /// A second batch of the same size finds all its memory in the workspace.
    @Test func theSecondBatchAllocatesNothing() throws {
        let random = RandomModel.all[0]
        let model = random.model
        let workspace = Workspace()
        let run = {
            _ = try model.trace(random.images(2), targets: [.predicted, .predicted], request: Self.everything, workspace: workspace)
        }
        try run()
        let allocated = workspace.allocatedCount
        #expect(allocated > 0)
        try run()
        #expect(workspace.allocatedCount == allocated)
    }
}
