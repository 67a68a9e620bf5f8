import VitrineImage
import VitrineModel
import VitrineTensor

/// Feature explanation method (Fuad et al. 2020, https://hal.science/hal-02963298): channels weighted by how often they stand out.
///
/// `w_c` = share of patches where `a_c > mean + 2 sd` (deviation over patches), map = `sum_c w_c a_c` at norm1. No gradient.
struct FEM: TraceExplainer {
    static let methods = [
        Method(
            "fem", "activations weighted by the share of patches two deviations up", "Fuad et al. 2020, hal-02963298", family: .cam,
            classSpecific: false, options: "block=last"
        ) { options throws(MethodError) in FEM(block: try options.takeBlock()) }
    ]

    var block: Int?

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs { Needs(TraceRequest(forward: [.norm1(try network.block(block))])) }

    func map(_ subject: Subject) -> MethodResult {
        let a = subject.patchRows(subject.values().value(.norm1(block ?? subject.depth - 1)))
        let (patches, channels) = (a.shape[0], a.shape[1])
        var map = [Float](repeating: 0, count: patches)
        a.withSpan { a in
            for c in 0..<channels {
                var (sum, squares) = (0.0, 0.0)
                for i in 0..<patches { sum += Double(a[i * channels + c]) }
                let mean = sum / Double(patches)
                for i in 0..<patches { squares += (Double(a[i * channels + c]) - mean) * (Double(a[i * channels + c]) - mean) }
                let threshold = Float(mean + 2 * (squares / Double(patches)).squareRoot())
                var above = 0
                for i in 0..<patches where a[i * channels + c] > threshold { above += 1 }
                let weight = Float(above) / Float(patches)
                for i in 0..<patches { map[i] += weight * a[i * channels + c] }
            }
        }
        return MethodResult(subject.patchMap(map, .gradCAM))
    }
}
