import VitrineImage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Sensitivity-n: Pearson's correlation, over random sets of n patches, of the map's sum in the set with the fall of the answer
/// without it; mean over the sizes n.
///
/// Sizes: 8 from 1 to 80 % of the patches, in equal steps of the logarithm, equal ones once. Invariant to positive scaling and to an
/// added constant. Chance: 0 in expectation, from random maps.
/// Source: Ancona et al. 2018, https://arxiv.org/abs/1711.06104, section 4; on patches.
public struct SensitivityN: ModelMetric {
    public static let facts = MetricFacts(
        "sensitivity-n", .faithfulness, better: .higher,
        options: ["sizes=8", "sets=100", RemovalCurve.removalOption, RemovalCurve.scaleOption],
        curve: "correlation of the map's sums with the falls of the model's answer, by size of the sets",
        summary: "correlation of the map's sums over random sets of patches with the falls of the model's answer, mean over set sizes",
        citation: "Ancona et al. 2018, https://arxiv.org/abs/1711.06104")

    public let identifier: String
    private let sizes: Int
    private let sets: Int
    private let removal: RemovalRule
    private let scale: AnswerScale

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        sizes = try options.count("sizes", default: 8, in: 1...1000)
        sets = try options.count("sets", default: 100, in: 3...1_000_000)
        removal = try options.choice("removal", default: .drop)
        scale = try options.choice("value", default: .probability)
    }

    /// Numbers of patches, ascending.
    static func sizes(_ count: Int, patches: Int) -> [Int] {
        let last = max(1, 0.8 * Double(patches))
        let all = (0..<count).map { Int(pow(last, count == 1 ? 1 : Double($0) / Double(count - 1)).rounded()) }
        return all.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let values = try PatchOrder(map, witness).values
        var (correlations, missing): ([Double], Int) = ([], 0)
        for size in Self.sizes(sizes, patches: witness.patchCount) {
            let subsets = try RandomSubsets(
                "sensitivity-\(size)", sizes: [Int](repeating: size, count: sets), removal, scale, witness)
            if let found = pearson(subsets.sums(values), subsets.falls) { correlations.append(found) } else { missing += 1 }
        }
        guard !correlations.isEmpty else { throw Undefined("no size of sets has sums that differ") }
        return Measurement(
            mean(correlations), curve: correlations.map { Float($0) },
            note: missing == 0 ? nil : "\(missing) sizes of sets have no correlation and are left out")
    }
}
