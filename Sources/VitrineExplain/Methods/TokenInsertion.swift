import VitrineImage
import VitrineModel
import VitrineTensor

/// What the network says of one patch alone (Token Insight, https://arxiv.org/abs/2501.15452, the other way round).
///
/// Map_i = y(prefix tokens and patch i) - y(prefix tokens alone). Where the head pools patches, nothing at all reads as the mean colour. One
/// short pass per patch.
struct TokenInsertion: Explainer {
    static let methods = [
        Method(
            "token-insertion", "answer to one patch alone", "Token Insight 2025, arXiv:2501.15452", family: .perturbation,
            options: "value=logit|probability"
        ) { options throws(MethodError) in
            TokenInsertion(value: try options.takeWord("value", default: .logit))
        }
    ]

    var value: AnswerKind

    func needs(_ network: ViTConfiguration) -> Needs { Needs(needsClass: true) }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        let share = Double(network.prefixTokens + 1) / Double(network.prefixTokens + grid.count)
        return Passes(forward: Double(grid.count) * share + 1)
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let answer = try probe.answer(value)
        let count = subject.grid.count
        var values = [Float](repeating: 0, count: count + 1)
        let sets = (0...count).lazy.map { $0 == count ? [] : [$0] }
        try probe.logits(keeping: sets, by: try subject.removal(.drop)) { i, logits in values[i] = answer.value(logits: logits) }
        return MethodResult(subject.patchMap(values.dropLast().map { $0 - values[count] }, .relevance))
    }
}
