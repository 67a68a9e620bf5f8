import VitrineImage
import VitrineModel
import VitrineTensor

/// Gradients under noise: their mean (SmoothGrad, Smilkov et al. 2017, https://arxiv.org/abs/1706.03825), mean of squares, or variance
/// (Adebayo et al. 2018, https://arxiv.org/abs/1810.03307).
///
/// Noise is normal with `sigma` times the image's own range per channel (at the level of tokens, the range of all tokens' values). Signed
/// values are summed over channels before they are squared or their variance is taken. Their standard error stands
/// beside the map. `samples` passes up and down, which the three methods share where their options agree; `tolerance`: `Sampling`.
struct SmoothGrad: Explainer {
    enum Summary: String { case mean, squares, variance }

    static let methods: [Method] = [
        ("smoothgrad", .mean, "mean of gradients under noise", "Smilkov et al. 2017, arXiv:1706.03825"),
        ("smoothgrad-squared", .squares, "mean of squared gradients under noise", "Hooker et al. 2019, arXiv:1806.10758"),
        ("vargrad", .variance, "variance of gradients under noise", "Adebayo et al. 2018, arXiv:1810.03307"),
    ].map { (name: String, summary: Summary, text: String, citation: String) in
        Method(
            name, text, citation, family: .gradient,
            options: "samples=16, sigma=0.15, of=gradient|input-x-gradient, level=pixel|token, \(Sampling.option), seed=0"
        ) { options throws(MethodError) in try SmoothGrad(&options, summary) }
    }

    enum Quantity: String, CaseIterable {
        case gradient
        case inputTimesGradient = "input-x-gradient"
    }

    var summary: Summary
    var sampling: Sampling
    private var samples: Int { sampling.most }
    var sigma: Double
    var quantity: Quantity
    var level: InputLevel
    var seed: Int

    init(_ options: inout MethodOptions, _ summary: Summary) throws(MethodError) {
        self.summary = summary
        sampling = try Sampling(&options, most: try options.takeCount("samples", default: 16))
        sigma = try options.takeNumber("sigma", default: 0.15, .atLeastZero)
        quantity = try options.takeWord("of", default: .gradient)
        level = try options.takeWord("level", default: .pixel)
        seed = try options.takeSeed()
    }

    func needs(_ network: ViTConfiguration) -> Needs { Needs(needsClass: true) }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        Passes(forward: Double(samples), backward: Double(samples))
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let origin = level == .pixel ? subject.image : try probe.embeddedTokens()
        let places = level == .pixel ? subject.height * subject.width : subject.grid.count
        var all = Moments(count: places)
        var halves = [all, all]
        var notes: [String: [Double]] = [:]
        func draw(_ range: Range<Int>) throws {
            try gradients(range, origin, subject, probe) { i, map in
                all.add(map)
                if sampling.mayStop { halves[i % 2].add(map) }
            }
        }
        if sampling.mayStop {
            notes = try sampling.run(draw) { (summarised(halves[0]), summarised(halves[1])) }
        } else {
            all = try probe.once("smoothgrad/\(samples)/\(sigma)/\(quantity)/\(level)/\(seed)") {
                try draw(0..<samples)
                return all
            }
        }
        func map(_ values: [Float]) -> HeatMap {
            level == .pixel ? subject.pixelMap(values, .pixels) : subject.patchMap(values, .relevance)
        }
        return MethodResult(
            map(summarised(all)), notes: notes, error: all.count > 1 ? map(errors(all)) : nil)
    }

    private func errors(_ moments: Moments) -> [Float] {
        switch summary {
        case .mean: moments.errors
        case .squares: moments.errorsOfSquares
        case .variance: moments.errorsOfVariances
        }
    }

    private func summarised(_ moments: Moments) -> [Float] {
        switch summary {
        case .mean: moments.means
        case .squares: moments.meanSquares
        case .variance: moments.variances
        }
    }

    /// The gradients of some noisy copies, channels or width summed.
    private func gradients(
        _ range: Range<Int>, _ origin: Tensor, _ subject: Subject, _ probe: Probe, _ body: (Int, [Float]) -> Void
    ) throws {
        let request = TraceRequest(gradient: [level.site])
        let noisy = range.lazy.map { disturbed(origin, subject, $0) }
        func add(_ k: Int, _ trace: ImageTrace) {
            let gradient = trace.gradient(level.site)
            let i = range.lowerBound + k
            // The disturbed image is drawn again rather than kept.
            let value = quantity == .gradient ? gradient : gradient.times(disturbed(origin, subject, i))
            body(i, level.map(subject, summing: value).values)
        }
        switch level {
        case .pixel: try probe.traces(of: noisy.map { .pixels($0) }, request, add)
        case .token: try probe.traces(entering: 0, noisy.map { (tokens: $0, kept: nil) }, request, add)
        }
    }

    /// The `index`-th noisy copy of pixels or tokens.
    private func disturbed(_ origin: Tensor, _ subject: Subject, _ index: Int) -> Tensor {
        var random = subject.random("smoothgrad/\(seed)", index)
        let parts = level == .pixel ? origin.shape[0] : 1
        let size = origin.count / parts
        var result = origin
        for part in 0..<parts {
            let bounds = minMax(origin.reshaped([parts, size])[part])
            let deviation = sigma * Double(bounds.maximum - bounds.minimum)
            result.withMutableSpan { span in
                for i in part * size..<(part + 1) * size { span[i] += Float(deviation * random.normal()) }
            }
        }
        return result
    }
}
