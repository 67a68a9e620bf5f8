import VitrineImage
import VitrineModel
import VitrineTensor

/// CP-LRP with the generalised gamma rule in the MLP's maps, the head and the patch embedding, as LXT and zennit run it together on vision
/// transformers (Achtibat et al. 2024, https://arxiv.org/abs/2402.05602): positive terms count `1 + gamma` times.
struct GammaLRP: Explainer {
    static let methods = [
        Method(
            "gamma-lrp", "CP-LRP with the gamma rule in linear maps", "Achtibat et al. 2024, arXiv:2402.05602; zennit", family: .relevance,
            options: "linear=0.05, conv=0.25, level=pixel|token"
        ) { options throws(MethodError) in try GammaLRP(&options) }
    ]

    private var inner: ValueTimesGradient

    init(_ options: inout MethodOptions) throws(MethodError) {
        var rule = GradientRule.cpLRP
        rule.gamma = try options.takeNumber("linear", default: 0.05, .atLeastZero)
        rule.patchGamma = try options.takeNumber("conv", default: 0.25, .atLeastZero)
        inner = ValueTimesGradient(rule: rule, level: try options.takeWord("level", default: .pixel))
    }

    func needs(_ network: ViTConfiguration) -> Needs { inner.needs(network) }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult { try inner.map(subject, probe) }
}
