import Testing
import VitrineModel
import VitrineTensor

@testable import VitrineTrain

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite struct ScratchWeightsTests {
    private let configuration = ViTConfiguration(
        patchSize: 4, width: 64, depth: 2, heads: 2, hidden: 256, classes: 2, positionGrid: PatchGrid(rows: 3, columns: 5), registers: 0,
        pooling: .classToken, mlp: .activation(.gelu))

    private func weights(_ kind: ScratchWeights) -> [String: Tensor] {
        let model = VisionTransformer.scratch(configuration, seed: 4, weights: kind)
        return Dictionary(uniqueKeysWithValues: model.parameters.map { ($0.info.name, $0.tensor) })
    }

    /// Fan-in weights keep the size of what passes through a map; timm's do not look at its inputs.
    @Test func fanInMapsHaveTheDeviationOfTheirInputs() throws {
        let (timm, fanIn) = (weights(.timm), weights(.fanIn))
        for (name, inputs) in [("blocks.0.attn.qkv.weight", 64), ("blocks.1.mlp.fc1.weight", 64), ("blocks.1.mlp.fc2.weight", 256)] {
            func deviation(_ tensor: Tensor) -> Double {
                (tensor.values.reduce(0) { $0 + Double($1) * Double($1) } / Double(tensor.count)).squareRoot()
            }
            let values = try #require(fanIn[name])
            // The deviation of n numbers is known to 1 / sqrt(2n); four of that.
            let slack = 4 / Double(2 * values.count).squareRoot()
            #expect(abs(deviation(values) * Double(inputs).squareRoot() - 1) < slack, "\(name)")
            #expect(abs(deviation(try #require(timm[name])) / 0.02 - 1) < slack, "\(name)")
        }
        // All else but positions is drawn as before.
        for name in ["head.weight", "patch_embed.proj.weight", "cls_token", "blocks.0.norm1.weight", "blocks.0.attn.qkv.bias"] {
            #expect(try #require(fanIn[name]).values == timm[name]?.values, "\(name)")
        }
    }

    @Test func fanInPositionsAreSinesAndCosinesOfColumnAndRow() throws {
        let (timm, fanIn) = (try #require(weights(.timm)["pos_embed"]), try #require(weights(.fanIn)["pos_embed"]))
        #expect(Array(fanIn.values.prefix(64)) == Array(timm.values.prefix(64)), "the class token's is drawn")
        for (row, column) in [(0, 0), (1, 3), (2, 4)] {
            let own = Array(fanIn.values[(1 + row * 5 + column) * 64..<(2 + row * 5 + column) * 64])
            for k in 0..<16 {
                let frequency = exp(-Double(k) / 16 * log(100))
                let expected = [
                    sin(Double(column) * frequency), cos(Double(column) * frequency), sin(Double(row) * frequency),
                    cos(Double(row) * frequency),
                ]
                for (part, value) in expected.enumerated() {
                    // Rounding of the sine of a Float64 angle to Float32.
                    #expect(abs(Double(own[16 * part + k]) - value / 2) < 1e-7)
                }
            }
        }
    }

    @Test func aRecipeNamesItsWeights() throws {
        var recipe = Recipe()
        #expect(recipe.scratch == .timm)
        try RecipeField.apply([(name: "init", value: "scratch-fan-in")], to: &recipe, source: "test")
        #expect(recipe.scratch == .fanIn)
        recipe.initialisation = "model.safetensors"
        #expect(recipe.scratch == nil)
    }
}
