import VitrineImage
import VitrineModel
import VitrineTensor

/// InFlow: rollout whose residual shares are measured norms (Walker et al., AISTATS 2025).
///
/// Heads: `I_h = mean |A_h^T dA_h|`, normalised; `Abar = max(0, mean_h dF_k/dA_h * max_h I_h A_h)` with F_k the class's score read from block k
/// by the head, averaged over all tokens. Shares by L2 norms, per token: `a = |x| / (|x| + |attn|)`, `a2 = |x'| / (|x'| + |mlp|)`, `b = 1 - a`,
/// `b2 = 1 - a2`, r = b2/a2 divided by its sum. `M = (Abar diag(b) + diag(a)) (diag(r) diag(b2) + diag(a2))`, rows divided by their sums;
/// map = the readout row of the product. Where attention pools, F_k is read by the pool, whose own row `Abar` has no skip.
struct InFlow: TraceExplainer {
    static let methods = [
        Method(
            "inflow", "rollout with measured shares of branch and skip", "Walker et al. 2025, InFlow (AISTATS)", family: .attention
        ) { _ in InFlow() }
    ]

    private static func reading(_ block: Int, _ network: ViTConfiguration) -> Reading {
        network.pooling == .attention ? .block(min(block, network.depth - 1), .own) : .block(block, .meanOfNormed)
    }

    func needs(_ network: ViTConfiguration) -> Needs {
        let blocks = 0..<network.depth
        var request = TraceRequest(
            forward: Set(blocks.flatMap { [Site.attention($0), .tokens($0), .middle($0), .tokens($0 + 1)] }),
            gradient: Set(network.attentions.map(Site.attention)))
        request.forward.formUnion(network.readoutSites)
        for l in network.attentions {
            request.backward[.gradient(.exact, from: Self.reading(l, network)), default: []].insert(.attention(l))
        }
        return Needs(request)
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let row = rolledOut(subject) { l in mixing(trace, l, subject.network) }
        return MethodResult(subject.patchMap(subject.patches(row), .relevance))
    }

    private func mixing(_ trace: ImageTrace, _ l: Int, _ network: ViTConfiguration) -> Tensor {
        let attention = trace.attention(l)
        let n = attention.shape[2]
        let importance = headImportance(attention, trace.attentionGradient(l))
        var strongest = attention[0]
        scale(&strongest, by: importance[0])
        for h in 1..<attention.shape[0] {
            var head = attention[h]
            scale(&head, by: importance[h])
            head.withSpan { s in strongest.withMutableSpan { m in for i in 0..<m.count { m[i] = max(m[i], s[i]) } } }
        }
        var mixed = strongest.times(meanOverHeads(trace.gradient(.attention(l), from: Self.reading(l, network))))
        clampNegatives(&mixed)
        guard l < network.depth else {
            normaliseRowsWithIdentity(&mixed, hasResidual: false)
            return mixed
        }
        let skip1 = shares(of: trace.value(.tokens(l)), toward: trace.value(.middle(l)))
        let skip2 = shares(of: trace.value(.middle(l)), toward: trace.value(.tokens(l + 1)))
        let ratios = skip2.map { (1 - $0) / $0 }
        let total = ratios.reduce(0, +)
        mixed.withMutableSpan { m in
            for i in 0..<n {
                var sum: Float = 0
                for j in 0..<n {
                    let branch = m[i * n + j] * (1 - skip1[j]) + (i == j ? skip1[i] : 0)
                    m[i * n + j] = branch * (ratios[j] / total * (1 - skip2[j]) + skip2[j])
                    sum += m[i * n + j]
                }
                for j in 0..<n { m[i * n + j] /= sum }
            }
        }
        return mixed
    }

    /// `|x| / (|x| + |y - x|)` for every token: the share of the skip where a branch adds y - x.
    private func shares(of x: Tensor, toward y: Tensor) -> [Float] {
        (0..<x.shape[0]).map { i in
            var branch = y[i]
            addScaled(x[i], -1, to: &branch)
            let (skip, added) = (squaredNorm([x[i]]).squareRoot(), squaredNorm([branch]).squareRoot())
            return Float(skip / (skip + added))
        }
    }
}

/// `mean |A_h^T dA_h|` over all entries, divided by its sum over heads.
func headImportance(_ attention: Tensor, _ gradient: Tensor) -> [Float] {
    let n = attention.shape[2]
    var product = Tensor([n, n])
    let sums = (0..<attention.shape[0]).map { h -> Double in
        multiply(attention[h].matrix.transposed, gradient[h].matrix, into: &product)
        return absoluteSum(product)
    }
    let total = sums.reduce(0, +)
    return sums.map { Float(total > 0 ? $0 / total : 1 / Double(sums.count)) }
}
