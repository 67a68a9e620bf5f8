import VitrineImage
import VitrineModel
import VitrineTensor

/// Rollout of attention times its gradient (Gildenblat's grad rollout in its sound form; Abnar & Zuidema 2020, arXiv:2005.00928).
///
/// `E_l = mean_h max(0, A_l dA_l)`, rows of `E_l + I` divided by their sum, map = the readout row of the product. `discard`: the share of
/// smallest entries of E_l set to 0.
///
/// `reading=vit-explain` is the published code as it stands: the attention of block l times the gradient of block L-1-l, since the one list was
/// written upwards and the other downwards, the mean over heads before the ReLU, and sums of other rows (`RolloutReading`). Its default there is
/// `discard=0.9`.
struct GradientRollout: TraceExplainer {
    static let methods = [
        Method(
            "gradient-rollout", "rollout of attention times its gradient, positive part", "Gildenblat 2020, vit-explain, repaired",
            family: .attention, options: "start=0, discard=0, reading=sound|vit-explain"
        ) { options throws(MethodError) in try GradientRollout(&options) }
    ]

    var start: Int
    var discard: Double
    var reading: RolloutReading

    init(_ options: inout MethodOptions) throws(MethodError) {
        start = try options.takeInteger("start", default: 0)
        discard = try options.takeNumber("discard", default: 0, .belowOne)
        reading = try options.takeWord("reading", default: .sound)
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        try reading.check(network)
        let all = try network.attentions(from: start)
        return Needs(
            TraceRequest(
                forward: Set(all.map(Site.attention)), gradient: Set(all.map { .attention(gradientBlock($0, of: network.depth)) })))
    }

    /// The block whose gradient goes with the attention of block l.
    private func gradientBlock(_ l: Int, of depth: Int) -> Int {
        reading == .sound ? l : depth - 1 - l
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        let row = rolledOut(subject, from: start) { l in
            var product = trace.attention(l).times(trace.attentionGradient(gradientBlock(l, of: subject.depth)))
            if reading == .sound { clampNegatives(&product) }
            var mean = meanOverHeads(product)
            if reading == .vitExplain { clampNegatives(&mean) }
            discardSmallest(&mean, share: discard, keepsFirst: false)
            reading.normalise(&mean, hasResidual: l < subject.depth)
            return mean
        }
        return MethodResult(subject.patchMap(subject.patches(row), .relevance))
    }
}
