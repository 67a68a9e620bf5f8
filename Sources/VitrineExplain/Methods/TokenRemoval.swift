import VitrineImage
import VitrineModel

/// How much the answer changes when one patch is taken away (Token Insight, https://arxiv.org/abs/2501.15452).
///
/// Map_i = y(x) - y(x without patch i): positive where the patch speaks for the class. By default the patch leaves the sequence and the
/// others keep their positions; one pass per patch.
struct TokenRemoval: Explainer {
    static let methods = [
        Method(
            "token-removal", "change of the answer without one patch", "Token Insight 2025, arXiv:2501.15452", family: .perturbation,
            options: "value=logit|probability, \(RemovalRule.option())"
        ) { options throws(MethodError) in try TokenRemoval(&options) }
    ]

    var value: AnswerKind
    var removal: RemovalRule

    init(_ options: inout MethodOptions) throws(MethodError) {
        value = try options.takeWord("value", default: .logit)
        removal = try options.takeWord("removal", default: .drop)
    }

    func needs(_ network: ViTConfiguration) -> Needs { Needs(needsClass: true) }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes { Passes(forward: Double(grid.count)) }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let answer = try probe.answer(value)
        let removal = try subject.removal(self.removal)
        let whole = answer.value(logits: subject.logits)
        var map = [Float](repeating: 0, count: subject.grid.count)
        let sets = (0..<subject.grid.count).lazy.map { patch in (0..<subject.grid.count).filter { $0 != patch } }
        try probe.logits(keeping: sets, by: removal) { i, logits in map[i] = whole - answer.value(logits: logits) }
        return MethodResult(subject.patchMap(map, .relevance))
    }
}
