import VitrineImage
import VitrineModel
import VitrineTensor

/// What each patch writes into the logit directly, through the attention of the tokens that the head reads
/// (Gandelsman et al. 2024, https://arxiv.org/abs/2310.05916).
///
/// With w the derivative of the logit by the last tokens, the final norm's deviation held fixed and centred: `c_lhi = A_lh[read, i] <v_lhi Wo_h, w>`,
/// map = their sum over blocks and heads. The logit is exactly the sum of all c (prefix tokens included), of biases, MLPs, embedding and the head's
/// own bias: the notes give `attention`, `mlp`, `embedding`, `bias` and `gap`, the distance of their sum from the logit. What patches tell each
/// other before is not in it. Networks whose head reads one kind of token; mean pooling averages over the queries.
/// A projection is part of the head; where features are scaled to length 1, their length is held fixed too.
struct DirectLogit: Explainer {
    static let methods = [
        Method(
            "direct-logit", "what each patch writes into the logit directly", "Gandelsman et al. 2024, arXiv:2310.05916",
            family: .decomposition, options: "head=all, layer=all"
        ) { options throws(MethodError) in try DirectLogit(&options) }
    ]

    /// Nil: all.
    var head: Int?
    var layer: Int?

    init(_ options: inout MethodOptions) throws(MethodError) {
        func index(_ text: String) -> Int?? {
            text == "all" ? .some(nil) : Int(text).flatMap { $0 >= 0 ? .some($0) : nil }
        }
        head = try options.take("head", default: nil, "a whole number from 0 up, or all", index)
        layer = try options.take("layer", default: nil, "a whole number from 0 up, or all", index)
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        try network.checkProjectedValues("direct-logit")
        if network.hasUnitFeatures && ![.classToken, .mean].contains(network.pooling) {
            throw .unfitting(what: "direct-logit", network: "features of length 1 of two kinds of token")
        }
        if network.normPlacement == .absent { throw .unfitting(what: "direct-logit", network: "no norm after its last block") }
        if let head, head >= network.heads { throw .headOutOfRange(head: head, heads: network.heads) }
        _ = try network.block(layer)
        var request = TraceRequest(
            forward: Set((0..<network.depth).flatMap { [Site.attention($0), .qkv($0), .tokens($0), .middle($0), .tokens($0 + 1)] }))
        request.backward[.gradient(Self.rule)] = [.tokens(network.depth)]
        return Needs(request)
    }

    /// The final norm is linear once its deviation is held fixed.
    private static let rule = GradientRule(norm: .frozenDeviation)

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let trace = subject.values()
        guard let target = subject.target else { throw ViTError.noHead(request: "a decomposition of the logit") }
        switch target {
        case .logit, .contrast, .linear: return try map(subject, probe, trace, target)
        case .probability, .sigmoid, .boundedProbability:
            throw MethodFailure("takes a logit or a contrast of logits apart; a probability is no sum of parts")
        }
    }

    private func map(_ subject: Subject, _ probe: Probe, _ trace: ImageTrace, _ target: Target) throws -> MethodResult {
        // dy/dz_L: zero rows at tokens that the head does not read.
        let w = trace.gradient(.tokens(subject.depth), Self.rule)
        let n = w.shape[0]
        var map = [Float](repeating: 0, count: n)
        var (attentionSum, mlpSum) = (0.0, 0.0)
        for l in 0..<subject.depth {
            let (attention, values) = (trace.attention(l), probe.projectedValues(l, qkv: trace.value(.qkv(l))))
            var branch = trace.value(.middle(l))
            addScaled(trace.value(.tokens(l)), -1, to: &branch)
            var mlp = trace.value(.tokens(l + 1))
            addScaled(trace.value(.middle(l)), -1, to: &mlp)
            mlpSum += dot(mlp, w)
            for h in 0..<attention.shape[0] {
                // <v_hj Wo_h, w_i> for query i and key j, times A_h[i, j].
                var products = Tensor([n, n])
                multiply(w.matrix, values[h].matrix.transposed, into: &products)
                let terms = attention[h].times(products)
                let sums = (0..<n).map { j in terms.withSpan { s in (0..<n).reduce(0.0) { $0 + Double(s[$1 * n + j]) } } }
                attentionSum += sums.reduce(0, +)
                if (head == nil || head == h) && (layer == nil || layer == l) { for j in 0..<n { map[j] += Float(sums[j]) } }
            }
        }
        let whole = Double(target.value(logits: subject.logits))
        let embedding = dot(trace.value(.tokens(0)), w)
        let length = subject.network.hasUnitFeatures ? probe.featureLength(trace.value(.tokens(subject.depth)), subject) : 1
        let bias = probe.projectionBias(along: w) + Double(target.value(logits: probe.headOfNormBias(length: length)))
        return MethodResult(
            subject.patchMap(Array(map.dropFirst(subject.prefix)), .relevance),
            notes: [
                "attention": [attentionSum], "mlp": [mlpSum], "embedding": [embedding], "bias": [bias],
                "gap": [abs(whole - attentionSum - mlpSum - embedding - bias)],
            ])
    }
}

extension Probe {
    /// `sum_l <s_l b_l, sum_i w_i>`: what the projections' biases, LayerScale included, add along w `[tokens, width]`.
    fileprivate func projectionBias(along w: Tensor) -> Double {
        var total = Tensor([w.shape[1]])
        columnSums(w, addingTo: &total)
        return model.blocks.reduce(0) { sum, block in
            guard let bias = block.projection.bias else { return sum }
            guard let gamma = block.scale1 else { return sum + dot(bias, total) }
            return sum + dot(bias.times(gamma), total)
        }
    }

    /// What the head reads of a pooled row `[1, pooledWidth]`, not scaled.
    private func projected(_ row: Tensor) -> Tensor {
        guard let projection = model.visualProjection else { return row }
        var features = Tensor([1, projection.outputs])
        multiplyRows(row, projection.weight.matrix.transposed, into: &features)
        return features
    }

    /// |f| of the tokens `[tokens, width]` after the last block.
    fileprivate func featureLength(_ tokens: Tensor, _ subject: Subject) -> Double {
        let isAfter = network.normPlacement == .afterPooling
        let row = isAfter ? finalNorm(rowTimes(subject.readout, tokens)) : rowTimes(subject.readout, finalNorm(tokens))
        return max(squaredNorm([projected(row)]).squareRoot(), 1e-12)
    }

    /// The logits of a final norm whose input is constant: its shift through projection and head.
    ///
    /// - Parameter length: that features are divided by.
    fileprivate func headOfNormBias(length: Double) -> [Float] {
        func logits(_ head: Linear) -> [Float] {
            let inputs = model.visualProjection?.inputs ?? head.inputs
            let copies = inputs / model.norm.bias.count
            var input = projected(Tensor([1, inputs], (0..<copies).flatMap { _ in model.norm.bias.values }))
            scale(&input, by: Float(1 / length))
            var y = Tensor([1, head.outputs])
            multiplyRows(input, head.weight.matrix.transposed, bias: head.bias, into: &y)
            return y.values
        }
        let first = logits(model.head!)
        guard let second = model.distillationHead.map(logits) else { return first }
        return zip(first, second).map { ($0 + $1) / 2 }
    }
}
