import VitrineImage
import VitrineTensor

/// Gain stability: how alike a map stays to itself when all grey levels grow or shrink by five per cent, cut off at black and white.
///
/// Spearman's correlation on the native grid, mean over the two. Invariant to monotone changes of both maps. Chance: 0.
/// Source: this project.
public struct GainStability: PairMetric {
    public static let facts = MetricFacts(
        "gain-stability", .stability, better: .higher, options: ["percent=5"],
        curve: "rank correlation with brighter, then with darker grey levels",
        summary: "rank correlation with the maps under grey levels changed by five per cent", citation: "this project")

    public let identifier: String
    private let factors: [Float]

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        let share = Float(try options.value("percent", default: 5, in: 0.01...100) / 100)
        factors = [1 + share, 1 - share]
    }

    public func circumstances(_ witness: some Witness) -> [Circumstance] {
        factors.map { factor in
            var pixels = witness.image
            let plane = witness.height * witness.width
            pixels.withMutableSpan { span in
                for i in 0..<span.count {
                    let c = i / plane
                    let level = span[i] * witness.scale.deviation[c] + witness.scale.mean[c]
                    span[i] = witness.scale.value(ofLevel: min(max(factor * level, 0), 1), channel: c)
                }
            }
            return .input(.pixels(pixels))
        }
    }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        try rankCorrelation(map, other)
    }

    public func chance(of map: HeatMap, _ witness: some Witness, draws: Int) -> ChanceLevel? { noCorrelation }
}
