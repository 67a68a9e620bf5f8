import VitrineImage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Efficient parameter randomisation: how much more complex the map becomes when the whole network is set at random:
/// (H(random) - H(trained)) / H(trained).
///
/// H is the entropy, in nats, of a histogram of the native values with 100 bins from the least to the largest. Above 0 is better.
/// Invariant to positive scaling and to an added constant. Chance: 0, since an arrangement has no part in it.
/// Source: Hedström et al. 2024, https://arxiv.org/abs/2401.06465; Quantus `EfficientMPRT`.
public struct EfficientRandomisation: PairMetric {
    public static let facts = MetricFacts(
        "efficient-randomisation", .randomisation, better: .higher,
        summary: "relative growth of the map's entropy when the network is set at random",
        citation: "Hedström et al. 2024, https://arxiv.org/abs/2401.06465; Quantus EfficientMPRT")

    public let identifier: String

    public init(_ options: inout MetricOptions) { identifier = options.identifier }

    public func circumstances(_ witness: some Witness) -> [Circumstance] { [.randomised(0..<witness.layers, draw: 0)] }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        let own = Self.entropy(map.values)
        guard own > 0 else { throw Undefined("the map's histogram has one bin") }
        return (Self.entropy(other.values) - own) / own
    }

    public func summarise(_ values: [Double]) -> Measurement { Measurement(values[0]) }

    public func chance(of map: HeatMap, _ witness: some Witness, draws: Int) -> ChanceLevel? { noCorrelation }

    /// Of the histogram of 100 equal bins, the last one closed.
    static func entropy(_ values: [Float]) -> Double {
        guard let low = values.min().map(Double.init), let high = values.max().map(Double.init), high > low else { return 0 }
        var bins = [Int](repeating: 0, count: 100)
        for value in values { bins[min(99, Int((Double(value) - low) / (high - low) * 100))] += 1 }
        return bins.reduce(0) { sum, count in
            let share = Double(count) / Double(values.count)
            return count == 0 ? sum : sum - share * log(share)
        }
    }
}
