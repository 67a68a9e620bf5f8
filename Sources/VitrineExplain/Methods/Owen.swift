import VitrineImage
import VitrineModel
import VitrineTensor

/// Owen values on a binary tree over the patch grid (Owen 1977; shap's partition explainer).
///
/// The tree halves the longer side (ties: rows; the first part takes floor(n/2)). A node's credit `w (f(context + node) - f(context))` is split
/// between its halves, each with the other half absent and present; the node with the largest credit comes first, until `evaluations`
/// answers are spent. What is not split further is spread evenly, so the sum is exactly y(all) - y(none). They are not Shapley values: they
/// depend on the tree.
struct Owen: Explainer {
    static let methods = [
        Method(
            "owen", "Owen values on a tree of halves", "Owen 1977; Lundberg, shap (PartitionExplainer)", family: .perturbation,
            options: "evaluations=500, \(RemovalRule.option()), value=logit|probability"
        ) { options throws(MethodError) in try Owen(&options) }
    ]

    var evaluations: Int
    var removal: RemovalRule
    var value: AnswerKind

    init(_ options: inout MethodOptions) throws(MethodError) {
        evaluations = try options.takeCount("evaluations", default: 500)
        removal = try options.takeWord("removal", default: .drop)
        value = try options.takeWord("value", default: .logit)
    }

    func needs(_ network: ViTConfiguration) -> Needs { Needs(needsClass: true) }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        Passes(forward: Double(evaluations) * (removal == .drop ? 0.5 : 1))
    }

    private struct Region {
        var rows: Range<Int>
        var columns: Range<Int>
        var count: Int { rows.count * columns.count }

        func patches(_ width: Int) -> [Int] { rows.flatMap { y in columns.map { y * width + $0 } } }

        /// nil for a single patch.
        var halves: (Region, Region)? {
            guard count > 1 else { return nil }
            var (first, second) = (self, self)
            if rows.count >= columns.count {
                let middle = rows.lowerBound + rows.count / 2
                (first.rows, second.rows) = (rows.lowerBound..<middle, middle..<rows.upperBound)
            } else {
                let middle = columns.lowerBound + columns.count / 2
                (first.columns, second.columns) = (columns.lowerBound..<middle, middle..<columns.upperBound)
            }
            return (first, second)
        }
    }

    /// A region under one context, with what is credited to it.
    private struct Item {
        var region: Region
        /// Patches present beside it.
        var context: Set<Int>
        var without: Double
        var with: Double
        var weight: Double
        var credit: Double { weight * (with - without) }
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let game = try CoalitionGame(subject, probe, removal: removal, value: value)
        let grid = subject.grid
        let (empty, full) = try game.ends()
        var spent = 2
        var open = [
            Item(region: Region(rows: 0..<grid.rows, columns: 0..<grid.columns), context: [], without: empty, with: full, weight: 1)
        ]
        var map = [Double](repeating: 0, count: grid.count)
        func close(_ item: Item) {
            let patches = item.region.patches(grid.columns)
            for patch in patches { map[patch] += item.credit / Double(patches.count) }
        }
        // A few at a time, so that passes fill; which ones does not depend on the passes.
        while !open.isEmpty && spent + 2 <= evaluations {
            open.sort { (abs($0.credit), $1.region.rows.lowerBound) > (abs($1.credit), $0.region.rows.lowerBound) }
            let taken = open.prefix(min(4, (evaluations - spent) / 2))
            open.removeFirst(taken.count)
            let splits = taken.compactMap { item in item.region.halves.map { (item, $0.0, $0.1) } }
            for item in taken where item.region.halves == nil { close(item) }
            guard !splits.isEmpty else { continue }
            let sets = splits.flatMap { item, first, second in
                [first, second].map { item.context.union($0.patches(grid.columns)).sorted() }
            }
            let values = try game.values(of: sets)
            spent += sets.count
            for (i, (item, first, second)) in splits.enumerated() {
                let (withFirst, withSecond) = (values[2 * i], values[2 * i + 1])
                let half = item.weight / 2
                let (a, b) = (Set(first.patches(grid.columns)), Set(second.patches(grid.columns)))
                open += [
                    Item(region: first, context: item.context, without: item.without, with: withFirst, weight: half),
                    Item(region: first, context: item.context.union(b), without: withSecond, with: item.with, weight: half),
                    Item(region: second, context: item.context, without: item.without, with: withSecond, weight: half),
                    Item(region: second, context: item.context.union(a), without: withFirst, with: item.with, weight: half),
                ]
            }
        }
        for item in open { close(item) }
        let gap = abs(map.reduce(0, +) - (full - empty))
        return MethodResult(
            subject.patchMap(map.map { Float($0) }, .relevance), notes: ["efficiency-gap": [gap], "evaluations": [Double(spent)]])
    }
}
