import Foundation
import ReferenceViT
import Testing
import VitrineImage
import VitrineModel
import VitrineTensor

@testable import VitrineExplain

/// What stands beside a map: shares, gaps, outliers, and words where it shows nothing.
@Suite struct DiagnosticsTests {
    private func result(_ text: String, _ model: VisionTransformer, _ image: Tensor) throws -> Explanation {
        let plan = try ExplanationPlan(model: model, methods: ConfiguredMethod.parse([text]), seed: 5)
        let prepared = PreparedImage(name: "one", pixels: image, target: .fixed(.logit(1)))
        return try #require(try plan.explain([prepared], workspace: Workspace(poisons: true))[0].explanations.first)
    }

    /// Patches without content leave all relevance to the positions, and a network without positions has no such share.
    @Test(arguments: ["input-x-gradient", "cp-lrp", "attn-lrp", "libra:level=token", "gamma-lrp"])
    func theShareOfPositionsIsPlanted(_ method: String) throws {
        let random = RandomModel.all[0]
        let image = random.image(0)
        let share = try #require(try result(method, random.model, image).notes["position-share"]?.first)
        #expect(share > 0.01 && share < 0.99)
        var blind = random.model
        blind.patchEmbedding.weight.fill(0)
        blind.patchEmbedding.bias?.fill(0)
        // 1e-6: positions taken as a difference, in Float32.
        #expect(abs((try result(method, blind, image).notes["position-share"]?.first ?? .nan) - 1) < 1e-6)
        var placeless = random.model
        placeless.positionEmbedding?.fill(0)
        #expect(try result(method, placeless, image).notes["position-share"] == nil)
    }

    @Test func outliersAreCounted() {
        #expect(OutlierPatches.patches([1, 1.1, 0.9, 1, 1.05, 0.95, 40, 1]) == [6])
        #expect(OutlierPatches.patches([1, 1.1, 0.9, 1, 1.05, 0.95, 1.2]) == [])
        #expect(OutlierPatches.patches([3]) == [])
    }

    /// A patch whose token is made enormous is counted in every method's notes, and no control speaks of it.
    @Test func aPlantedOutlierIsNoted() throws {
        let random = RandomModel.all[0]
        var model = random.model
        let width = random.configuration.width
        let row = random.configuration.positionedPrefixTokens + 4
        model.positionEmbedding?.withMutableSpan { span in for i in row * width..<(row + 1) * width { span[i] *= 300 } }
        for method in ["gradcam", "rollout", "token-removal"] {
            #expect(try result(method, model, random.image(0)).notes["outlier-patches"] == [1], "\(method)")
            #expect(try result(method, random.model, random.image(0)).notes["outlier-patches"] == [0], "\(method)")
        }
        #expect(try result("centre", model, random.image(0)).notes.isEmpty)
    }

    @Test func whatShowsNothingSaysSo() {
        func problem(_ values: [Float], clips: Bool = true) -> String? {
            HeatMap(
                rows: 1, columns: values.count, values: values, height: 1, width: values.count, display: clips ? .gradCAM : .relevance
            ).audit.problem
        }
        #expect(problem([0, 1]) == nil)
        #expect(problem([-1, -2])?.contains("no value is above 0") == true)
        #expect(problem([-1, -2], clips: false) == nil)
        #expect(problem([0, 0])?.contains("0 everywhere") == true)
        #expect(problem([2, 2])?.contains("one value everywhere") == true)
        #expect(problem([.nan, 2])?.contains("NaN (1 values)") == true)
    }

    /// A map of which nothing can be seen, though no value is wrong, and one that is all sampling error.
    @Test func whatCannotBeSeenIsRemarked() {
        func remark(_ values: [Float], rows: Int, height: Int, error: [Float]? = nil) -> String? {
            func map(_ values: [Float]) -> HeatMap {
                HeatMap(
                    rows: rows, columns: values.count / rows, values: values, height: height, width: values.count / rows * (height / rows),
                    display: .pixels)
            }
            return Explanation(index: 0, method: "x", map: map(values), notes: [:], error: error.map(map), target: nil).remark
        }
        var pixels = (0..<400).map { Float(sin(Double($0))) * 0.01 }
        pixels[37] = 1
        #expect(remark(pixels, rows: 20, height: 20)?.contains("single pixels set the scale") == true)
        // One patch of many is an answer, and so are eight pixels in a hundred.
        #expect(remark(pixels, rows: 20, height: 80) == nil)
        for i in 0..<32 { pixels[i] = 1 }
        #expect(remark(pixels, rows: 20, height: 20) == nil)
        #expect(remark([Float](repeating: 0, count: 4), rows: 2, height: 2)?.contains("0 everywhere") == true)
        // Values of variance 1: errors of 0.6 are a third of it, of 0.8 almost two thirds.
        let values: [Float] = [1, -1, 1, -1]
        #expect(remark(values, rows: 2, height: 8, error: [0.6, 0.6, 0.6, 0.6]) == nil)
        #expect(remark(values, rows: 2, height: 8, error: [0.8, 0.8, 0.8, 0.8])?.contains("take more samples") == true)
    }

    /// The integrated map adds up to what the block's norm1 output adds to the logit; the gap shrinks with the nodes.
    @Test(arguments: RandomModel.all)
    func integratedCDAMIsComplete(_ random: RandomModel) throws {
        let few = try #require(try result("cdam:integrated=2", random.model, random.image(0)).notes["completeness-gap"]?.first)
        let many = try #require(try result("cdam:integrated=24", random.model, random.image(0)).notes["completeness-gap"]?.first)
        // Float32 logits of order 1 leave 1e-6; 1e-3 where they hardly differ.
        #expect(many < 1e-3 && many <= few + 1e-4, "\(few), \(many)")
    }

    /// Two seeds differ by no more than their standard errors say, and the noise leaves the plain map within them.
    @Test func smoothCDAMStatesItsError() throws {
        let random = RandomModel.all[0]
        let a = try result("cdam:smooth=200,seed=1", random.model, random.image(0))
        let b = try result("cdam:smooth=200,seed=2", random.model, random.image(0))
        let (ea, eb) = (try #require(a.error), try #require(b.error))
        for i in a.map.values.indices {
            let error = (ea.values[i] * ea.values[i] + eb.values[i] * eb.values[i]).squareRoot()
            // Six standard errors.
            #expect(abs(a.map.values[i] - b.map.values[i]) < 6 * error + 1e-6)
        }
        #expect(a.map != b.map)
        let plain = try result("cdam", random.model, random.image(0)).map
        #expect((Correlation.pearson(plain.values, a.map.values) ?? 0) > 0.9)
    }

    /// CDAM is HiResCAM before its ReLU.
    @Test(arguments: RandomModel.all)
    func cdamIsHiResCAM(_ random: RandomModel) throws {
        let cdam = try result("cdam", random.model, random.image(0)).map
        #expect(cdam.values == (try result("hirescam", random.model, random.image(0)).map.values))
    }

    /// Where there are no gates LibraGrad's product is CP-LRP's.
    @Test func libraIsCPLRPWithoutGates() throws {
        for random in RandomModel.all where random.configuration.mlp != .swiGLU {
            let libra = try result("libra", random.model, random.image(0)).map
            #expect(libra.values == (try result("cp-lrp", random.model, random.image(0)).map.values))
        }
    }
}
