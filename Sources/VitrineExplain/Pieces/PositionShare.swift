import VitrineModel
import VitrineTensor

extension Probe {
    /// How much of a relevance `z_0 g` at the patches stands on their positions p instead of their content e, `z_0 = e + p`:
    /// `sum_i |<p_i, g_i>| / sum_i (|<p_i, g_i>| + |<e_i, g_i>|)` (PE-aware LRP, https://arxiv.org/abs/2506.02138).
    ///
    /// High where the decision hangs on where things are, or on the frame of the picture.
    ///
    /// - Parameters:
    ///   - tokens: z_0 `[tokens, width]`.
    ///   - gradient: what the pass downwards left there.
    /// - Returns: nil where nothing is added to the tokens for their positions, or where there is no relevance.
    func positionShare(_ tokens: Tensor, _ gradient: Tensor) throws(ViTError) -> Double? {
        // Behind a norm, content and position are no sum.
        guard model.inputNorm == nil else { return nil }
        let empty = try emptyTokens()
        var (position, content) = (0.0, 0.0)
        var hasPositions = false
        for row in network.prefixTokens..<tokens.shape[0] {
            // An image without content leaves the position and the bias of the patch embedding.
            var p = empty[row]
            if let bias = model.patchEmbedding.bias { addScaled(bias, -1, to: &p) }
            hasPositions = hasPositions || absoluteSum(p) > 0
            let ofPosition = dot(p, gradient[row])
            position += abs(ofPosition)
            content += abs(dot(tokens[row], gradient[row]) - ofPosition)
        }
        guard hasPositions, position + content > 0 else { return nil }
        return position / (position + content)
    }
}
