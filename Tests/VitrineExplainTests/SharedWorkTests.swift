import ReferenceViT
import Testing
import VitrineImage
import VitrineModel
import VitrineTensor

@testable import VitrineExplain

/// What methods of one run share, and what it saves; sharing never shows in a bit (`RegistryTests.companyChangesNothing`).
@Suite struct SharedWorkTests {
    static let random = RandomModel.all[0]

    private func result(_ methods: [String]) throws -> ImageExplanations {
        let plan = try ExplanationPlan(model: Self.random.model, methods: ConfiguredMethod.parse(methods), seed: 3)
        let image = PreparedImage(name: "one", pixels: Self.random.image(0), target: .fixed(.logit(1)), scale: .unit(channels: 3))
        let result = try plan.explain([image], workspace: Workspace(poisons: true))[0]
        #expect(result.failures.isEmpty, "\(result.failures)")
        return result
    }

    /// Images through the network for some methods together, the image's own pass apart.
    private func passes(_ methods: [String]) throws -> Int { try result(methods).passCount - 1 }

    /// Equal draws, equal sets of patches, equal paths: the second method asks for nothing.
    @Test(arguments: [
        ["lime:samples=30", "rise:level=token,masks=30"], ["token-removal", "occlusion:removal=drop"],
        ["token-removal:removal=mean", "occlusion"], ["kernel-shap", "leverage-shap"],
        ["smoothgrad:samples=3", "smoothgrad-squared:samples=3", "vargrad:samples=3"],
        ["beyond-intuition:steps=3", "beyond-intuition-token:steps=3", "transition-attention:steps=3"],
    ])
    func equalQuestionsAreAskedOnce(_ methods: [String]) throws {
        let alone = try methods.map { try passes([$0]) }
        #expect(try passes(methods) == alone.max(), "\(alone)")
        #expect(alone.allSatisfy { $0 > 1 })
    }

    /// Nothing and everything are asked for once, whoever needs them.
    @Test func endsAreShared() throws {
        let (shap, owen) = (try passes(["kernel-shap:samples=20"]), try passes(["owen:evaluations=6"]))
        #expect(try passes(["kernel-shap:samples=20", "owen:evaluations=6"]) <= shap + owen - 2)
    }

    /// Other draws are other passes: what is shared is told by what is asked, not by who asks.
    @Test func unequalQuestionsAreNot() throws {
        let methods = ["smoothgrad:samples=3", "vargrad:samples=4"]
        #expect(try passes(methods) == 7)
        #expect(try passes(["token-removal", "token-removal:removal=mean"]) == 12)
    }

    /// The table of passes that all methods but the sampling ones run on one image: `--method all` may not cost more than its parts need.
    @Test func allCheapMethodsShareOnePass() throws {
        let cheap = Method.all.filter { method in
            guard let own = try? ConfiguredMethod(method.identifier).explainer else { return false }
            return own.passes(Self.random.configuration, grid: Self.random.configuration.positionGrid) == Passes()
        }
        #expect(cheap.count > 40)
        // The image, and the five further versions that test-time augmentation looks at.
        #expect(try result(cheap.map(\.identifier)).passCount == 6)
    }
}
