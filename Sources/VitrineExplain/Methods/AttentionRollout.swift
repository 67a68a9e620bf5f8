import VitrineImage
import VitrineModel
import VitrineTensor

/// Attention rollout, Chefer's variant (Abnar & Zuidema 2020, https://arxiv.org/abs/2005.00928; methods.md §2).
///
/// `B_l = (mean_h A_l + I) / rowsum`, map = the readout row of `B_L ... B_s`. Class-agnostic. Only the row is ever needed, so the
/// product runs from the left as vector times matrix: O(blocks * tokens^2).
struct AttentionRollout: Explainer {
    /// s, the first block of the product.
    var start = 0

    init(_ options: inout MethodOptions) throws(MethodError) {
        start = try options.take("start", default: 0) { Int($0) }
    }

    func needs(_ configuration: ViTConfiguration) -> [InputVariant: TraceRequest] {
        var request = TraceRequest()
        request.attention = Set(start..<max(start + 1, configuration.depth))
        return [.identity: request]
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let row = rolledOut(subject.readout, blocks: start..<subject.configuration.depth) { l in
            var mean = meanOverHeads(trace.attention(l))
            normaliseRowsWithIdentity(&mean)
            return mean
        }
        return MethodResult(subject.patchMap(subject.patches(row), .relevance))
    }
}

/// `readout B_L ... B_s`: a row over tokens.
func rolledOut(_ readout: Tensor, blocks: Range<Int>, _ matrix: (Int) -> Tensor) -> Tensor {
    var row = readout
    for l in blocks.reversed() { row = rowTimes(row, matrix(l)) }
    return row
}

/// `[H, N, N]` -> `[N, N]`.
func meanOverHeads(_ heads: Tensor) -> Tensor {
    var mean = heads[0]
    for h in 1..<heads.shape[0] { add(heads[h], to: &mean) }
    scale(&mean, by: 1 / Float(heads.shape[0]))
    return mean
}

/// `(M + I)`, each row divided by its sum.
func normaliseRowsWithIdentity(_ matrix: inout Tensor) {
    let n = matrix.shape[0]
    matrix.withMutableSpan { m in
        for i in 0..<n {
            m[i * n + i] += 1
            var sum: Float = 0
            for j in 0..<n { sum += m[i * n + j] }
            for j in 0..<n { m[i * n + j] /= sum }
        }
    }
}

/// `M + I`.
func addIdentity(_ matrix: inout Tensor) {
    let n = matrix.shape[0]
    matrix.withMutableSpan { m in for i in 0..<n { m[i * n + i] += 1 } }
}
