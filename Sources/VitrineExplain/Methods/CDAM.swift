import VitrineImage
import VitrineModel
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Class-discriminative attention map (Brocki, Binda & Chung 2023, https://arxiv.org/abs/2312.02364): `sum_c T_c dy/dT_c` at norm1, signed.
///
/// It is HiResCAM before its ReLU. T are the patches' rows of norm1's output; prefix tokens and the residual path keep their own values in
/// both variants, which run the network from the block on:
/// - `smooth=N`: the mean of this map over N copies of T under normal noise of a tenth of T's deviation, with its standard error beside it;
/// - `integrated=N`: T times the gradient integrated along `a T`, a from 0 to 1, by N nodes of Gauss and Legendre. The sum is y(T) - y(0) up
///   to the error of the rule, which the note `completeness-gap` gives as a share of |y(T) - y(0)|.
struct CDAM: Explainer {
    static let methods = [
        Method(
            "cdam", "gradient times activation at norm1, signed", "Brocki, Binda & Chung 2023, arXiv:2312.02364", family: .cam,
            options: "block=last, smooth=0, integrated=0, seed=0"
        ) { options throws(MethodError) in try CDAM(&options) }
    ]

    enum Variant {
        case plain
        case smooth(Int)
        case integrated(Int)

        var steps: Int {
            switch self {
            case .plain: 0
            case .smooth(let n), .integrated(let n): n
            }
        }
    }

    var block: Int?
    var variant: Variant
    var seed: Int

    init(_ options: inout MethodOptions) throws(MethodError) {
        block = try options.takeBlock()
        let smooth = try options.takeCount("smooth", default: 0, from: 0)
        let integrated = try options.takeCount("integrated", default: 0, from: 0)
        guard smooth == 0 || integrated == 0 else {
            throw .badValue(
                method: options.method, option: "integrated", value: "\(integrated) beside smooth=\(smooth)",
                allowed: "one of the two alone")
        }
        variant = smooth > 0 ? .smooth(smooth) : integrated > 0 ? .integrated(integrated) : .plain
        seed = try options.takeSeed()
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        let block = try network.block(block)
        guard case .plain = variant else {
            return Needs(TraceRequest(forward: [.tokens(block), .norm1(block)]), needsClass: true)
        }
        return Needs(CAM.request(block: block))
    }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        let share = Double(network.depth - (block ?? network.depth - 1)) / Double(network.depth)
        let steps = Double(variant.steps) * share
        if case .integrated = variant { return Passes(forward: steps + share, backward: steps) }
        return Passes(forward: steps, backward: steps)
    }

    private static let display = DisplayRule(upsampling: .nearest, normalisation: .minMax)

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let l = block ?? subject.depth - 1
        guard variant.steps > 0 else {
            let layer = CAM.layer(subject, block: block)
            return MethodResult(subject.patchMap(layer.activation.times(layer.gradient).summedOverLast(), Self.display))
        }
        let (residual, norm) = (subject.values().value(.tokens(l)), subject.values().value(.norm1(l)))
        let t = subject.patchRows(norm)
        /// Norm1's output with other rows at the patches.
        func input(_ rows: Tensor) -> (tokens: Tensor, norm1: Tensor) {
            var changed = norm
            changed.replace(from: subject.prefix * norm.shape[1], with: rows)
            return (tokens: residual, norm1: changed)
        }
        let request = TraceRequest(gradient: [.norm1(l)])
        switch variant {
        case .plain: preconditionFailure("the plain map is read off the shared trace")
        case .smooth(let count):
            let deviation = 0.1 * Self.deviation(t)
            func copy(_ i: Int) -> Tensor {
                var random = subject.random("cdam/\(seed)", i)
                var rows = t
                rows.withMutableSpan { span in for j in 0..<span.count { span[j] += Float(deviation * random.normal()) } }
                return rows
            }
            var moments = Moments(count: subject.grid.count)
            try probe.traces(enteringNorm1Of: l, (0..<count).lazy.map { input(copy($0)) }, request) { i, trace in
                moments.add(copy(i).times(subject.patchRows(trace.gradient(.norm1(l)))).summedOverLast())
            }
            let error = count > 1 ? subject.patchMap(moments.errors, Self.display) : nil
            return MethodResult(subject.patchMap(moments.means, Self.display), error: error)
        case .integrated(let count):
            let (nodes, weights) = gaussLegendre(count)
            var total = Tensor(t.shape)
            let inputs = nodes.lazy.map { a in
                var rows = t
                scale(&rows, by: Float(a))
                return input(rows)
            }
            try probe.traces(enteringNorm1Of: l, inputs, request) { k, trace in
                addScaled(subject.patchRows(trace.gradient(.norm1(l))), Float(weights[k]), to: &total)
            }
            let map = t.times(total)
            let target = try probe.requiredTarget()
            var start: Float = 0
            try probe.logits(enteringNorm1Of: l, [input(Tensor(t.shape))]) { _, logits in start = target.value(logits: logits) }
            let change = Double(target.value(logits: subject.logits)) - Double(start)
            let gap = change == 0 ? .infinity : abs(VitrineTensor.sum(map) - change) / abs(change)
            return MethodResult(subject.patchMap(map.summedOverLast(), Self.display), notes: ["completeness-gap": [gap]])
        }
    }

    /// Of all values, in Float64.
    private static func deviation(_ x: Tensor) -> Double {
        let n = Double(x.count)
        let mean = VitrineTensor.sum(x) / n
        return max(0, squaredNorm([x]) / n - mean * mean).squareRoot()
    }
}
