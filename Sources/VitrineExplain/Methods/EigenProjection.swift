import VitrineImage
import VitrineModel
import VitrineTensor

/// Grad-CAM smoothed by the first principal projection, with a sign that means something (methods.md §4, rule `corr`).
///
/// `X = w_c a_c`, centred by channel; map = `X v_1`. A singular vector's sign is arbitrary, so the projection alone cannot tell
/// evidence from its complement; here the sign is the one that correlates positively with plain Grad-CAM. A map
/// uncorrelated with Grad-CAM keeps LAPACK's sign, and the note `correlation-with-gradcam` says how weak the link was.
struct EigenProjection: Explainer {
    func needs(_ configuration: ViTConfiguration) -> [InputVariant: TraceRequest] { [.identity: CAM.request(configuration)] }

    func map(_ subject: Subject) -> MethodResult {
        let signed = SignedProjection(CAM.layer(subject, .identity))
        return MethodResult(
            subject.patchMap(signed.documented, .gradCAM), notes: ["correlation-with-gradcam": [abs(signed.correlation)]])
    }
}

/// A projection under both sign rules.
struct SignedProjection {
    /// As LAPACK returned it.
    let lapack: [Float]
    /// Pearson's correlation of `lapack` with plain Grad-CAM on the grid; 0 when either is constant.
    let correlation: Double

    init(_ layer: CAM.Layer) {
        lapack = CAM.lapackProjection(CAM.centredWeighted(layer))
        correlation = Correlation.pearson(lapack, CAM.weightedSum(layer)) ?? 0
    }

    /// Whether LAPACK's sign is the documented one.
    var agrees: Bool { correlation >= 0 }
    /// Positively correlated with plain Grad-CAM.
    var documented: [Float] { agrees ? lapack : lapack.map { -$0 } }
}
