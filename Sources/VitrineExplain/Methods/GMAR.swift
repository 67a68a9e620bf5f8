import VitrineImage
import VitrineModel
import VitrineTensor

/// Gradient-weighted multi-head attention rollout (https://arxiv.org/abs/2504.19414).
///
/// `w_h = ||dA_h|| / sum_h ||dA_h||` (norm 1 or 2 over all entries), rollout of `(sum_h w_h A_h + I) / 2`.
struct GMAR: TraceExplainer {
    static let methods = [
        Method(
            "gmar", "rollout with heads weighted by the norm of their gradients", "GMAR 2025, arXiv:2504.19414", family: .attention,
            options: "norm=1|2"
        ) { options throws(MethodError) in try GMAR(&options) }
    ]

    var norm: Int

    init(_ options: inout MethodOptions) throws(MethodError) {
        norm = try options.take("norm", default: 1, "1 or 2") { text in Int(text).flatMap { [1, 2].contains($0) ? $0 : nil } }
    }

    func needs(_ network: ViTConfiguration) -> Needs {
        let sites = Set(network.attentions.map(Site.attention))
        return Needs(TraceRequest(forward: sites, gradient: sites))
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let row = rolledOut(subject) { l in
            let (attention, gradient) = (trace.attention(l), trace.attentionGradient(l))
            let norms = (0..<attention.shape[0]).map { h in
                norm == 1 ? absoluteSum(gradient[h]) : squaredNorm([gradient[h]]).squareRoot()
            }
            let total = norms.reduce(0, +)
            // Half a share is the skip's; there is none around a pool.
            let hasResidual = l < subject.depth
            var fused = Tensor(attention[0].shape)
            // A block whose gradient vanishes weighs its heads alike.
            for (h, n) in norms.enumerated() {
                addScaled(attention[h], Float(total > 0 ? n / total : 1 / Double(norms.count)) / (hasResidual ? 2 : 1), to: &fused)
            }
            guard hasResidual else { return fused }
            let n = fused.shape[0]
            fused.withMutableSpan { m in for i in 0..<n { m[i * n + i] += 0.5 } }
            return fused
        }
        return MethodResult(subject.patchMap(subject.patches(row), .relevance))
    }
}
