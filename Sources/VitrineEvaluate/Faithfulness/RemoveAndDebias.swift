import VitrineImage
import VitrineTensor

/// ROAD, remove and debias: (change without the least relevant - change without the most relevant) / 2, removed pixels being filled
/// from their neighbours so that their shape says little.
///
/// For each percentile q: the pixels of the displayed map at or above its q-th percentile go (most relevant), or those at or above
/// that of 1 - map (least relevant); mean over the percentiles. Filled pixels get noise of `noise` in normalised units. Invariant to
/// positive scaling. Chance: random maps under the same model.
/// Source: Rong et al. 2022, https://arxiv.org/abs/2202.00449; at noise 0 pytorch-grad-cam's `ROADCombined`.
public struct RemoveAndDebias: ModelMetric {
    public static let facts = MetricFacts(
        "road", .faithfulness, better: .higher, options: ["percentiles=20,40,60,80", "noise=0.01", RemovalCurve.scaleOption],
        curve: "change of the model's answer by percentile, most relevant removed; then the same, least relevant removed",
        summary: "half the change of the model's answer without the least relevant pixels minus that without the most relevant",
        citation: "Rong et al. 2022, https://arxiv.org/abs/2202.00449; pytorch-grad-cam ROADCombined")

    public let identifier: String
    private let percentiles: [Double]
    private let noise: Float
    private let scale: AnswerScale

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        percentiles = try options.list("percentiles", default: [20, 40, 60, 80], in: 0...100)
        noise = Float(try options.value("noise", default: 0.01, in: 0...10))
        scale = try options.choice("value", default: .probability)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let shown = map.displayed()
        guard shown.contains(where: { $0 != shown[0] }) else { throw Undefined("the map is displayed as one value") }
        let whole = try witness.values(keeping: [Array(0..<witness.patchCount)], by: .drop, scale)[0]
        let orders = [shown, shown.map { 1 - $0 }]
        let inputs = orders.enumerated().lazy.flatMap { o, values in
            percentiles.enumerated().lazy.map { p, percentile in
                imputed(values, percentile, witness, draw: o * percentiles.count + p)
            }
        }
        var changes: [Double] = []
        try witness.logits(of: inputs) { _, logits in changes.append(witness.value(logits, scale) - whole) }
        guard changes.allSatisfy(\.isFinite) else { throw Undefined("the model's answer is not finite") }
        try requireChange([0] + changes)
        let half = percentiles.count
        return Measurement((mean(Array(changes[half...])) - mean(Array(changes[..<half]))) / 2, curve: changes.map { Float($0) })
    }

    private func imputed(_ values: [Float], _ percentile: Double, _ witness: some Witness, draw: Int) -> ChangedInput {
        let threshold = quantile(ofSorted: values.map(Double.init).sorted(), percentile / 100)
        let isMissing = values.map { Double($0) >= threshold }
        var image = NeighbourImputation(isMissing: isMissing, height: witness.height, width: witness.width).fill(witness.image)
        if noise > 0 {
            var random = witness.random("road", draw)
            let plane = witness.height * witness.width
            image.withMutableSpan { span in
                for i in 0..<span.count where isMissing[i % plane] { span[i] += noise * Float(random.normal()) }
            }
        }
        return .pixels(image)
    }
}
