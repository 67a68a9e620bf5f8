import VitrineImage
import VitrineModel
import VitrineTensor

/// Attention of the tokens the head reads to every patch, in one block.
///
/// Post-softmax, class-agnostic. The study takes the last block and the mean over heads; the weight that the class token gives
/// itself is dropped. With mean pooling the row is the mean over patch queries: what each patch is read. `average=keys` is transformerinterp's
/// reading of such a network: what each patch reads of the others on average, which says next to nothing, since rows sum to 1. With attention
/// pooling the last attention is the pool's, and the queries of a block that is named count as much as the pool attends to them.
struct RawAttention: TraceExplainer {
    static let methods = [
        Method(
            "attention", "attention of the class token to the patches, one block", "Dosovitskiy et al. 2021, arXiv:2010.11929",
            family: .attention, classSpecific: false, options: "block=last, head=all, fusion=mean|max|min, average=queries|keys"
        ) { options throws(MethodError) in try RawAttention(&options) }
    ]

    /// What the mean of a mean-pooled network runs over.
    enum Average: String, CaseIterable { case queries, keys }

    /// Nil: the last block.
    var block: Int?
    /// Nil: all heads, fused.
    var head: Int?
    var fusion = HeadFusion.mean
    var average = Average.queries

    init(_ options: inout MethodOptions) throws(MethodError) {
        block = try options.takeBlock()
        head = try options.take("head", default: nil, "a whole number from 0 up") { text in Int(text).flatMap { $0 >= 0 ? .some($0) : nil }
        }
        fusion = try options.takeWord("fusion", default: .mean)
        average = try options.takeWord("average", default: .queries)
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        let l = try network.attention(block)
        if let head, head >= network.heads(of: l) { throw .headOutOfRange(head: head, heads: network.heads(of: l)) }
        if average == .keys && network.pooling != .mean {
            throw .unfitting(what: "attention averaged over keys", network: "one query, a class token's or a pool's")
        }
        return Needs(TraceRequest(forward: network.readoutSites.union([.attention(l)])))
    }

    func map(_ subject: Subject) -> MethodResult {
        let l = block ?? subject.attentions - 1
        let (attention, readout) = (subject.values().attention(l), subject.readout(at: l))
        let heads = head.map { [$0] } ?? Array(0..<attention.shape[0])
        let rows = heads.map { h in
            average == .queries ? subject.patches(rowTimes(readout, attention[h])) : massOfPatches(attention[h], subject)
        }
        var fused = rows[0]
        for row in rows.dropFirst() {
            for i in fused.indices {
                switch fusion {
                case .mean: fused[i] += row[i]
                case .max: fused[i] = max(fused[i], row[i])
                case .min: fused[i] = min(fused[i], row[i])
                }
            }
        }
        if fusion == .mean { for i in fused.indices { fused[i] /= Float(rows.count) } }
        return MethodResult(subject.patchMap(fused, .attention))
    }

    /// The mean over patches of what each patch reads of them.
    private func massOfPatches(_ attention: Tensor, _ subject: Subject) -> [Float] {
        let (n, r) = (attention.shape[1], subject.prefix)
        return attention.withSpan { a in
            (r..<n).map { i in (r..<n).reduce(Float(0)) { $0 + a[i * n + $1] } / Float(n - r) }
        }
    }
}
