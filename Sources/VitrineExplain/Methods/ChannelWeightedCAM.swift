import VitrineImage
import VitrineModel
import VitrineTensor

/// The CAMs that weight channels or elements of one LayerNorm's output by its gradient, as pytorch-grad-cam has them.
///
/// With a the activations at the patches and g their gradient by the target (`[patches, channels]`):
/// - `gradcam-plusplus` (Chattopadhay et al. 2018, eq. 19): `w_c = sum max(g, 0) g² / (2 g² + (sum a_c) g³ + 1e-6)`, map = `sum_c w_c a_c`;
/// - `xgradcam` (Fu et al. 2020): `w_c = sum g a / (sum a_c + 1e-7)`, map = `sum_c w_c a_c`;
/// - `elementwise-cam`: `sum_c max(g a, 0)`;
/// - `layercam` (Jiang et al. 2021): `sum_c max(g, 0) a`.
///
/// LayerNorm outputs are signed, so sums of activations in a denominator may come near 0 and make spikes. After the last block nothing but
/// the readout reaches the logits, which is why norm1 is read and not the block's output.
enum ChannelCAM: String {
    case plusplus = "gradcam-plusplus"
    case xgrad = "xgradcam"
    case elementwise = "elementwise-cam"
    case layer = "layercam"

    fileprivate func map(_ layer: CAM.Layer) -> [Float] {
        let (patches, channels) = (layer.activation.shape[0], layer.activation.shape[1])
        var map = [Float](repeating: 0, count: patches)
        layer.activation.withSpan { a in
            layer.gradient.withSpan { g in
                switch self {
                case .plusplus, .xgrad:
                    for c in 0..<channels {
                        var sum: Float = 0
                        for i in 0..<patches { sum += a[i * channels + c] }
                        var weight: Float = 0
                        for i in 0..<patches {
                            let (ai, gi) = (a[i * channels + c], g[i * channels + c])
                            if self == .xgrad {
                                weight += gi * ai / (sum + 1e-7)
                            } else if gi > 0 {
                                weight += gi * gi * gi / (2 * gi * gi + sum * gi * gi * gi + 1e-6)
                            }
                        }
                        for i in 0..<patches { map[i] += weight * a[i * channels + c] }
                    }
                case .elementwise: for i in 0..<patches { for j in i * channels..<(i + 1) * channels { map[i] += max(g[j] * a[j], 0) } }
                case .layer: for i in 0..<patches { for j in i * channels..<(i + 1) * channels { map[i] += max(g[j], 0) * a[j] } }
                }
            }
        }
        return map
    }
}

struct ChannelWeightedCAM: TraceExplainer {
    static let methods: [Method] = [
        (ChannelCAM.plusplus, "Grad-CAM++ at norm1", "Chattopadhay et al. 2018, arXiv:1710.11063"),
        (.elementwise, "positive part of gradient times activation at norm1", "pytorch-grad-cam, GradCAMElementWise"),
        (.layer, "positive gradient times activation at norm1", "Jiang et al. 2021, LayerCAM (IEEE TIP)"),
        (.xgrad, "XGrad-CAM at norm1", "Fu et al. 2020, arXiv:2008.02312"),
    ].map { kind, summary, citation in
        Method(kind.rawValue, summary, citation, family: .cam, options: "block=last") { options throws(MethodError) in
            ChannelWeightedCAM(kind: kind, block: try options.takeBlock())
        }
    }

    var kind: ChannelCAM
    /// Nil: the last.
    var block: Int?

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs { Needs(CAM.request(block: try network.block(block))) }

    func map(_ subject: Subject) -> MethodResult {
        MethodResult(subject.patchMap(kind.map(CAM.layer(subject, block: block)), .gradCAM))
    }
}
