import VitrineImage
import VitrineModel
import VitrineTensor

/// Integrated gradients (Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365), Gauss-Legendre as captum has it.
///
/// `(x - x0) sum_k w_k dy/dx (x0 + a_k (x - x0))`, channels summed. Its sum is y(x) - y(x0) up to the error of the rule, which the note
/// `completeness-gap` gives as a share of |y(x) - y(x0)|. At `level=token` the path runs between the embedded tokens of both images.
/// `steps` passes up and down.
struct IntegratedGradients: Explainer {
    static let methods = [
        Method(
            "integrated-gradients", "gradient summed along a path from a baseline", "Sundararajan et al. 2017, arXiv:1703.01365",
            family: .gradient, options: "steps=50, baseline=zero|black|blur, level=pixel|token"
        ) { options throws(MethodError) in try IntegratedGradients(&options) }
    ]

    enum Baseline: String, CaseIterable {
        case zero, black, blur
        var removal: RemovalRule {
            switch self {
            case .zero: .mean
            case .black: .black
            case .blur: .blur
            }
        }
    }

    var steps: Int
    var baseline: Baseline
    var level: InputLevel

    init(_ options: inout MethodOptions) throws(MethodError) {
        steps = try options.takeCount("steps", default: 50)
        baseline = try options.takeWord("baseline", default: .zero)
        level = try options.takeWord("level", default: .pixel)
    }

    func needs(_ network: ViTConfiguration) -> Needs { Needs(needsClass: true) }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        Passes(forward: Double(steps + 1), backward: Double(steps))
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let target = try probe.requiredTarget()
        let scale = baseline == .black ? try subject.requiredScale() : subject.scale ?? .unit(channels: subject.image.shape[0])
        let ground = PatchRemoval.ground(baseline.removal, subject.image, scale, subject.random("removal-noise"))
        let start = level == .pixel ? ground : try probe.embeddedTokens(of: ground)
        let end = level == .pixel ? subject.image : try probe.embeddedTokens()
        var difference = end
        addScaled(start, -1, to: &difference)
        let (nodes, weights) = gaussLegendre(steps)
        let points = nodes.lazy.map { a -> Tensor in
            var point = start
            addScaled(difference, Float(a), to: &point)
            return point
        }
        var total = Tensor(difference.shape)
        let request = TraceRequest(gradient: [level.site])
        func add(_ k: Int, _ trace: ImageTrace) { addScaled(trace.gradient(level.site), Float(weights[k]), to: &total) }
        switch level {
        case .pixel: try probe.traces(of: points.map { .pixels($0) }, request, add)
        case .token: try probe.traces(entering: 0, points.map { (tokens: $0, kept: nil) }, request, add)
        }
        let product = total.times(difference)
        let change = Double(target.value(logits: subject.logits)) - Double(try probe.values(of: [.pixels(ground)])[0])
        let gap = change == 0 ? .infinity : abs(VitrineTensor.sum(product) - change) / abs(change)
        return MethodResult(level.map(subject, summing: product), notes: ["completeness-gap": [gap]])
    }
}
