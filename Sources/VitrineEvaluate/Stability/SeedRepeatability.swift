import VitrineImage

/// Seed repeatability: how alike the maps of a method that draws at random are between seeds.
///
/// Spearman's correlation on the native grid with the map of each other seed, mean over the seeds. Undefined where all are the same.
/// Invariant to monotone changes of both maps. Chance: 0.
/// Source: this project.
public struct SeedRepeatability: PairMetric {
    public static let facts = MetricFacts(
        "seed-repeatability", .stability, better: .higher, options: ["seeds=3"], curve: "rank correlation with the map of each other seed",
        summary: "rank correlation with the maps of other seeds of a random method", citation: "this project")

    public let identifier: String
    private let seeds: Int

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        seeds = try options.count("seeds", default: 3, in: 1...1000)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        var (values, isRandom): ([Double], Bool) = ([], false)
        try witness.maps(under: circumstances(witness)) { i, other in
            isRandom = isRandom || other.values != map.values
            values.append(try compare(map, other, i, witness))
        }
        guard isRandom else { throw Undefined("the method draws nothing at random") }
        return summarise(values)
    }

    public func circumstances(_ witness: some Witness) -> [Circumstance] { (1...seeds).map { .seed($0) } }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        try rankCorrelation(map, other)
    }

    public func chance(of map: HeatMap, _ witness: some Witness, draws: Int) -> ChanceLevel? { noCorrelation }
}
