import VitrineImage
import VitrineModel
import VitrineTensor

/// Transformer attribution of Chefer, Gur & Wolf 2021 (https://arxiv.org/abs/2012.09838, eq. 13-14), or its stabilised form.
///
/// `E_l = mean_h max(0, dA_l * RA_l)`, map = the readout row of `(E_L + I) ... (E_s + I)`, without row normalisation. The
/// published rule is ill-conditioned on trained models: noise far below a grey level moves the map. `chefer-stable` adds
/// `(epsilon sd)^2` to the squared denominator of both residual additions and nothing else.
struct CheferRelevance: TraceExplainer {
    static let methods = [
        Method(
            "chefer", "transformer attribution as published; ill-conditioned on trained models",
            "Chefer, Gur & Wolf 2021, arXiv:2012.09838", family: .relevance, options: "start=0"
        ) { options throws(MethodError) in try CheferRelevance(&options, stabilised: false) },
        Method(
            "chefer-stable", "transformer attribution with stabilised residual additions",
            "Chefer, Gur & Wolf 2021, arXiv:2012.09838; stabiliser: this project", family: .relevance, options: "start=0, epsilon=0.03"
        ) { options throws(MethodError) in try CheferRelevance(&options, stabilised: true) },
    ]

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

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        let sites = Set(try network.blocks(from: start).map(Site.attention))
        return Needs(TraceRequest(gradient: sites, relevance: [rule: sites]))
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let row = rolledOut(subject.readout, blocks: start..<subject.depth) { l in
            let relevance = trace.relevance(.attention(l), rule: rule)
            var product = relevance
            multiply(trace.attentionGradient(l), relevance, into: &product)
            clampNegatives(&product)
            var mean = meanOverHeads(product)
            addIdentity(&mean)
            return mean
        }
        return MethodResult(
            subject.patchMap(subject.patches(row), .relevance), notes: ["conservation": trace.relevanceSums(rule: rule)])
    }
}
