import VitrineImage
import VitrineModel
import VitrineTensor

/// ViT-ReciproCAM (Byun & Lee 2023, https://arxiv.org/abs/2310.02588): the answer when the last blocks see one place alone.
///
/// The tokens entering the last `blocks` blocks are kept at the prefix and at patch i; map_i = the target's value. `removal=drop` really drops the other
/// patches; `removal=window` keeps them as tokens, multiplied by a 3 x 3 Gaussian around i (1/4 at i itself) and 0 elsewhere, before and after
/// the first norm, as OpenVINO has it: zero tokens remain keys. One run of the last blocks per patch.
struct ReciproCAM: Explainer {
    enum Removal: String, CaseIterable { case drop, window }

    static let methods = [
        Method(
            "reciprocam", "answer of the last blocks to one place alone", "Byun & Lee 2023, arXiv:2310.02588", family: .perturbation,
            options: "blocks=1, removal=drop|window"
        ) { options throws(MethodError) in
            ReciproCAM(
                blocks: try options.takeCount("blocks", default: 1),
                removal: try options.takeWord("removal", default: .drop))
        }
    ]

    var blocks: Int
    var removal: Removal

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        let first = try network.last(blocks).lowerBound
        return Needs(TraceRequest(forward: [.tokens(first), .norm1(first)]), needsClass: true)
    }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        let share = Double(blocks) / Double(network.depth)
        let length = removal == .drop ? Double(network.prefixTokens + 1) / Double(network.prefixTokens + grid.count) : 1
        return Passes(forward: Double(grid.count) * share * length)
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let target = try probe.requiredTarget()
        let first = subject.depth - blocks
        let trace = subject.values()
        let (z, u) = (trace.value(.tokens(first)), trace.value(.norm1(first)))
        var map = [Float](repeating: 0, count: subject.grid.count)
        switch removal {
        case .drop:
            let inputs = (0..<subject.grid.count).lazy.map { i -> (tokens: Tensor, kept: [Int]?) in
                var rows = Tensor([subject.prefix + 1, z.shape[1]])
                rows.replace(from: 0, with: z[0..<subject.prefix])
                rows.replace(from: subject.prefix * z.shape[1], with: z[subject.prefix + i])
                return (tokens: rows, kept: [i])
            }
            try probe.logits(entering: first, inputs) { i, logits in map[i] = target.value(logits: logits) }
        case .window:
            let inputs = (0..<subject.grid.count).lazy.map { i -> (tokens: Tensor, norm1: Tensor) in
                let weights = window(i, subject)
                return (tokens: weighted(z, weights), norm1: weighted(u, weights))
            }
            try probe.logits(enteringNorm1Of: first, inputs) { i, logits in map[i] = target.value(logits: logits) }
        }
        return MethodResult(subject.patchMap(map, .relevance))
    }

    /// A factor per token.
    private func window(_ i: Int, _ subject: Subject) -> [Float] {
        let (y, x, columns) = (i / subject.grid.columns, i % subject.grid.columns, subject.grid.columns)
        var weights = [Float](repeating: 0, count: subject.prefix + subject.grid.count)
        for token in 0..<subject.prefix { weights[token] = 1 }
        for (dy, v) in [(-1, Float(1)), (0, 2), (1, 1)] {
            for (dx, w) in [(-1, Float(1)), (0, 2), (1, 1)] {
                let (row, column) = (y + dy, x + dx)
                guard (0..<subject.grid.rows).contains(row), (0..<columns).contains(column) else { continue }
                weights[subject.prefix + row * columns + column] = v * w / 16
            }
        }
        return weights
    }

    private func weighted(_ tokens: Tensor, _ weights: [Float]) -> Tensor {
        var result = tokens
        let d = tokens.shape[1]
        result.withMutableSpan { span in for i in 0..<span.count { span[i] *= weights[i / d] } }
        return result
    }
}
