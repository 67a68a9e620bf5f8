import VitrineImage
import VitrineModel
import VitrineTensor

/// ALTI, token mixing measured by the vectors that attention really adds (Ferrando et al. 2022, https://arxiv.org/abs/2203.04212).
///
/// `T_i(j) = sum_h A_h[i,j] v_hj Wo_h + [i=j] x_i`, `y_i` their sum with the bias (z'), `C_ij = max(0, |y_i| - |y_i - T_i(j)|)` in the L1 norm,
/// rows divided by their sums; map = the readout row of the product over blocks. LayerScale is multiplied in, LayerNorm left out.
/// Complexity: O(blocks · tokens² · width).
struct ALTI: Explainer {
    static let methods = [
        Method(
            "alti", "rollout of what each token's vector contributes", "Ferrando et al. 2022, arXiv:2203.04212", family: .decomposition,
            classSpecific: false, options: "start=0"
        ) { options throws(MethodError) in try ALTI(&options) }
    ]

    var start: Int

    init(_ options: inout MethodOptions) throws(MethodError) {
        start = try options.takeInteger("start", default: 0)
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        try network.checkProjectedValues("alti")
        return Needs(
            TraceRequest(
                forward: Set(try network.blocks(from: start).flatMap { [Site.attention($0), .qkv($0), .tokens($0), .middle($0)] })))
    }

    func map(_ subject: Subject, _ probe: Probe) -> MethodResult {
        let trace = subject.values()
        let row = rolledOut(subject, from: start) { l in
            contributions(probe.projectedValues(l, qkv: trace.value(.qkv(l))), trace, l)
        }
        return MethodResult(subject.patchMap(subject.patches(row), .relevance))
    }

    /// C `[N, N]` of one block.
    private func contributions(_ values: Tensor, _ trace: ImageTrace, _ l: Int) -> Tensor {
        let (attention, x, y) = (trace.attention(l), trace.value(.tokens(l)), trace.value(.middle(l)))
        let (heads, n, d) = (attention.shape[0], attention.shape[1], x.shape[1])
        let norms = (0..<n).map { absoluteSum(y[$0]) }
        var result = Tensor([n, n])
        var weights = Tensor([n, heads])
        var vectors = Tensor([heads, d])
        var rest = Tensor([n, d])
        for j in 0..<n {
            attention.withSpan { a in
                weights.withMutableSpan { w in
                    for i in 0..<n { for h in 0..<heads { w[i * heads + h] = a[(h * n + i) * n + j] } }
                }
            }
            for h in 0..<heads { vectors.replace(from: h * d, with: values[h][j]) }
            // y_i - T_i(j) for every query i.
            rest.replace(from: 0, with: y)
            multiply(weights.matrix, vectors.matrix, into: &rest, alpha: -1, beta: 1)
            var own = rest[j]
            addScaled(x[j], -1, to: &own)
            rest.replace(from: j * d, with: own)
            result.withMutableSpan { c in for i in 0..<n { c[i * n + j] = Float(max(0, norms[i] - absoluteSum(rest[i]))) } }
        }
        result.withMutableSpan { c in
            for i in 0..<n {
                var sum: Float = 0
                for j in 0..<n { sum += c[i * n + j] }
                // A token to which nothing contributes keeps itself.
                if sum == 0 { c[i * n + i] = 1 } else { for j in 0..<n { c[i * n + j] /= sum } }
            }
        }
        return result
    }
}
