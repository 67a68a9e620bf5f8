import VitrineImage
import VitrineModel
import VitrineTensor

/// Generic attention explainability (Chefer, Gur & Wolf 2021, https://arxiv.org/abs/2103.15679, eq. 5-6).
///
/// `C_l = mean_h max(0, dA_l A_l)`, `R <- R + C_l R` from the identity; map = the readout row of R, without the identity itself. Attention
/// pooling is cross-attention: its row is `C R` (eq. 10 there, for one query).
/// `heads=averaged`: the mean over heads before the ReLU, as txv 0.0.2 has it, where what one head sees is taken off what another does.
struct GenericAttention: TraceExplainer {
    static let methods = [
        Method(
            "generic-attention", "product of attention times its gradient, positive part", "Chefer, Gur & Wolf 2021, arXiv:2103.15679",
            family: .attention, options: "start=0, heads=rectified|averaged"
        ) { options throws(MethodError) in try GenericAttention(&options) }
    ]

    /// The first block of the product.
    var start: Int
    enum Heads: String, CaseIterable { case rectified, averaged }
    var heads: Heads

    init(_ options: inout MethodOptions) throws(MethodError) {
        start = try options.takeInteger("start", default: 0)
        heads = try options.takeWord("heads", default: .rectified)
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        let sites = Set(try network.attentions(from: start).map(Site.attention))
        return Needs(TraceRequest(forward: sites, gradient: sites))
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let row = rolledOutBeyondIdentity(subject, from: start) { l in
            var product = trace.attention(l).times(trace.attentionGradient(l))
            if heads == .rectified { clampNegatives(&product) }
            var mean = meanOverHeads(product)
            if heads == .averaged { clampNegatives(&mean) }
            return mean
        }
        return MethodResult(subject.patchMap(subject.patches(row), .relevance))
    }
}
