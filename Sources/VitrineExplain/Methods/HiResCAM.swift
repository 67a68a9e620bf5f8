import VitrineImage
import VitrineModel
import VitrineTensor

/// HiResCAM (Draelos & Carin 2020, https://arxiv.org/abs/2011.08891): `sum_c g_c a_c` at the first LayerNorm of a block.
///
/// Signed; its display clips negatives, as pytorch-grad-cam does.
struct HiResCAM: TraceExplainer {
    static let methods = [
        Method(
            "hirescam", "gradient times activation at norm1", "Draelos & Carin 2020, arXiv:2011.08891", family: .cam, options: "block=last"
        ) { options throws(MethodError) in try HiResCAM(&options) }
    ]

    /// Nil: the last.
    var block: Int?

    init(_ options: inout MethodOptions) throws(MethodError) { block = try options.takeBlock() }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs { Needs(CAM.request(block: try network.block(block))) }

    func map(_ subject: Subject) -> MethodResult {
        let layer = CAM.layer(subject, block: block)
        return MethodResult(subject.patchMap(layer.activation.times(layer.gradient).summedOverLast(), .gradCAM))
    }
}
