import VitrineImage
import VitrineModel
import VitrineTensor

/// Grad-ECLIP in its true multi-head form (Zhao et al. 2024, https://arxiv.org/abs/2502.18816).
///
/// In the last block, for the tokens the head reads: `lambda_h,i` = the cosine of query and key, min-max over patches per head;
/// map = `max(0, sum_h lambda_h,i <g_h, v_hi>)`, g the gradient by the attention's output. The authors recompute the block with one head of full
/// width, whose score is not the model's. Mean pooling: the mean of queries and of gradients over the patches;
/// attention pooling: of queries, as much as the pool attends to them.
struct GradECLIP: TraceExplainer {
    static let methods = [
        Method(
            "grad-eclip", "values weighted by their gradient and by the match of query and key", "Zhao et al. 2024, Grad-ECLIP (ICML)",
            family: .attention
        ) { _ in GradECLIP() }
    ]

    func needs(_ network: ViTConfiguration) -> Needs {
        let l = network.depth - 1
        return Needs(TraceRequest(forward: network.readoutSites.union([.qkv(l)]), gradient: [.context(l)]))
    }

    func map(_ subject: Subject) -> MethodResult {
        let l = subject.depth - 1
        let trace = subject.values()
        let qkv = trace.value(.qkv(l))
        let gradient = trace.gradient(.context(l))
        let (width, d) = (subject.network.width, subject.network.headWidth)
        // One row: the query and the gradient of what the head reads. A mean's gradient is spread over its patches, so it is summed.
        let query = rowTimes(subject.readout(at: l), qkv)
        var ones = Tensor([1, gradient.shape[0]])
        ones.fill(1)
        let g = rowTimes(ones, gradient)
        var map = [Float](repeating: 0, count: subject.grid.count)
        for h in 0..<subject.network.heads {
            let q = query.reshaped([3 * width])[h * d..<(h + 1) * d]
            let slope = g.reshaped([width])[h * d..<(h + 1) * d]
            let rows = (0..<subject.grid.count).map { qkv[subject.prefix + $0] }
            let cosines = rows.map { row -> Double in
                let k = row[width + h * d..<width + (h + 1) * d]
                return dot(q, k) / (squaredNorm([q]) * squaredNorm([k])).squareRoot()
            }
            let (low, high) = (cosines.min()!, cosines.max()!)
            for (i, row) in rows.enumerated() {
                let lambda = high > low ? (cosines[i] - low) / (high - low) : 1
                map[i] += Float(lambda * dot(slope, row[2 * width + h * d..<2 * width + (h + 1) * d]))
            }
        }
        return MethodResult(subject.patchMap(map.map { max($0, 0) }, .relevance))
    }
}
