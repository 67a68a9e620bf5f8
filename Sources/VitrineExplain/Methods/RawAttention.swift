import VitrineImage
import VitrineModel
import VitrineTensor

/// Attention of the tokens the head reads to every patch, in one block (methods.md §1).
///
/// Post-softmax, class-agnostic. The study takes the last block and the mean over heads; the weight that the class token gives
/// itself is dropped. With mean pooling the row is the mean over patch queries.
struct RawAttention: Explainer {
    /// How heads are combined.
    enum Fusion: String { case mean, max, min }

    /// Nil: the last block.
    var block: Int?
    /// Nil: all heads, fused.
    var head: Int?
    var fusion = Fusion.mean

    init(_ options: inout MethodOptions) throws(MethodError) {
        block = try options.take("block", default: nil) { Int($0) }
        head = try options.take("head", default: nil) { text -> Int?? in
            guard let head = Int(text), head >= 0 else { return nil }
            return .some(head)
        }
        fusion = try options.take("fusion", default: .mean) { Fusion(rawValue: $0) }
    }

    func check(_ configuration: ViTConfiguration) throws(ViTError) {
        if let head, head >= configuration.heads { throw .headOutOfRange(head: head, heads: configuration.heads) }
    }

    func needs(_ configuration: ViTConfiguration) -> [InputVariant: TraceRequest] {
        var request = TraceRequest()
        request.attention = [block ?? configuration.depth - 1]
        return [.identity: request]
    }

    func map(_ subject: Subject) -> MethodResult {
        let attention = subject.values().attention(block ?? subject.configuration.depth - 1)
        let heads = head.map { [$0] } ?? Array(0..<attention.shape[0])
        let rows = heads.map { h in subject.patches(rowTimes(subject.readout, attention[h])) }
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
}

/// `row matrix`, `[1, n] x [n, n]`.
func rowTimes(_ row: Tensor, _ matrix: Tensor) -> Tensor {
    var result = Tensor([1, matrix.shape[1]])
    multiply(row.matrix, matrix.matrix, into: &result)
    return result
}
