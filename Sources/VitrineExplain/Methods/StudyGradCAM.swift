import VitrineImage
import VitrineModel

/// The Grad-CAM of the study: six variants, each projected on its first singular vector with whatever sign LAPACK returns, then clipped
/// (Chung et al. 2024, https://arxiv.org/abs/2503.09535).
///
/// Reproduced to show what it does: each of the six maps shows the evidence or its complement, by a coin flip. The note
/// `signs-agreeing` counts the variants whose sign is the documented one of `gradcam-eigen`, `correlations` gives each
/// one's correlation with plain Grad-CAM. `sign=flipped` takes the other side every time, `sign=documented` the rule.
struct StudyGradCAM: TraceExplainer {
    static let methods = [
        Method(
            "gradcam-study", "six variants, projected with LAPACK's arbitrary sign, as the study ran it",
            "Chung et al. 2024, arXiv:2503.09535", family: .cam, options: "block=last, sign=lapack|flipped|documented"
        ) { options throws(MethodError) in try StudyGradCAM(&options) }
    ]

    enum Sign: String, CaseIterable { case lapack, flipped, documented }

    var sign = Sign.lapack

    /// Nil: the last.
    var block: Int?

    init(_ options: inout MethodOptions) throws(MethodError) {
        block = try options.takeBlock()
        sign = try options.takeWord("sign", default: .lapack)
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs { try TestTimeAugmentation.needs(network, block: block) }

    func map(_ subject: Subject) -> MethodResult {
        var correlations: [Double] = []
        let map = TestTimeAugmentation.mean(subject) { variant in
            let projection = SignedProjection(CAM.layer(subject, variant, block: block))
            correlations.append(projection.correlation)
            switch sign {
            case .lapack: return projection.lapack
            case .flipped: return projection.lapack.map { -$0 }
            case .documented: return projection.documented
            }
        }
        let agreeing = correlations.reduce(0) { $0 + ($1 >= 0 ? 1 : 0) }
        return MethodResult(map, notes: ["signs-agreeing": [Double(agreeing)], "correlations": correlations])
    }
}
