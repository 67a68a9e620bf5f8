import VitrineImage
import VitrineModel
import VitrineTensor

/// Attention rollout, Chefer's variant (Abnar & Zuidema 2020, https://arxiv.org/abs/2005.00928).
///
/// `B_l = (mean_h A_l + I) / rowsum`, map = the readout row of `B_L ... B_s`. Class-agnostic. Only the row is ever needed, so the
/// product runs from the left as vector times matrix: O(blocks * tokens^2).
///
/// `fusion` of the heads, and `discard`, the share of smallest entries set to 0 before the identity is added, are vit-explain's; `reading=vit-explain`
/// divides by the sums of other rows, as its code does (`RolloutReading`).
struct AttentionRollout: TraceExplainer {
    static let methods = [
        Method(
            "rollout", "product of head-averaged attention with the residual path", "Abnar & Zuidema 2020, arXiv:2005.00928",
            family: .attention, classSpecific: false, options: "start=0, fusion=mean|max|min, discard=0, reading=sound|vit-explain"
        ) { options throws(MethodError) in try AttentionRollout(&options) }
    ]

    /// s, the first block of the product.
    var start = 0
    var fusion = HeadFusion.mean
    var discard = 0.0
    var reading = RolloutReading.sound

    init(_ options: inout MethodOptions) throws(MethodError) {
        start = try options.takeInteger("start", default: 0)
        fusion = try options.takeWord("fusion", default: .mean)
        discard = try options.takeNumber("discard", default: 0, .belowOne)
        reading = try options.takeWord("reading", default: .sound)
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        try reading.check(network)
        return Needs(TraceRequest(forward: Set(try network.attentions(from: start).map(Site.attention))))
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let row = rolledOut(subject, from: start) { l in
            var fused = fusion(trace.attention(l))
            discardSmallest(&fused, share: discard, keepsFirst: reading == .vitExplain)
            reading.normalise(&fused, hasResidual: l < subject.depth)
            return fused
        }
        return MethodResult(subject.patchMap(subject.patches(row), .relevance))
    }
}
