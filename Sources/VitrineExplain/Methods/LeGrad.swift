import VitrineImage
import VitrineModel
import VitrineTensor

/// LeGrad (Bousselham et al. 2024, https://arxiv.org/abs/2404.03214, eq. 5-8).
///
/// For each of the last `layers` blocks the score is read off that block's own output and differentiated by its attention; map = the mean
/// over heads and all queries of the positive part, patches only, summed or averaged over the blocks. `pool=mean` reads the mean of all
/// tokens (torch-cam's classifier form), `pool=readout` the tokens that the head reads. The scores stand in the notes: those of
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
        var pooling: Reading.Pooling { self == .mean ? .meanOfTokens : .own }
    }

    enum Combination: String, CaseIterable { case mean, sum }

    var layers: Int
    var pool: Pool
    var combination: Combination

    init(_ options: inout MethodOptions) throws(MethodError) {
        layers = try options.takeCount("layers", default: 2)
        pool = try options.takeWord("pool", default: .mean)
        combination = try options.takeWord("combine", default: .mean)
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        var request = TraceRequest()
        for l in try network.last(layers) {
            request.backward[.gradient(.exact, from: .block(l, pool.pooling))] = [.attention(l)]
        }
        return Needs(request)
    }

    func map(_ subject: Subject) throws -> MethodResult {
        let trace = subject.values()
        let blocks = try subject.network.last(layers)
        var total = [Float](repeating: 0, count: subject.grid.count)
        var scores: [Double] = []
        for l in blocks {
            let reading = Reading.block(l, pool.pooling)
            var gradient = trace.gradient(.attention(l), from: reading)
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
