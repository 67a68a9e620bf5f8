import VitrineImage
import VitrineModel
import VitrineTensor

/// Transformer attribution of Chefer, Gur & Wolf 2021 (https://arxiv.org/abs/2012.09838, eq. 13-14), or its stabilised form.
///
/// `E_l = mean_h max(0, dA_l * RA_l)`, map = the readout row of `(E_L + I) ... (E_s + I)`, without row normalisation. The
/// published rule is ill-conditioned on trained models: noise far below a grey level moves the map. `chefer-stable` adds
/// `(epsilon sd)^2` to the squared denominator of both residual additions and nothing else.
///
/// `chefer:reading=txv` is what the package txv 0.0.2 computes under this name: at every addition the skip's relevance goes to the branch and
/// the branch's is lost, and rows of `E_l + I` are divided by their sums.
///
/// Where the head reads a mean of the P patches, the identity alone would give 1/P at every patch, thousands of times what stands on it;
/// the map is without it, and at least 0.
///
/// `precision=double` reads relevance off a forward pass in Float64 (`Pass.preciseForward`). That takes the rounding of the computation away,
/// not the sensitivity to the image, and costs about 1.8 times the time on one thread. Five ultrasound images and their mirror images under
/// a fine-tuned ViT-S/14, against Float64 throughout (`Scripts/compare/precision.py`), lowest correlation and largest difference: `chefer`
/// 0.918 and 68 % of the maximum without it, 1.000000 and 4e-6 with it; `chefer-stable` 0.999998 and 2e-3, 1.000000 and 4e-6. Under a mean
/// over patches `chefer-stable` too is worse in Float32: 0.9991 on the five images, and 1.000000 with it.
struct CheferRelevance: TraceExplainer {
    static let methods = [
        Method(
            "chefer", "transformer attribution as published; ill-conditioned on trained models",
            "Chefer, Gur & Wolf 2021, arXiv:2012.09838", family: .relevance,
            options: "start=0, precision=single|double, reading=authors|txv"
        ) { options throws(MethodError) in try CheferRelevance(&options, stabilised: false) },
        Method(
            "chefer-stable", "transformer attribution with stabilised residual additions",
            "Chefer, Gur & Wolf 2021, arXiv:2012.09838; stabiliser: this project", family: .relevance,
            options: "start=0, epsilon=0.03, precision=single|double"
        ) { options throws(MethodError) in try CheferRelevance(&options, stabilised: true) },
    ]

    enum Reading: String, CaseIterable { case authors, txv }

    var rule: RelevanceRule
    var reading = Reading.authors
    /// s, the first block of the product.
    var start = 0

    init(_ options: inout MethodOptions, stabilised: Bool) throws(MethodError) {
        start = try options.takeInteger("start", default: 0)
        rule = .study
        if stabilised {
            rule = .stabilised(
                epsilon: try options.takeNumber("epsilon", default: 0.03, .positive))
        } else {
            reading = try options.takeWord("reading", default: .authors)
            if reading == .txv { rule = RelevanceRule(.skipIntoBranch) }
        }
        rule.precision = try options.takePrecision()
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        let sites = Set(try network.attentions(from: start).map(Site.attention))
        return Needs(TraceRequest(gradient: sites, relevance: [rule: sites]))
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        func matrix(_ l: Int) -> Tensor {
            let relevance = trace.relevance(.attention(l), rule: rule)
            var product = relevance
            multiply(trace.attentionGradient(l), relevance, into: &product)
            clampNegatives(&product)
            return meanOverHeads(product)
        }
        let row =
            switch reading {
            case .authors: rolledOutWithIdentity(subject, from: start, matrix)
            case .txv:
                rolledOut(subject, from: start) { l in
                    var shares = matrix(l)
                    normaliseRowsWithIdentity(&shares, hasResidual: l < subject.depth)
                    return shares
                }
            }
        return MethodResult(
            subject.patchMap(subject.patches(row), .relevance), notes: ["conservation": trace.relevanceSums(rule: rule)])
    }
}
