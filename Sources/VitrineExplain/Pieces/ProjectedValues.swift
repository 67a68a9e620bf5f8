import VitrineModel
import VitrineTensor

extension ViTConfiguration {
    /// Refuses a method that carries values through the projections of the blocks alone, for a network that norms the context before them or
    /// pools by attention behind them.
    func checkProjectedValues(_ method: String) throws(ViTError) {
        if pooling == .attention { throw .unfitting(what: method, network: "attention pooling") }
        if hasContextNorm { throw .unfitting(what: method, network: "a norm between attention and its projection") }
    }
}

extension Probe {
    /// Each head's values carried through the projection of a block, LayerScale included: `v_hj Wo_h`, `[heads, tokens, width]`.
    ///
    /// Weighted by the attention and summed over heads and tokens they are the attention branch without its bias.
    func projectedValues(_ block: Int, qkv: Tensor) -> Tensor {
        let weights = model.blocks[block]
        let (n, width, d, heads) = (qkv.shape[0], network.width, network.headWidth, network.heads)
        var result = Tensor([heads, n, width])
        for h in 0..<heads {
            let values = qkv.matrix(MatrixWindow(start: 2 * width + h * d, rows: n, columns: d, stride: 3 * width))
            let part = weights.projection.weight.matrix(MatrixWindow(start: h * d, rows: width, columns: d, stride: width))
            multiply(
                values, part.transposed, into: &result, window: MatrixWindow(start: h * n * width, rows: n, columns: width, stride: width))
        }
        precondition(weights.contextNorm == nil, "values behind a norm are no sum over tokens")
        guard let gamma = weights.scale1 else { return result }
        var scaled = Tensor(result.shape)
        scaleColumns(result, by: gamma, into: &scaled)
        return scaled
    }
}
