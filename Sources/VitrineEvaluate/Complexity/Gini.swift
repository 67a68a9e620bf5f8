import VitrineImage

/// Gini index of the absolute values: 0 for a flat map, towards 1 for a single patch.
///
/// G = Σ (2i - n - 1) v_i / (n Σ v) over ascending |values| + 1e-7, on the grid that the map is given on (upsampling lowers it).
/// Invariant to positive scaling (to the 1e-7) and to any order of the values.
/// Source: Chalasani et al. 2020, https://arxiv.org/abs/1810.06583; Quantus `Sparseness`.
public struct Gini: MapMetric {
    public static let facts = MetricFacts(
        "gini", .complexity, better: .none, summary: "Gini index of the absolute values: 0 flat, towards 1 a single patch",
        citation: "Chalasani et al. 2020, https://arxiv.org/abs/1810.06583; Quantus Sparseness")

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func measure(_ map: HeatMap) -> Measurement {
        let sorted = map.values.map { abs(Double($0)) + 1e-7 }.sorted()
        let n = Double(sorted.count)
        let weighted = sorted.enumerated().reduce(0) { $0 + (2 * Double($1.offset + 1) - n - 1) * $1.element }
        return Measurement(weighted / (n * sorted.reduce(0, +)))
    }
}
