import VitrineImage
import VitrineModel
import VitrineTensor

/// Grad-CAM on the attention of one block, as Chefer et al. 2021 (https://arxiv.org/abs/2012.09838) compare with it.
///
/// `w_h` = mean over patches of the gradient's readout row, map = `max(0, mean_h w_h A_h)` in that row.
struct AttentionGradCAM: TraceExplainer {
    static let methods = [
        Method(
            "attention-gradcam", "attention of the readout, heads weighted by their mean gradient",
            "Chefer, Gur & Wolf 2021, arXiv:2012.09838",
            family: .attention, options: "block=last"
        ) { options throws(MethodError) in try AttentionGradCAM(&options) }
    ]

    var block: Int?

    init(_ options: inout MethodOptions) throws(MethodError) { block = try options.takeBlock() }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        let site = Site.attention(try network.attention(block))
        return Needs(TraceRequest(forward: network.readoutSites.union([site]), gradient: [site]))
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let l = block ?? subject.attentions - 1
        let readout = subject.readout(at: l)
        let (attention, gradient) = (trace.attention(l), trace.attentionGradient(l))
        let heads = attention.shape[0]
        var total = [Float](repeating: 0, count: subject.grid.count)
        for h in 0..<heads {
            let row = subject.patches(rowTimes(readout, attention[h]))
            let slopes = subject.patches(rowTimes(readout, gradient[h]))
            let weight = slopes.reduce(0, +) / Float(slopes.count) / Float(heads)
            for i in row.indices { total[i] += weight * row[i] }
        }
        return MethodResult(subject.patchMap(total.map { max($0, 0) }, .relevance))
    }
}
