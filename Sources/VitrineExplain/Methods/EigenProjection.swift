import VitrineImage
import VitrineModel
import VitrineTensor

/// Grad-CAM smoothed by the first principal projection, with a sign that means something.
///
/// `X = w_c a_c`, centred by channel; map = `X v_1`. A singular vector's sign is arbitrary, so the projection alone cannot tell
/// evidence from its complement; here the sign is the one that correlates positively with plain Grad-CAM. A map
/// uncorrelated with Grad-CAM keeps LAPACK's sign, and the note `correlation-with-gradcam` says how weak the link was.
struct EigenProjection: TraceExplainer {
    static let methods = [
        Method(
            "gradcam-eigen", "Grad-CAM's first principal projection, sign by correlation with Grad-CAM",
            "Muhammad & Yeasin 2020, arXiv:2008.00299; sign rule: this project", family: .cam, options: "block=last"
        ) { options throws(MethodError) in EigenProjection(block: try options.takeBlock()) }
    ]

    /// Nil: the last.
    var block: Int?

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs { Needs(CAM.request(block: try network.block(block))) }

    func map(_ subject: Subject) -> MethodResult {
        let signed = SignedProjection(CAM.layer(subject, block: block))
        return MethodResult(
            subject.patchMap(signed.documented, .gradCAM), notes: ["correlation-with-gradcam": [abs(signed.correlation)]])
    }
}
