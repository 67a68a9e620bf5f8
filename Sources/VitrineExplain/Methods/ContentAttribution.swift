import VitrineImage
import VitrineModel
import VitrineTensor

/// CAT and AttCAT (Qiang et al. 2022, NeurIPS), on the balanced gradient of LibraGrad (arXiv:2411.16760).
///
/// CAT = the sum over blocks of `sum_d z g` at the tokens that leave each block but the last, g the gradient under the rule. AttCAT weighs
/// each block's share by the mean over heads and queries of its attention to the token.
struct ContentAttribution: TraceExplainer {
    static let methods: [Method] = [
        ("cat", false, "content of the tokens leaving each block"), ("attcat", true, "the same, weighted by attention"),
    ].map { name, isWeighted, summary in
        Method(
            name, summary, "Qiang et al. 2022, AttCAT (NeurIPS); LibraGrad 2024, arXiv:2411.16760", family: .relevance
        ) { _ in ContentAttribution(isWeighted: isWeighted) }
    }

    var isWeighted: Bool
    private static let rule = GradientRule.cpLRP

    private func blocks(_ depth: Int) -> Range<Int> { 0..<max(1, depth - 1) }

    func needs(_ network: ViTConfiguration) -> Needs {
        let sites = Set(blocks(network.depth).map { Site.tokens($0 + 1) })
        var request = TraceRequest(forward: sites)
        if isWeighted { request.forward.formUnion(blocks(network.depth).map(Site.attention)) }
        request.backward[.gradient(Self.rule)] = sites
        return Needs(request)
    }

    func map(_ subject: Subject) -> MethodResult {
        let trace = subject.values()
        var total = [Float](repeating: 0, count: subject.grid.count)
        for l in blocks(subject.depth) {
            let site = Site.tokens(l + 1)
            let content = subject.patchRows(trace.value(site).times(trace.gradient(site, Self.rule))).summedOverLast()
            var weights = [Float](repeating: 1, count: content.count)
            if isWeighted {
                let mean = meanOverHeads(trace.attention(l))
                var ones = Tensor([1, mean.shape[0]])
                ones.fill(1 / Float(mean.shape[0]))
                weights = subject.patches(rowTimes(ones, mean))
            }
            for i in content.indices { total[i] += weights[i] * content[i] }
        }
        return MethodResult(subject.patchMap(total, .relevance))
    }
}
