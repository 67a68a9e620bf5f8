import VitrineImage
import VitrineModel
import VitrineTensor

/// Gradients under noise: their mean (SmoothGrad, Smilkov et al. 2017, https://arxiv.org/abs/1706.03825), mean of squares, or variance
/// (Adebayo et al. 2018, https://arxiv.org/abs/1810.03307).
///
/// Noise is normal with `sigma` times the image's own range per channel (at the level of tokens, the range of all tokens' values). Signed
/// values are summed over channels before they are squared or their variance is taken. The standard error of a mean stands
/// beside the map. `samples` passes up and down.
struct SmoothGrad: Explainer {
    enum Summary: String { case mean, squares, variance }

    static let methods: [Method] = [
        ("smoothgrad", .mean, "mean of gradients under noise", "Smilkov et al. 2017, arXiv:1706.03825"),
        ("smoothgrad-squared", .squares, "mean of squared gradients under noise", "Hooker et al. 2019, arXiv:1806.10758"),
        ("vargrad", .variance, "variance of gradients under noise", "Adebayo et al. 2018, arXiv:1810.03307"),
    ].map { (name: String, summary: Summary, text: String, citation: String) in
        Method(
            name, text, citation, family: .gradient,
            options: "samples=16, sigma=0.15, of=gradient|input-x-gradient, level=pixel|token, seed=0"
        ) { options throws(MethodError) in try SmoothGrad(&options, summary) }
    }

    enum Quantity: String {
        case gradient
        case inputTimesGradient = "input-x-gradient"
    }

    var summary: Summary
    var samples: Int
    var sigma: Double
    var quantity: Quantity
    var level: InputLevel
    var seed: Int

    init(_ options: inout MethodOptions, _ summary: Summary) throws(MethodError) {
        self.summary = summary
        samples = try options.takeCount("samples", default: 16)
        sigma = try options.take("sigma", default: 0.15) { text in Double(text).flatMap { $0 >= 0 && $0.isFinite ? $0 : nil } }
        quantity = try options.take("of", default: .gradient) { Quantity(rawValue: $0) }
        level = try options.take("level", default: .pixel) { InputLevel(rawValue: $0) }
        seed = try options.takeSeed()
    }

    func needs(_ network: ViTConfiguration) -> Needs { Needs(needsClass: true) }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        Passes(forward: Double(samples), backward: Double(samples))
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let request = TraceRequest(gradient: [level.site])
        let origin = level == .pixel ? subject.image : try probe.embeddedTokens()
        let noisy = (0..<samples).lazy.map { disturbed(origin, subject, $0) }
        var maps: [[Float]] = []
        func add(_ i: Int, _ trace: ImageTrace) {
            let gradient = trace.gradient(level.site)
            // The disturbed image is drawn again rather than kept.
            let value = quantity == .gradient ? gradient : gradient.times(disturbed(origin, subject, i))
            maps.append(level.map(subject, summing: value).values)
        }
        switch level {
        case .pixel: try probe.traces(of: noisy.map { .pixels($0) }, request, add)
        case .token: try probe.traces(entering: 0, noisy.map { (tokens: $0, kept: nil) }, request, add)
        }
        var result = level.map(subject, summing: Tensor(origin.shape))
        var error = result
        let n = Double(samples)
        for i in result.values.indices {
            let values = maps.map { Double($0[i]) }
            let mean = values.reduce(0, +) / n
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
            switch summary {
            case .mean: result.values[i] = Float(mean)
            case .squares: result.values[i] = Float(values.reduce(0) { $0 + $1 * $1 } / n)
            case .variance: result.values[i] = Float(variance)
            }
            error.values[i] = Float((variance / max(1, n - 1)).squareRoot())
        }
        return MethodResult(result, error: summary == .mean && samples > 1 ? error : nil)
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
