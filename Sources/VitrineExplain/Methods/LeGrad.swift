import VitrineImage
import VitrineModel
import VitrineTensor

/// LeGrad (Bousselham et al. 2024, https://arxiv.org/abs/2404.03214, eq. 5-8).
///
/// For each of the last `layers` blocks the score is read off that block's own output and differentiated by its attention; map = the mean
/// over heads and all queries of the positive part, patches only, summed or averaged over the blocks. `pool=mean` reads the mean of all
/// tokens (torch-cam's classifier form), `pool=readout` the tokens that the head reads. A network with attention pooling is read by its pool, and
/// differentiated by the pool's attention over each block's output, as the authors do for SigLIP. The scores stand in the notes: those of
/// early blocks pass through a head that was not trained on them.
struct LeGrad: TraceExplainer {
    static let methods = [
        Method(
            "legrad", "gradient of each block's own score by its attention", "Bousselham et al. 2024, arXiv:2404.03214",
            family: .attention, options: "layers=2, pool=mean|readout, combine=mean|sum"
        ) { options throws(MethodError) in try LeGrad(&options) }
    ]

    enum Pool: String, CaseIterable {
        case mean, readout
    }

    enum Combination: String, CaseIterable { case mean, sum }

    var layers: Int
    /// Nil: the mean, where attention does not pool.
    var pool: Pool?
    var combination: Combination

    init(_ options: inout MethodOptions) throws(MethodError) {
        layers = try options.takeCount("layers", default: 2)
        pool = try options.take("pool", default: nil, Pool.allCases.map(\.rawValue).joined(separator: ", ")) {
            Pool(rawValue: $0).map { .some($0) }
        }
        combination = try options.takeWord("combine", default: .mean)
    }

    private func reading(_ block: Int, _ network: ViTConfiguration) -> Reading {
        .block(block, pool == .readout || network.pooling == .attention ? .own : .meanOfTokens)
    }

    /// The attention that a block's score is differentiated by.
    private func site(_ block: Int, _ network: ViTConfiguration) -> Site {
        .attention(network.pooling == .attention ? network.depth : block)
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        let blocks = try network.last(layers)
        if pool == .mean && network.pooling == .attention { throw .unfitting(what: "legrad:pool=mean", network: "attention pooling") }
        var request = TraceRequest()
        for l in blocks { request.backward[.gradient(.exact, from: reading(l, network))] = [site(l, network)] }
        return Needs(request)
    }

    func map(_ subject: Subject) throws -> MethodResult {
        let trace = subject.values()
        let blocks = try subject.network.last(layers)
        var total = [Float](repeating: 0, count: subject.grid.count)
        var scores: [Double] = []
        for l in blocks {
            let reading = reading(l, subject.network)
            var gradient = trace.gradient(site(l, subject.network), from: reading)
            clampNegatives(&gradient)
            let mean = meanOverHeads(gradient)
            var ones = Tensor([1, mean.shape[0]])
            ones.fill(1 / Float(mean.shape[0]))
            for (i, value) in subject.patches(rowTimes(ones, mean)).enumerated() { total[i] += value }
            if let target = subject.target { scores.append(Double(target.value(logits: trace.logits(of: reading)))) }
        }
        if combination == .mean { for i in total.indices { total[i] /= Float(blocks.count) } }
        return MethodResult(subject.patchMap(total, .relevance), notes: ["scores": scores])
    }
}
