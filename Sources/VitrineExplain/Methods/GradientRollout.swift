import VitrineImage
import VitrineModel
import VitrineTensor

/// Rollout of attention times its gradient (Gildenblat's grad rollout in its sound form; Abnar & Zuidema 2020, arXiv:2005.00928).
///
/// `E_l = mean_h max(0, A_l dA_l)`, rows of `E_l + I` divided by their sum, map = the readout row of the product.
struct GradientRollout: TraceExplainer {
    static let methods = [
        Method(
            "gradient-rollout", "rollout of attention times its gradient, positive part", "Gildenblat 2020, vit-explain, repaired",
            family: .attention, options: "start=0"
        ) { options throws(MethodError) in try GradientRollout(&options) }
    ]

    var start: Int

    init(_ options: inout MethodOptions) throws(MethodError) {
        start = try options.takeInteger("start", default: 0)
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        let sites = Set(try network.attentions(from: start).map(Site.attention))
        return Needs(TraceRequest(forward: sites, gradient: sites))
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let row = rolledOut(subject, from: start) { l in
            var product = trace.attention(l).times(trace.attentionGradient(l))
            clampNegatives(&product)
            var mean = meanOverHeads(product)
            normaliseRowsWithIdentity(&mean, hasResidual: l < subject.depth)
            return mean
        }
        return MethodResult(subject.patchMap(subject.patches(row), .relevance))
    }
}
