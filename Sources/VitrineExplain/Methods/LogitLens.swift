import VitrineImage
import VitrineModel
import VitrineTensor

/// The head applied to every patch after a block: which patches already look like the class (logit lens).
///
/// Map_i = the target's value of head(norm(z_i)). Early blocks pass through a head that was not trained on them. Heads that read the class token
/// and the mean together are given the patch in both places.
struct LogitLens: Explainer {
    static let methods = [
        Method(
            "logit-lens", "the head applied to every patch after a block", "nostalgebraist 2020; vision: arXiv:2310.18969",
            family: .decomposition,
            options: "block=last"
        ) { options throws(MethodError) in LogitLens(block: try options.takeBlock()) }
    ]

    var block: Int?

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        Needs(TraceRequest(forward: [.tokens(try network.block(block) + 1)]), needsClass: true)
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let target = try probe.requiredTarget()
        let tokens = subject.patchRows(subject.values().value(.tokens((block ?? subject.depth - 1) + 1)))
        var map = [Float](repeating: 0, count: subject.grid.count)
        // A sequence that holds the patch in every place reads as the patch itself, whatever the head pools.
        let copies = subject.prefix + 1
        let sequences = (0..<subject.grid.count).lazy.map { i -> (tokens: Tensor, kept: [Int]?) in
            var rows = Tensor([copies, subject.network.width])
            for row in 0..<copies { rows.replace(from: row * subject.network.width, with: tokens[i]) }
            return (tokens: rows, kept: [0])
        }
        try probe.logits(entering: subject.depth, sequences) { i, logits in map[i] = target.value(logits: logits) }
        return MethodResult(subject.patchMap(map, .relevance))
    }
}
