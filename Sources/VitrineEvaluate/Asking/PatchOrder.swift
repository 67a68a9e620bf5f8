import VitrineImage

extension HeatMap {
    /// The map reduced to patches: the mean over each, by shared area where the grids do not fit into each other.
    ///
    /// - Complexity: O(cells + patches).
    func patchValues(rows newRows: Int, columns newColumns: Int) -> [Double] {
        if newRows == rows && newColumns == columns { return values.map(Double.init) }
        let (down, across) = (Overlaps(from: rows, to: newRows), Overlaps(from: columns, to: newColumns))
        return (0..<newRows * newColumns).map { patch in
            var (sum, weights) = (0.0, 0.0)
            for (y, share) in down.cells[patch / newColumns] {
                for (x, part) in across.cells[patch % newColumns] {
                    sum += share * part * Double(values[y * columns + x])
                    weights += share * part
                }
            }
            return sum / weights
        }
    }
}

/// For each part of a line cut into `new` equal parts: the cells of the same line cut into `old` parts, with what they share.
private struct Overlaps {
    let cells: [[(cell: Int, share: Double)]]

    init(from old: Int, to new: Int) {
        // In units of 1 / (old · new) of the line every border is a whole number.
        cells = (0..<new).map { part in
            let (start, end) = (part * old, (part + 1) * old)
            return (start / new...(end - 1) / new).map { cell in
                (cell, Double(min(end, (cell + 1) * new) - max(start, cell * new)))
            }
        }
    }
}

/// The patches of an image in the order of a map.
struct PatchOrder {
    /// One value per patch.
    let values: [Double]
    /// Most important first; ties in a seeded shuffle.
    let patches: [Int]

    /// - Throws: `Undefined` for a map that says the same of every patch.
    init(_ map: HeatMap, _ witness: some Witness) throws(Undefined) {
        let values = map.patchValues(rows: witness.patches.rows, columns: witness.patches.columns)
        guard values.contains(where: { $0 != values[0] }) else { throw Undefined("the map says the same of every patch") }
        self.values = values
        var random = witness.random("ties")
        patches = Self.descending(values, &random)
    }

    static func descending(_ values: [Double], _ random: inout some RandomNumberGenerator) -> [Int] {
        // A shuffle, then a stable sort.
        let shuffled = values.indices.shuffled(using: &random)
        return shuffled.enumerated().sorted { a, b in
            values[a.element] != values[b.element] ? values[a.element] > values[b.element] : a.offset < b.offset
        }.map(\.element)
    }

    /// Number of patches at fraction `step / steps`, half away from zero.
    static func count(_ step: Int, of steps: Int, _ patches: Int) -> Int { Int((Double(step * patches) / Double(steps)).rounded()) }

    /// The first `count` patches in the order of the image.
    func top(_ count: Int) -> [Int] { patches[..<count].sorted() }

    /// All but the first `count` patches.
    func rest(_ count: Int) -> [Int] { patches[count...].sorted() }
}

/// The area under a curve over equal steps from 0 to 1, by the trapezoid rule.
func area(_ curve: some Collection<Double>) -> Double {
    guard let first = curve.first, curve.count > 1 else { return curve.first ?? 0 }
    let ends = (first + curve[curve.index(curve.startIndex, offsetBy: curve.count - 1)]) / 2
    return (curve.reduce(0, +) - ends) / Double(curve.count - 1)
}
