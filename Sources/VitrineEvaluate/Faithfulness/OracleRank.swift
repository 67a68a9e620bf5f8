import VitrineImage

/// Where an order of cells stands between random orders and the best one that a greedy search finds: what `deletion-rank` and
/// `insertion-rank` share.
///
/// The patches are joined to a grid of cells, so that the search stays affordable: for n cells it asks n (n + 1) / 2 times, once per
/// image. Both the map's curve and the oracle's are taken over the cells.
struct OracleRank: Sendable {
    let curve: RemovalCurve
    let cells: Int
    let isDeletion: Bool

    static let options = RemovalCurve.options + ["cells=7"]
    private static let randomOrders = 10

    init(_ options: inout MetricOptions, isDeletion: Bool) throws(MetricError) {
        curve = try RemovalCurve(&options)
        cells = try options.count("cells", default: 7, in: 2...32)
        self.isDeletion = isDeletion
    }

    /// The patches of every cell.
    private func members(_ witness: some Witness) -> [[Int]] {
        let (rows, columns) = witness.patches
        let (down, across) = (min(cells, rows), min(cells, columns))
        var members = [[Int]](repeating: [], count: down * across)
        for patch in 0..<rows * columns {
            members[patch / columns * down / rows * across + patch % columns * across / columns].append(patch)
        }
        return members
    }

    /// The answers while the cells go, or come, in this order.
    private func answers(_ order: [Int], _ members: [[Int]], _ witness: some Witness) throws -> [Double] {
        let sets = (0...curve.steps).map { step -> [Int] in
            let count = PatchOrder.count(step, of: curve.steps, order.count)
            let left = isDeletion ? order[count...] : order[..<count]
            return left.flatMap { members[$0] }.sorted()
        }
        return try witness.values(keeping: sets, by: curve.removal, curve.scale)
    }

    /// Takes, one by one, the cell whose removal makes the answer smallest, or whose arrival makes it largest; the first of equals.
    private func oracle(_ members: [[Int]], _ witness: some Witness) throws -> [Int] {
        var order: [Int] = []
        var open = Array(members.indices)
        while !open.isEmpty {
            let sets = open.map { candidate -> [Int] in
                let chosen = order + [candidate]
                return (isDeletion ? members.indices.filter { !chosen.contains($0) } : chosen).flatMap { members[$0] }.sorted()
            }
            let values = try witness.values(keeping: sets, by: curve.removal, curve.scale)
            var best = 0
            for i in values.indices where isDeletion ? values[i] < values[best] : values[i] > values[best] { best = i }
            order.append(open.remove(at: best))
        }
        return order
    }

    private struct Span {
        /// Areas of random orders, and of the oracle's.
        let random: [Double]
        let best: Double

        var floor: Double { mean(random) }
    }

    private func span(_ members: [[Int]], _ witness: some Witness) throws -> Span {
        let random = try (0..<Self.randomOrders).map { draw in
            var random = witness.random("random-cells", draw)
            return area(try answers(random.permutation(members.count), members, witness))
        }
        let span = Span(random: random, best: area(try answers(try oracle(members, witness), members, witness)))
        guard isDeletion ? span.best < span.floor : span.best > span.floor else {
            throw Undefined("no order of the cells does better than a random one")
        }
        return span
    }

    func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let members = members(witness)
        let patches = try PatchOrder(map, witness)
        var random = witness.random("ties")
        let order = PatchOrder.descending(members.map { cell in mean(cell.map { patches.values[$0] }) }, &random)
        let found = try answers(order, members, witness)
        try requireChange(found)
        let span = try span(members, witness)
        return Measurement(
            (area(found) - span.floor) / (span.best - span.floor), curve: found.map { Float($0) }, ceiling: 1,
            note: witness.emptyNote(curve.removal))
    }

    /// 0 by definition, as uncertain as the floor.
    func chance(_ witness: some Witness) throws -> ChanceLevel? {
        let span = try span(members(witness), witness)
        let error = standardDeviation(span.random) / Double(span.random.count).squareRoot()
        return ChanceLevel(0, source: .controls, standardError: error / abs(span.best - span.floor))
    }
}
