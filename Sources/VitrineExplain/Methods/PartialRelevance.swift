import VitrineImage
import VitrineModel
import VitrineTensor

/// Readings of the same relevance pass that Chefer et al. 2021 compare with.
///
/// `lrp-rollout` and `lrp-full` are as ill-conditioned as `chefer`, `lrp-full` most of all; `precision=double` as there, at about twice the
/// time. On the same ten images, against Float64 throughout, lowest correlation without and with it: `lrp-rollout` 0.957 and 1.000000,
/// `lrp-last-layer` 0.99995 and 1.000000, `lrp-full` -0.23 and 1.000000 (largest difference 2e-5 of the maximum).
struct PartialRelevance: TraceExplainer {
    enum Reading {
        /// `lrp-rollout`: rollout of `mean_h max(0, RA_l)`, identity added, rows not normalised; a mean over patches as in `chefer`.
        case rollout
        /// `lrp-last-layer`: `mean_h max(0, RA_L)`, the readout row.
        case lastLayer
        /// `lrp-full`: relevance carried on to the pixels, channels summed.
        case full
    }

    static let methods = [
        Method(
            "lrp-rollout", "rollout of the relevance at the attention; ill-conditioned on trained models",
            "Chefer, Gur & Wolf 2021, arXiv:2012.09838", family: .relevance, options: "precision=single|double"
        ) { options throws(MethodError) in try PartialRelevance(&options, .rollout) },
        Method(
            "lrp-last-layer", "relevance at the last block's attention", "Chefer, Gur & Wolf 2021, arXiv:2012.09838", family: .relevance,
            options: "precision=single|double"
        ) { options throws(MethodError) in try PartialRelevance(&options, .lastLayer) },
        Method(
            "lrp-full", "relevance of every pixel; ill-conditioned on trained models", "Chefer, Gur & Wolf 2021, arXiv:2012.09838",
            family: .relevance, options: "precision=single|double"
        ) { options throws(MethodError) in try PartialRelevance(&options, .full) },
    ]

    var reading: Reading
    var rule = RelevanceRule.study

    init(_ options: inout MethodOptions, _ reading: Reading) throws(MethodError) {
        self.reading = reading
        rule.precision = try options.takePrecision()
    }

    func needs(_ network: ViTConfiguration) -> Needs {
        let sites: Set<Site> =
            switch reading {
            case .rollout: Set(network.attentions.map(Site.attention))
            case .lastLayer: [.attention(network.attentions.upperBound - 1)]
            case .full: [.pixels]
            }
        return Needs(TraceRequest(relevance: [rule: sites]))
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let positive = { (l: Int) -> Tensor in
            var relevance = trace.relevance(.attention(l), rule: rule)
            clampNegatives(&relevance)
            return meanOverHeads(relevance)
        }
        let notes = ["conservation": trace.relevanceSums(rule: rule)]
        switch reading {
        case .rollout:
            let row = rolledOutWithIdentity(subject, positive)
            return MethodResult(subject.patchMap(subject.patches(row), .relevance), notes: notes)
        case .lastLayer:
            return MethodResult(
                subject.patchMap(subject.patches(rowTimes(subject.readout, positive(subject.attentions - 1))), .relevance), notes: notes)
        case .full:
            let display = DisplayRule(upsampling: .nearest, normalisation: .minMax)
            return MethodResult(subject.pixelMap(trace.relevance(.pixels, rule: rule).values, display), notes: notes)
        }
    }
}
