import VitrineImage
import VitrineModel
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Attention-guided CAM (Leem & Seo 2024, https://arxiv.org/abs/2402.04563): `sum_lh max(0, dA_lh) sigmoid(S_lh)` in the readout row.
///
/// S are the scores before the softmax: a sigmoid keeps single dominant keys from drowning the rest.
struct AGCAM: TraceExplainer {
    static let methods = [
        Method(
            "ag-cam", "positive attention gradients times the sigmoid of the scores, all blocks", "Leem & Seo 2024, arXiv:2402.04563",
            family: .attention
        ) { _ in AGCAM() }
    ]

    func needs(_ network: ViTConfiguration) -> Needs {
        let all = network.attentions
        return Needs(TraceRequest(forward: network.readoutSites.union(all.map(Site.scores)), gradient: Set(all.map(Site.attention))))
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        var total = [Float](repeating: 0, count: subject.grid.count)
        for l in 0..<subject.attentions {
            let readout = subject.readout(at: l)
            var product = trace.attentionGradient(l)
            let scores = trace.value(.scores(l))
            scores.withSpan { s in
                product.withMutableSpan { g in for i in 0..<g.count { g[i] = max(g[i], 0) / (1 + exp(-s[i])) } }
            }
            for h in 0..<product.shape[0] {
                let row = subject.patches(rowTimes(readout, product[h]))
                for i in row.indices { total[i] += row[i] }
            }
        }
        return MethodResult(subject.patchMap(total, .relevance))
    }
}
