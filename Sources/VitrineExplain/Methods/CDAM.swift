import VitrineImage
import VitrineModel
import VitrineTensor

/// Class-discriminative attention map (Brocki, Binda & Chung 2023, https://arxiv.org/abs/2312.02364): `sum_c T_c dy/dT_c` at norm1, signed.
///
/// It is HiResCAM before its ReLU. `smooth=N` averages over N copies of the tokens under normal noise of a tenth of their deviation;
/// `integrated=N` multiplies T by the mean gradient at `(k - 1/2)/N T`, k = 1..N, whose sum is y(T) - y(0) for the block's norm1 output. Both run the
/// network from the block on, with T in the place of norm1's output.
struct CDAM: Explainer {
    static let methods = [
        Method(
            "cdam", "gradient times activation at norm1, signed", "Brocki, Binda & Chung 2023, arXiv:2312.02364", family: .cam,
            options: "block=last"
        ) { options throws(MethodError) in CDAM(block: try options.takeBlock()) }
    ]

    var block: Int?

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs { Needs(CAM.request(block: try network.block(block))) }

    func map(_ subject: Subject, _ probe: Probe) -> MethodResult {
        let layer = CAM.layer(subject, block: block)
        return MethodResult(
            subject.patchMap(
                layer.activation.times(layer.gradient).summedOverLast(), DisplayRule(upsampling: .nearest, normalisation: .minMax)))
    }
}
