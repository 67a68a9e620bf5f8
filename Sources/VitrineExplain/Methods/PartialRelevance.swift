import VitrineImage
import VitrineModel
import VitrineTensor

/// Readings of the same relevance pass that Chefer et al. 2021 compare with (methods.md §5, last lines).
enum PartialRelevance: Explainer {
    /// `lrp-rollout`: rollout of `mean_h max(0, RA_l)`, identity added, rows not normalised.
    case rollout
    /// `lrp-last-layer`: `mean_h max(0, RA_L)`, the readout row.
    case lastLayer
    /// `lrp-full`: relevance carried on to the pixels, channels summed.
    case full

    private static let rule = RelevanceRule.study

    func needs(_ configuration: ViTConfiguration) -> [InputVariant: TraceRequest] {
        var wanted = RelevanceRequest()
        switch self {
        case .rollout: wanted.attention = Set(0..<configuration.depth)
        case .lastLayer: wanted.attention = [configuration.depth - 1]
        case .full: wanted.input = true
        }
        var request = TraceRequest()
        request.relevance[Self.rule] = wanted
        return [.identity: request]
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let depth = subject.configuration.depth
        let positive = { (l: Int) -> Tensor in
            var relevance = trace.attentionRelevance(l, rule: Self.rule)
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
            return MethodResult(subject.pixelMap(trace.pixelRelevance(rule: Self.rule).values, display), notes: notes)
        }
    }
}
