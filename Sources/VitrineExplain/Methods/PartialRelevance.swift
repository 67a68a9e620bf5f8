import VitrineImage
import VitrineModel
import VitrineTensor

/// Readings of the same relevance pass that Chefer et al. 2021 compare with.
enum PartialRelevance: TraceExplainer {
    static let methods = [
        Method(
            "lrp-rollout", "rollout of the relevance at the attention; ill-conditioned on trained models",
            "Chefer, Gur & Wolf 2021, arXiv:2012.09838", family: .relevance
        ) { _ in PartialRelevance.rollout },
        Method(
            "lrp-last-layer", "relevance at the last block's attention", "Chefer, Gur & Wolf 2021, arXiv:2012.09838", family: .relevance
        ) { _ in PartialRelevance.lastLayer },
        Method(
            "lrp-full", "relevance of every pixel; ill-conditioned on trained models", "Chefer, Gur & Wolf 2021, arXiv:2012.09838",
            family: .relevance
        ) { _ in PartialRelevance.full },
    ]

    /// `lrp-rollout`: rollout of `mean_h max(0, RA_l)`, identity added, rows not normalised.
    case rollout
    /// `lrp-last-layer`: `mean_h max(0, RA_L)`, the readout row.
    case lastLayer
    /// `lrp-full`: relevance carried on to the pixels, channels summed.
    case full

    private static let rule = RelevanceRule.study

    func needs(_ network: ViTConfiguration) -> Needs {
        let sites: Set<Site> =
            switch self {
            case .rollout: Set((0..<network.depth).map(Site.attention))
            case .lastLayer: [.attention(network.depth - 1)]
            case .full: [.pixels]
            }
        return Needs(TraceRequest(relevance: [Self.rule: sites]))
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let depth = subject.depth
        let positive = { (l: Int) -> Tensor in
            var relevance = trace.relevance(.attention(l), rule: Self.rule)
            clampNegatives(&relevance)
            return meanOverHeads(relevance)
        }
        let notes = ["conservation": trace.relevanceSums(rule: Self.rule)]
        switch self {
        case .rollout:
            let row = rolledOut(subject.readout, blocks: 0..<depth) { l in
                var matrix = positive(l)
                addIdentity(&matrix)
                return matrix
            }
            return MethodResult(subject.patchMap(subject.patches(row), .relevance), notes: notes)
        case .lastLayer:
            return MethodResult(
                subject.patchMap(subject.patches(rowTimes(subject.readout, positive(depth - 1))), .relevance), notes: notes)
        case .full:
            let display = DisplayRule(upsampling: .nearest, normalisation: .minMax)
            return MethodResult(subject.pixelMap(trace.relevance(.pixels, rule: Self.rule).values, display), notes: notes)
        }
    }
}
