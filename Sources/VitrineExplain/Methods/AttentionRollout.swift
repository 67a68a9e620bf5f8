import VitrineImage
import VitrineModel
import VitrineTensor

/// Attention rollout, Chefer's variant (Abnar & Zuidema 2020, https://arxiv.org/abs/2005.00928).
///
/// `B_l = (mean_h A_l + I) / rowsum`, map = the readout row of `B_L ... B_s`. Class-agnostic. Only the row is ever needed, so the
/// product runs from the left as vector times matrix: O(blocks * tokens^2).
struct AttentionRollout: TraceExplainer {
    static let methods = [
        Method(
            "rollout", "product of head-averaged attention with the residual path", "Abnar & Zuidema 2020, arXiv:2005.00928",
            family: .attention, classSpecific: false, options: "start=0"
        ) { options throws(MethodError) in try AttentionRollout(&options) }
    ]

    /// s, the first block of the product.
    var start = 0

    init(_ options: inout MethodOptions) throws(MethodError) {
        start = try options.takeInteger("start", default: 0)
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        Needs(TraceRequest(forward: Set(try network.attentions(from: start).map(Site.attention))))
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let row = rolledOut(subject, from: start) { l in
            var mean = meanOverHeads(trace.attention(l))
            normaliseRowsWithIdentity(&mean, hasResidual: l < subject.depth)
            return mean
        }
        return MethodResult(subject.patchMap(subject.patches(row), .relevance))
    }
}
