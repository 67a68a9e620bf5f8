import VitrineImage
import VitrineModel
import VitrineTensor

/// Activation patching (https://arxiv.org/abs/2603.13652): what one place's own activations bring back in an otherwise neutral run.
///
/// A neutral image is run; for patch i the image's own tokens at i and its neighbours (3 x 3) are put in where blocks `from` to `to` begin, and what follows runs
/// on. map_i = y(patched) - y(neutral). Defaults: a third and two thirds of the depth (4 and 8 of 12). Patching all tokens would give back the logit.
/// One run of the blocks from `from` on per patch.
struct ActivationPatching: Explainer {
    static let methods = [
        Method(
            "activation-patching", "what one place's activations bring back in a neutral run", "CAAP 2026, arXiv:2603.13652",
            family: .perturbation, options: "from=depth/3, to=2depth/3, neutral=blur|mean|black"
        ) { options throws(MethodError) in try ActivationPatching(&options) }
    ]

    var from: Int?
    var to: Int?
    var neutral: RemovalRule

    init(_ options: inout MethodOptions) throws(MethodError) {
        from = try options.take("from", default: nil, "a block, counted from 0") { Int($0).map { .some($0) } }
        to = try options.take("to", default: nil, "a block, counted from 0") { Int($0).map { .some($0) } }
        neutral = try options.takeWord("neutral", default: .blur, of: [.blur, .mean, .black])
    }

    private func blocks(_ network: ViTConfiguration) throws(ViTError) -> ClosedRange<Int> {
        let first = try network.block(from ?? network.depth / 3)
        let last = try network.block(to ?? min(network.depth - 1, 2 * network.depth / 3))
        guard first <= last else { throw .blockOutOfRange(block: last, depth: network.depth) }
        return first...last
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        Needs(TraceRequest(forward: Set(try blocks(network).map(Site.tokens))), needsClass: true)
    }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        let first = from ?? network.depth / 3
        return Passes(forward: 1 + Double(grid.count) * Double(network.depth - first) / Double(network.depth))
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let target = try probe.requiredTarget()
        let blocks = try blocks(subject.network)
        let scale = neutral == .black ? try subject.requiredScale() : subject.scale ?? .unit(channels: subject.image.shape[0])
        let ground = PatchRemoval.ground(neutral, subject.image, scale, subject.random("removal-noise"))
        var start: Tensor?
        var base: Float = 0
        try probe.traces(of: [.pixels(ground)], TraceRequest(forward: [.tokens(blocks.lowerBound)])) { _, trace in
            start = trace.value(.tokens(blocks.lowerBound))
            base = target.value(logits: trace.logits)
        }
        let source = Dictionary(uniqueKeysWithValues: blocks.map { ($0, subject.values().value(.tokens($0))) })
        var map = [Float](repeating: 0, count: subject.grid.count)
        let inputs = (0..<subject.grid.count).lazy.map { i -> (tokens: Tensor, kept: [Int]?) in
            let rows = neighbours(i, subject)
            var tokens = start!
            for l in blocks {
                for row in rows { tokens.replace(from: row * tokens.shape[1], with: source[l]![row]) }
                if l < blocks.upperBound { tokens = probe.tokens(tokens, through: l) }
            }
            return (tokens: tokens, kept: nil)
        }
        try probe.logits(entering: blocks.upperBound, inputs) { i, logits in map[i] = target.value(logits: logits) - base }
        return MethodResult(subject.patchMap(map, .relevance))
    }

    /// Rows of the patch and its neighbours among the tokens.
    private func neighbours(_ i: Int, _ subject: Subject) -> [Int] {
        let (y, x) = (i / subject.grid.columns, i % subject.grid.columns)
        return (max(0, y - 1)...min(subject.grid.rows - 1, y + 1)).flatMap { row in
            (max(0, x - 1)...min(subject.grid.columns - 1, x + 1)).map { subject.prefix + row * subject.grid.columns + $0 }
        }
    }
}
