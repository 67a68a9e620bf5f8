import ReferenceViT
import Testing
import VitrineModel
import VitrineTensor

/// Relevance that reads a forward pass in Float64.
@Suite struct PreciseTests {
    static let rules = [RelevanceRule(.published, precision: .double), RelevanceRule(.stabilised(epsilon: 0.03), precision: .double)]
    static let targets = [TargetChoice.fixed(.logit(1)), .fixed(.logit(3))]
    static let sites: Set<Site> = [.pixels, .attention(0), .attention(1), .attention(2)]

    private func trace(
        _ random: RandomModel, _ rules: [RelevanceRule], gradient: Set<Site> = [], threads: Int = 1
    ) throws -> Trace {
        let sites = Self.sites.union(random.configuration.attentions.map(Site.attention))
        let request = TraceRequest(gradient: gradient, relevance: Dictionary(uniqueKeysWithValues: rules.map { ($0, sites) }))
        return try random.model.trace(
            random.images(2), targets: Self.targets, request: request, workspace: Workspace(poisons: true, threads: threads))
    }

    /// The published addition divides by what is left where the residual stream cancels; a forward pass in Float32 leaves its own rounding
    /// there. With the exact sums the values follow the definition.
    @Test(arguments: RandomModel.all)
    func relevanceOfACancellingStreamEqualsTheTwin(_ random: RandomModel) throws {
        let twin = Twin(random.model)
        let trace = try trace(random, Self.rules)
        // What is left is Float32's rounding of the relevance itself. Where the two sides' sums over all tokens nearly cancel, rescaling to
        // their total magnifies it: to 1e-4 in one of these models. In Float32 throughout it is up to 1e-2, and 1e-3 as often as not.
        var errors: [Double] = []
        for rule in Self.rules {
            let epsilon: Double? = if case .stabilised(let e) = rule.addition { Double(e) } else { nil }
            for (b, target) in [1, 3].enumerated() {
                let expected = twin.relevance(twin.forward(TwinTests.doubles(random.image(b))), classIndex: target, epsilon: epsilon)
                let found = trace.relevance(rule)
                for l in random.configuration.attentions {
                    let error = TwinTests.relative(found[.attention(l)]![b].values, expected.attention[l])
                    #expect(error < 3e-4, "\(rule), image \(b), block \(l): \(error)")
                    errors.append(error)
                }
                let error = TwinTests.relative(found[.pixels]![b].values, expected.pixels)
                #expect(error < 3e-4, "\(rule), image \(b), pixels: \(error)")
                errors.append(error)
            }
        }
        #expect(errors.sorted()[errors.count / 2] < 2e-5, "median of \(errors)")
    }

    /// Who does not ask for double precision gets the same bits beside somebody who does, and the other way round.
    @Test(arguments: RandomModel.all)
    func aMethodBesideADoubleOneKeepsItsBits(_ random: RandomModel) throws {
        let gradient: Set<Site> = [.attention(0), .norm1(2)]
        let alone = try trace(random, TwinTests.rules, gradient: gradient)
        let precise = try trace(random, Self.rules)
        let both = try trace(random, TwinTests.rules + Self.rules, gradient: gradient)
        #expect(both.logits!.values == alone.logits!.values)
        for site in gradient { #expect(both.gradient[site]!.values == alone.gradient[site]!.values) }
        for site in Self.sites {
            for rule in TwinTests.rules { #expect(both.relevance(rule)[site]!.values == alone.relevance(rule)[site]!.values, "\(rule)") }
            for rule in Self.rules { #expect(both.relevance(rule)[site]!.values == precise.relevance(rule)[site]!.values, "\(rule)") }
        }
    }

    /// A batch gives what single images give, and two threads what one gives, bit for bit.
    @Test(arguments: RandomModel.all)
    func batchAndThreadsDoNotShow(_ random: RandomModel) throws {
        let one = try trace(random, Self.rules)
        let two = try trace(random, Self.rules, threads: 2)
        for rule in Self.rules {
            for site in Self.sites { #expect(one.relevance(rule)[site]!.values == two.relevance(rule)[site]!.values) }
        }
        for b in 0..<2 {
            let image = random.image(b)
            let single = try random.model.trace(
                image.reshaped(Shape([1] + image.shape.dimensions)), targets: [Self.targets[b]],
                request: TraceRequest(relevance: [Self.rules[0]: Self.sites]), workspace: Workspace(poisons: true))
            for site in Self.sites {
                #expect(single.relevance(Self.rules[0])[site]!.values == one.relevance(Self.rules[0])[site]![b].values)
            }
        }
    }

    /// Tokens may enter in place of an image, at any block.
    @Test(arguments: RandomModel.all)
    func tokensEnterAtABlock(_ random: RandomModel) throws {
        let model = random.model
        let workspace = Workspace(poisons: true)
        let grid = random.configuration.positionGrid
        let site = Site.attention(2)
        let request = TraceRequest(forward: [.tokens(2)], relevance: [Self.rules[1]: [site]])
        let all = try model.trace(random.images(1), targets: [Self.targets[0]], request: request, workspace: workspace)
        let entered = all.forward[.tokens(2)]!
        let part = try model.trace(
            .tokens(entered, grid: grid, block: 2), targets: [Self.targets[0]], request: TraceRequest(relevance: [Self.rules[1]: [site]]),
            workspace: workspace)
        // Tokens rounded to Float32 between two blocks; the stabilised rule does not magnify it.
        let expected = TwinTests.doubles(all.relevance(Self.rules[1])[site]!)
        #expect(TwinTests.relative(part.relevance(Self.rules[1])[site]!.values, expected) < 1e-3)
    }

    @Test func aSecondForwardPassIsCounted() {
        #expect(TraceRequest(relevance: [.study: [.pixels]]).forwardPasses == 1)
        #expect(TraceRequest(relevance: [Self.rules[0]: [.pixels], Self.rules[1]: [.pixels]]).forwardPasses == 2)
        // The blocks it keeps, and the room of two for the one that it is at.
        #expect(TraceRequest(relevance: [Self.rules[0]: [.attention(9)]]).blocksHeld(depth: 12) == 5)
    }
}
