import VitrineImage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Entropy of the absolute values as shares of their sum, divided by ln n: 1 for a flat map, 0 for a single patch.
///
/// On the grid that the map is given on. Invariant to positive scaling and to any order of the values.
/// Source: Bhatt, Weller & Moura 2020, https://arxiv.org/abs/2005.00631; Quantus `Complexity`, there in nats.
public struct Entropy: MapMetric {
    public static let facts = MetricFacts(
        "entropy", .complexity, better: .none, summary: "entropy of the absolute values, from 0 for a single patch to 1 for a flat map",
        citation: "Bhatt, Weller & Moura 2020, https://arxiv.org/abs/2005.00631; Quantus Complexity")

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func measure(_ map: HeatMap) -> Measurement {
        let values = map.values.map { abs(Double($0)) }
        let total = values.reduce(0, +)
        let sum = values.reduce(0) { sum, value in value == 0 ? sum : sum - value / total * log(value / total) }
        return Measurement(sum / log(Double(values.count)))
    }
}
