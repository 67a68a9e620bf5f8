import VitrineImage
import VitrineModel

/// Grad-CAM at the first LayerNorm of a block, by default the last (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391).
///
/// `w_c = mean_ij g_c`, map = `sum_c w_c a_c`, with a the LayerNorm's output at the patches and g its gradient by the target.
/// After the last block only the tokens that the head reads reach the logits, so that nothing could be seen there. The raw map is signed; its display clips negatives, as
/// pytorch-grad-cam does.
struct GradCAM: TraceExplainer {
    static let methods = [
        Method(
            "gradcam", "Grad-CAM at norm1", "Selvaraju et al. 2017, arXiv:1610.02391", family: .cam, options: "block=last"
        ) { options throws(MethodError) in GradCAM(block: try options.takeBlock()) }
    ]

    /// Nil: the last.
    var block: Int?

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs { Needs(CAM.request(block: try network.block(block))) }

    func map(_ subject: Subject) -> MethodResult {
        MethodResult(subject.patchMap(CAM.weightedSum(CAM.layer(subject, block: block)), .gradCAM))
    }
}
