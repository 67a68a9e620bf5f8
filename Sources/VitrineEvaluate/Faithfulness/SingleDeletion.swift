import VitrineImage

/// Single deletion: Spearman's correlation, over the cells of a 4 x 4 grid, of the map's signed sum in a cell with the fall of the
/// logit without it.
///
/// In domain for a network that was trained with random cells deleted. Invariant to positive scaling. Chance: 0 in expectation, from
/// random maps.
/// Source: Hesse, Schaub-Meyer & Roth 2024, "IDSDS", https://arxiv.org/abs/2406.18494.
public struct SingleDeletion: ModelMetric {
    public static let facts = MetricFacts(
        "single-deletion", .faithfulness, better: .higher, options: ["grid=4", RemovalCurve.removalOption, "value=logit|probability"],
        curve: "fall of the model's answer without each cell, row by row",
        summary: "rank correlation of the map's sums over cells with the falls of the logit without each cell",
        citation: "Hesse, Schaub-Meyer & Roth 2024, https://arxiv.org/abs/2406.18494")

    public let identifier: String
    private let grid: Int
    private let removal: RemovalRule
    private let scale: AnswerScale

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        grid = try options.count("grid", default: 4, in: 2...64)
        removal = try options.choice("removal", default: .drop)
        scale = try options.choice("value", default: .logit)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let values = try PatchOrder(map, witness).values
        let (rows, columns) = witness.patches
        let (down, across) = (min(grid, rows), min(grid, columns))
        var cells = [[Int]](repeating: [], count: down * across)
        for patch in 0..<rows * columns { cells[patch / columns * down / rows * across + patch % columns * across / columns].append(patch) }
        let answers = try witness.values(
            keeping: [Array(0..<witness.patchCount)] + cells.map { witness.patches(without: $0) }, by: removal, scale)
        try requireChange(answers)
        let falls = answers.dropFirst().map { answers[0] - $0 }
        guard let found = spearman(cells.map { $0.reduce(0) { $0 + values[$1] } }, falls) else {
            throw Undefined("the map's sums, or the model's answers, are the same for all cells")
        }
        return Measurement(found, curve: falls.map { Float($0) })
    }
}
