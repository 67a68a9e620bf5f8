import VitrineImage
import VitrineModel
import VitrineTensor

/// CP-LRP as LXT runs it on vision transformers (Ali et al. 2022, https://arxiv.org/abs/2202.07304).
///
/// Input times a gradient in which attention counts as a constant, a norm's deviation too, and an activation's derivative is `f(x)/x`.
/// Channels (or, at `level=token`, the width of z_0) summed. Starts from the logit, so without biases the sum would be the logit; the
/// note `sum-over-logit` says what it is.
struct CPLRP: TraceExplainer {
    static let methods = [
        Method(
            "cp-lrp", "relevance with attention as a constant", "Ali et al. 2022, arXiv:2202.07304; LXT's default for ViTs",
            family: .relevance, options: "level=pixel|token"
        ) { options throws(MethodError) in try CPLRP(&options) }
    ]

    var level: InputLevel

    init(_ options: inout MethodOptions) throws(MethodError) {
        level = try options.take("level", default: .pixel) { InputLevel(rawValue: $0) }
    }

    func needs(_ network: ViTConfiguration) -> Needs { Needs(InputTimesGradient.request(.cpLRP, level)) }

    func map(_ subject: Subject) throws -> MethodResult { try InputTimesGradient.map(subject, .cpLRP, level) }
}
