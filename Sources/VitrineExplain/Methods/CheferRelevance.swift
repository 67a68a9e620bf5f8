import VitrineImage
import VitrineModel
import VitrineTensor

/// Transformer attribution of Chefer, Gur & Wolf 2021 (https://arxiv.org/abs/2012.09838, eq. 13-14; methods.md §5), or its stabilised form (§5b).
///
/// `E_l = mean_h max(0, dA_l * RA_l)`, map = the readout row of `(E_L + I) ... (E_s + I)`, without row normalisation. The
/// published rule is ill-conditioned on trained models: noise far below a grey level moves the map. `chefer-stable` adds
/// `(epsilon sd)^2` to the squared denominator of both residual additions and nothing else.
struct CheferRelevance: Explainer {
    var rule: RelevanceRule
    /// s, the first block of the product.
    var start = 0

    init(_ options: inout MethodOptions, stabilised: Bool) throws(MethodError) {
        start = try options.take("start", default: 0) { Int($0) }
        rule = .study
        if stabilised {
            rule = .stabilised(
                epsilon: try options.take("epsilon", default: 0.03) { text in Float(text).flatMap { $0 > 0 ? $0 : nil } })
        }
    }

    func needs(_ configuration: ViTConfiguration) -> [InputVariant: TraceRequest] {
        let blocks = Set(start..<max(start + 1, configuration.depth))
        var request = TraceRequest()
        request.attentionGradient = blocks
        request.relevance[rule] = RelevanceRequest(attention: blocks)
        return [.identity: request]
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let row = rolledOut(subject.readout, blocks: start..<subject.configuration.depth) { l in
            var product = trace.attentionRelevance(l, rule: rule)
            multiply(trace.attentionGradient(l), trace.attentionRelevance(l, rule: rule), into: &product)
            clampNegatives(&product)
            var mean = meanOverHeads(product)
            addIdentity(&mean)
            return mean
        }
        return MethodResult(
            subject.patchMap(subject.patches(row), .relevance), notes: ["conservation": trace.relevanceSums(rule: rule)])
    }
}

/// `max(0, x)`; NaN stays.
func clampNegatives(_ x: inout Tensor) {
    x.withMutableSpan { x in
        for i in 0..<x.count where x[i] < 0 { x[i] = 0 }
    }
}
