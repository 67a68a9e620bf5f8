import VitrineImage
import VitrineTensor

/// Flip equivariance: how alike the map of the mirrored image, mirrored back, is to the map.
///
/// Spearman's correlation on the native grid. Invariant to monotone changes of both maps. Chance: 0.
/// Source: this project.
public struct FlipEquivariance: PairMetric {
    public static let facts = MetricFacts(
        "flip-equivariance", .stability, better: .higher,
        summary: "rank correlation with the map of the image mirrored left to right, mirrored back", citation: "this project")

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func circumstances(_ witness: some Witness) -> [Circumstance] {
        var pixels = witness.image
        let width = witness.width
        let values = pixels.values
        pixels.withMutableSpan { span in for i in 0..<span.count { span[i] = values[i - i % width + width - 1 - i % width] } }
        return [.input(.pixels(pixels))]
    }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        var back = other
        let columns = other.columns
        back.values = other.values.indices.map { other.values[$0 - $0 % columns + columns - 1 - $0 % columns] }
        return try rankCorrelation(map, back)
    }

    public func summarise(_ values: [Double]) -> Measurement { Measurement(values[0]) }

    public func chance(of map: HeatMap, _ witness: some Witness, draws: Int) -> ChanceLevel? { noCorrelation }
}
