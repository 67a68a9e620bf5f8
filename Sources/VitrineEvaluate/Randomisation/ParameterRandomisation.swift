import VitrineImage

/// Parameter randomisation: how much of a map is left when the network has forgotten everything.
///
/// The layers are set at random one after the other, head first (`from=top`) or embedding first: depth + 3 networks, each with all
/// layers before it random as well. After every step the method explains again; the value is |Spearman| on the native grid after the
/// last, mean over the randomisations; the curve holds every step, 1 at its start. A map that stays the same shows the image, not the
/// network. Chance: permutations of the map.
/// Source: Adebayo et al. 2018, https://arxiv.org/abs/1810.03292; absolute rank correlation on the patch grid.
public struct ParameterRandomisation: PairMetric {
    public enum End: String, Sendable, CaseIterable { case top, bottom }

    public static let facts = MetricFacts(
        "parameter-randomisation", .randomisation, better: .lower, options: ["from=top|bottom", "seeds=1"],
        curve: "absolute rank correlation with the map of the trained network, by number of random layers from none to all",
        summary: "absolute rank correlation with the map of the network after all its layers were set at random",
        citation: "Adebayo et al. 2018, https://arxiv.org/abs/1810.03292")

    public let identifier: String
    private let end: End
    private let seeds: Int

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        end = try options.choice("from", default: .top)
        seeds = try options.count("seeds", default: 1, in: 1...1000)
    }

    /// Seed by seed, step by step.
    public func circumstances(_ witness: some Witness) -> [Circumstance] {
        (0..<seeds).flatMap { draw in
            (1...witness.layers).map { .randomised(end == .top ? 0..<$0 : (witness.layers - $0)..<witness.layers, draw: draw) }
        }
    }

    /// A map without an answer under a random network keeps nothing of the trained one's.
    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        guard map.values.count == other.values.count else { throw Undefined("the map made again has another grid") }
        return abs(Correlation.spearman(map.values, other.values) ?? 0)
    }

    public func summarise(_ values: [Double]) -> Measurement {
        let steps = values.count / seeds
        let curve = (0..<steps).map { step in mean((0..<seeds).map { values[$0 * steps + step] }) }
        return Measurement(curve[steps - 1], curve: [1] + curve.map { Float($0) })
    }

    public func chance(of map: HeatMap, _ witness: some Witness, draws: Int) throws -> ChanceLevel? {
        // The last step of every randomisation: as many permutations as there are seeds and draws.
        let values = (0..<max(draws, 2) * seeds * 10).map { draw in
            var other = map.values
            var random = witness.random("permutation/\(identifier)", draw)
            random.shuffle(&other)
            return abs(Correlation.spearman(map.values, other) ?? 0)
        }
        return ChanceLevel(values, source: .permutation)
    }
}
