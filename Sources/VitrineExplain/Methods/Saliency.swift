import VitrineImage
import VitrineModel
import VitrineTensor

/// The gradient by the pixels (Simonyan et al. 2013, https://arxiv.org/abs/1312.6034): the largest, or the mean, of |dy/dx| over channels.
struct Saliency: TraceExplainer {
    enum Reduction: String, CaseIterable { case max, mean }

    static let methods = [
        Method(
            "saliency", "magnitude of the gradient by the pixels", "Simonyan et al. 2013, arXiv:1312.6034", family: .gradient,
            options: "reduce=max|mean"
        ) { options throws(MethodError) in Saliency(reduction: try options.takeWord("reduce", default: .max)) }
    ]

    var reduction: Reduction

    func needs(_ network: ViTConfiguration) -> Needs { Needs(TraceRequest(gradient: [.pixels])) }

    func map(_ subject: Subject) -> MethodResult {
        let gradient = subject.values().gradient(.pixels)
        let (channels, plane) = (gradient.shape[0], subject.height * subject.width)
        let map = gradient.withSpan { g in
            (0..<plane).map { i -> Float in
                var (largest, sum) = (Float(0), Float(0))
                for c in 0..<channels {
                    let value = abs(g[c * plane + i])
                    // NaN must not be passed over.
                    largest = value > largest || value.isNaN ? value : largest
                    sum += value
                }
                return reduction == .max ? largest : sum / Float(channels)
            }
        }
        return MethodResult(subject.pixelMap(map, .pixels))
    }
}
