import VitrineImage
import VitrineModel
import VitrineTensor

/// Beyond Intuition (Chen et al. 2023, ICML; heads: BT-H, tokens: BT-T).
///
/// `R <- R + C R` from the identity. Heads: `C = sum_h I_h A_h`, `I_h` as in `headImportance`. Tokens: `C = mean_h A_h diag(|v_j Wo| / |z_j|)`.
/// W = the positive part of the last attention's gradient, averaged over `steps` images from black to the image (all 0 to x in
/// normalised space) and over heads. Where attention pools, its row C comes last, R <- C R. Map = the readout row of `W R` (element by element). `start` counts blocks from 1, as the authors do.
struct BeyondIntuition: Explainer {
    enum Kind { case heads, tokens }

    static let methods = [
        Method(
            "beyond-intuition", "attention perception times smoothed gradients, by heads", "Chen et al. 2023, Beyond Intuition (ICML)",
            family: .attention, options: "start=4, steps=20"
        ) { options throws(MethodError) in try BeyondIntuition(&options, .heads, start: 4) },
        Method(
            "beyond-intuition-token", "attention perception times smoothed gradients, by tokens",
            "Chen et al. 2023, Beyond Intuition (ICML)",
            family: .attention, options: "start=6, steps=20"
        ) { options throws(MethodError) in try BeyondIntuition(&options, .tokens, start: 6) },
    ]

    var kind: Kind
    var start: Int
    var steps: Int

    init(_ options: inout MethodOptions, _ kind: Kind, start: Int) throws(MethodError) {
        self.kind = kind
        self.start = try options.takeCount("start", default: start)
        steps = try options.takeCount("steps", default: 20)
    }

    /// Blocks of the product, counted from 0; a start beyond the last block leaves the last alone.
    private func blocks(_ depth: Int) -> Range<Int> { min(start - 1, depth - 1)..<depth }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        let blocks = blocks(network.depth)
        switch kind {
        case .heads:
            let sites = network.readoutSites.union(blocks.map(Site.attention))
            return Needs(TraceRequest(forward: sites, gradient: sites))
        case .tokens:
            try network.checkProjectedValues("beyond-intuition-token")
            return Needs(TraceRequest(forward: Set(blocks.flatMap { [.attention($0), .qkv($0), .tokens($0)] })), needsClass: true)
        }
    }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes { Passes(forward: Double(steps), backward: Double(steps)) }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let trace = subject.values()
        let weight = try smoothedGradient(subject, probe, steps: steps)
        let n = weight.shape[1]
        var r = Tensor([n, n])
        addIdentity(&r)
        for l in blocks(subject.depth) {
            var step = r
            multiply(mixing(trace, l, probe).matrix, r.matrix, into: &step)
            add(step, to: &r)
        }
        // Around a pool there is no skip.
        if subject.network.pooling == .attention { r = rowTimes(mixing(trace, subject.depth, probe), r) }
        if kind == .tokens { r.withMutableSpan { m in for i in 0..<m.count { m[i] = abs(m[i]) } } }
        let row = rowTimes(subject.readout, weight.times(r))
        return MethodResult(subject.patchMap(subject.patches(row), .relevance))
    }

    private func mixing(_ trace: ImageTrace, _ l: Int, _ probe: Probe) -> Tensor {
        let attention = trace.attention(l)
        switch kind {
        case .heads:
            var fused = Tensor(attention[0].shape)
            for (h, share) in headImportance(attention, trace.attentionGradient(l)).enumerated() {
                addScaled(attention[h], share, to: &fused)
            }
            return fused
        case .tokens:
            let values = probe.projectedValues(l, qkv: trace.value(.qkv(l)))
            var summed = values[0]
            for h in 1..<values.shape[0] { add(values[h], to: &summed) }
            let tokens = trace.value(.tokens(l))
            let ratios = (0..<tokens.shape[0]).map { j in
                Float((squaredNorm([summed[j]]) / squaredNorm([tokens[j]])).squareRoot())
            }
            var scaled = Tensor(attention[0].shape)
            scaleColumns(meanOverHeads(attention), by: Tensor([ratios.count], ratios), into: &scaled)
            return scaled
        }
    }
}

/// The positive part of the mean, over images `alpha x` with alpha from 0 to 1 in equal steps, of the last attention's gradient;
/// mean over heads, `[tokens, tokens]`. Methods that ask for as many steps share it.
func smoothedGradient(_ subject: Subject, _ probe: Probe, steps: Int) throws -> Tensor {
    try probe.once("smoothed-gradient/\(steps)") { try computedSmoothedGradient(subject, probe, steps: steps) }
}

private func computedSmoothedGradient(_ subject: Subject, _ probe: Probe, steps: Int) throws -> Tensor {
    let site = Site.attention(subject.attentions - 1)
    var total: Tensor?
    let inputs = (0..<steps).lazy.map { k -> ChangedInput in
        var pixels = subject.image
        scale(&pixels, by: steps == 1 ? 1 : Float(k) / Float(steps - 1))
        return .pixels(pixels)
    }
    try probe.traces(of: inputs, TraceRequest(gradient: [site])) { _, trace in
        if total == nil { total = Tensor(trace.gradient(site).shape) }
        add(trace.gradient(site), to: &total!)
    }
    var mean = total!
    scale(&mean, by: 1 / Float(steps))
    clampNegatives(&mean)
    return meanOverHeads(mean)
}
