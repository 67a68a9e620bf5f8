import VitrineImage
import VitrineModel
import VitrineTensor

/// Ablation-CAM (Desai & Ramaswamy 2020, WACV): channels of norm1's output weighted by what the answer loses without them.
///
/// `w_c = (y - y_without c) / y`, map = `sum_c w_c a_c`. `zero` and `mean` replace the channel at the patches; `reference` is pytorch-grad-cam's
/// `AblationLayerVit`: the channel of all tokens becomes ten million less than the smallest value (0 where that is 0), which saturates queries and
/// keys. Only the blocks from there on run, once per channel.
struct AblationCAM: Explainer {
    enum Ablation: String, CaseIterable { case zero, mean, reference }

    static let methods = [
        Method(
            "ablationcam", "channels weighted by what the answer loses without them", "Desai & Ramaswamy 2020, Ablation-CAM (WACV)",
            family: .cam,
            options: "block=last, ablation=zero|mean|reference"
        ) { options throws(MethodError) in
            AblationCAM(block: try options.takeBlock(), ablation: try options.takeWord("ablation", default: .zero))
        }
    ]

    var block: Int?
    var ablation: Ablation

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        let l = try network.block(block)
        return Needs(TraceRequest(forward: [.norm1(l), .tokens(l)]), needsClass: true)
    }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        Passes(forward: Double(network.width) * Double(network.depth - (block ?? network.depth - 1)) / Double(network.depth))
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let target = try probe.requiredTarget()
        let l = block ?? subject.depth - 1
        let trace = subject.values()
        let (u, z) = (trace.value(.norm1(l)), trace.value(.tokens(l)))
        let (n, channels) = (u.shape[0], u.shape[1])
        let lowest = minMax(u).minimum
        let inputs = (0..<channels).lazy.map { c -> (tokens: Tensor, norm1: Tensor) in
            var changed = u
            changed.withMutableSpan { span in
                switch ablation {
                case .zero: for i in subject.prefix..<n { span[i * channels + c] = 0 }
                case .mean:
                    var sum: Float = 0
                    for i in subject.prefix..<n { sum += span[i * channels + c] }
                    for i in subject.prefix..<n { span[i * channels + c] = sum / Float(n - subject.prefix) }
                case .reference: for i in 0..<n { span[i * channels + c] = lowest == 0 ? 0 : lowest - 1e7 }
                }
            }
            return (tokens: z, norm1: changed)
        }
        let whole = target.value(logits: subject.logits)
        guard whole != 0 else { throw MethodFailure("the target's value is 0, and weights are shares of it") }
        var weights: [Float] = []
        try probe.logits(enteringNorm1Of: l, inputs) { _, logits in weights.append((whole - target.value(logits: logits)) / whole) }
        var map = Tensor([subject.grid.count, 1])
        multiply(subject.patchRows(u).matrix, Tensor([channels, 1], weights).matrix, into: &map)
        return MethodResult(subject.patchMap(map.values, .gradCAM))
    }
}
