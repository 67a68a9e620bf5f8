import VitrineImage

/// SaCo, salience-guided faithfulness coefficient: whether groups of patches that the map ranks higher also move the answer more.
///
/// The patches in descending order make K groups (sizes differ by one at most, larger groups first) with sums s_i and falls
/// d_i = p(x) - p(x without group i); F = Σ_{i<j} ± (s_i - s_j) / Σ |s_i - s_j|, + where d_i > d_j, - where d_i < d_j, and 0 where they
/// are equal: the paper counts equality as agreement, which rewards every map where the answer is saturated. In -1...1; the reversed
/// map has about the opposite value. Invariant to positive scaling. Chance: random maps under the same model (about 0).
/// Source: Wu et al. 2024, https://arxiv.org/abs/2404.01415; half credit for equality: this project.
public struct SalienceGuidedCoefficient: ModelMetric {
    public static let facts = MetricFacts(
        "saco", .faithfulness, better: .higher, options: ["groups=10", RemovalCurve.removalOption, RemovalCurve.scaleOption],
        curve: "fall of the model's answer without each group of patches, most important first",
        summary: "agreement of the differences between groups of patches in the map with those in the model's answer",
        citation: "Wu et al. 2024, https://arxiv.org/abs/2404.01415; half credit for equality: this project")

    public let identifier: String
    private let groups: Int
    private let removal: RemovalRule
    private let scale: AnswerScale

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        groups = try options.count("groups", default: 10, in: 2...10_000)
        removal = try options.choice("removal", default: .drop)
        scale = try options.choice("value", default: .probability)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let order = try PatchOrder(map, witness)
        let count = min(groups, witness.patchCount)
        let (size, longer) = (witness.patchCount / count, witness.patchCount % count)
        var start = 0
        let members = (0..<count).map { group -> [Int] in
            let end = start + size + (group < longer ? 1 : 0)
            defer { start = end }
            return Array(order.patches[start..<end])
        }
        let values = try witness.values(
            keeping: [Array(0..<witness.patchCount)] + members.map { witness.patches(without: $0) }, by: removal, scale)
        try requireChange(values)
        let falls = values.dropFirst().map { values[0] - $0 }
        let sums = members.map { group in group.reduce(0) { $0 + order.values[$1] } }
        var (agreed, total) = (0.0, 0.0)
        for i in 0..<count {
            for j in i + 1..<count {
                let difference = sums[i] - sums[j]
                total += abs(difference)
                if falls[i] != falls[j] { agreed += falls[i] > falls[j] ? difference : -difference }
            }
        }
        guard total > 0 else { throw Undefined("all groups of patches have one sum") }
        return Measurement(agreed / total, curve: falls.map { Float($0) })
    }
}
