import VitrineImage
import VitrineModel

/// Grad-CAM at the first LayerNorm of the last block (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391).
///
/// `w_c = mean_ij g_c`, map = `sum_c w_c a_c`, with a the LayerNorm's output at the patches and g its gradient by the target.
/// After that point only the class token reaches the logits. The raw map is signed; its display clips negatives, as
/// pytorch-grad-cam does.
struct GradCAM: TraceExplainer {
    static let methods = [
        Method("gradcam", "Grad-CAM at norm1 of the last block", "Selvaraju et al. 2017, arXiv:1610.02391", family: .cam) { _ in
            GradCAM()
        }
    ]

    func needs(_ network: ViTConfiguration) -> Needs { Needs(CAM.request(block: network.depth - 1)) }

    func map(_ subject: Subject) -> MethodResult {
        MethodResult(subject.patchMap(CAM.weightedSum(CAM.layer(subject)), .gradCAM))
    }
}
