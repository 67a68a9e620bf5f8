import VitrineImage
import VitrineModel
import VitrineTensor

/// Grad-ECLIP in its true multi-head form (Zhao et al. 2024, https://arxiv.org/abs/2502.18816).
///
/// In the last block, for the tokens the head reads: `lambda_h,i` = the cosine of query and key, min-max over patches per head;
/// map = `max(0, sum_h lambda_h,i <g_h, v_hi>)`, g the gradient by the attention's output. Mean pooling: the mean of queries and of gradients
/// over the patches; attention pooling: of queries, as much as the pool attends to them.
///
/// `heads=one` is the authors' code for CLIP: the last block is run again with one head of full width, whose score is not the model's, and
/// queries and keys are compared behind the output projection. One more pass of one block up and down.
struct GradECLIP: Explainer {
    enum Heads: String, CaseIterable { case all, one }

    static let methods = [
        Method(
            "grad-eclip", "values weighted by their gradient and by the match of query and key", "Zhao et al. 2024, Grad-ECLIP (ICML)",
            family: .attention, options: "heads=all|one"
        ) { options throws(MethodError) in GradECLIP(heads: try options.takeWord("heads", default: .all)) }
    ]

    var heads: Heads

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        let l = network.depth - 1
        guard heads == .one else {
            return Needs(TraceRequest(forward: network.readoutSites.union([.qkv(l)]), gradient: [.context(l)]))
        }
        if network.rotary != nil || network.hasRelativePositions || network.hasQueryKeyNorm || network.hasContextNorm {
            throw .unfitting(what: "one head of full width", network: "positions or norms inside its attention")
        }
        if network.pooling == .attention { throw .unfitting(what: "one head of full width", network: "attention pooling") }
        return Needs(TraceRequest(forward: [.tokens(l)]), needsClass: true)
    }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        heads == .all ? Passes() : Passes(forward: 1 / Double(network.depth), backward: 1 / Double(network.depth))
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let l = subject.depth - 1
        var map: [Float] = []
        switch heads {
        case .all:
            let trace = subject.values()
            map = weighted(trace.value(.qkv(l)), trace.gradient(.context(l)), heads: subject.network.heads, compared: nil, subject)
        case .one:
            let single = probe.changed { $0.configuration.heads = 1 }
            let request = TraceRequest(forward: [.qkv(l)], gradient: [.context(l)])
            try single.traces(entering: l, [(tokens: subject.values().value(.tokens(l)), kept: nil)], request) { _, trace in
                let qkv = trace.value(.qkv(l))
                map = weighted(qkv, trace.gradient(.context(l)), heads: 1, compared: probe.projected(qkv, block: l), subject)
            }
            probe.count(single)
        }
        return MethodResult(subject.patchMap(map.map { max($0, 0) }, .relevance))
    }

    /// Before the ReLU.
    ///
    /// - Parameter compared: queries and keys in the places of `qkv`'s, where others are compared than those.
    private func weighted(_ qkv: Tensor, _ gradient: Tensor, heads: Int, compared: Tensor?, _ subject: Subject) -> [Float] {
        let width = subject.network.width
        let d = width / heads
        let compared = compared ?? qkv
        // One row: the query and the gradient of what the head reads. A mean's gradient is spread over its patches, so it is summed.
        let query = rowTimes(subject.readout(at: subject.depth - 1), compared)
        var ones = Tensor([1, gradient.shape[0]])
        ones.fill(1)
        let g = rowTimes(ones, gradient)
        var map = [Float](repeating: 0, count: subject.grid.count)
        for h in 0..<heads {
            let q = query.reshaped([3 * width])[h * d..<(h + 1) * d]
            let slope = g.reshaped([width])[h * d..<(h + 1) * d]
            let cosines = (0..<subject.grid.count).map { i -> Double in
                let k = compared[subject.prefix + i][width + h * d..<width + (h + 1) * d]
                return dot(q, k) / (squaredNorm([q]) * squaredNorm([k])).squareRoot()
            }
            let (low, high) = (cosines.min()!, cosines.max()!)
            for i in map.indices {
                let lambda = high > low ? (cosines[i] - low) / (high - low) : 1
                map[i] += Float(lambda * dot(slope, qkv[subject.prefix + i][2 * width + h * d..<2 * width + (h + 1) * d]))
            }
        }
        return map
    }
}
