extension HeatMap {
    /// The map for a picture without some patches: their cells take the median of all others, so that neither colour nor range is theirs.
    ///
    /// Only for looking at: what is stored and scored keeps its values.
    ///
    /// - Parameters:
    ///   - patches: their numbers, row by row, on a grid of `rows x columns`.
    /// - Returns: nil where the map's own grid is not that of the patches or of finer cells in them.
    /// - Complexity: O(n log n) for n values.
    public func hiding(_ patches: [Int], rows patchRows: Int, columns patchColumns: Int) -> HeatMap? {
        guard patchRows > 0, patchColumns > 0, rows % patchRows == 0, columns % patchColumns == 0 else { return nil }
        let hidden = Set(patches)
        func isHidden(_ i: Int) -> Bool {
            hidden.contains(i / columns * patchRows / rows * patchColumns + i % columns * patchColumns / columns)
        }
        let others = values.indices.filter { !isHidden($0) && values[$0].isFinite }.map { values[$0] }.sorted()
        guard !others.isEmpty else { return nil }
        let median = (others[(others.count - 1) / 2] + others[others.count / 2]) / 2
        var map = self
        for i in values.indices where isHidden(i) { map.values[i] = median }
        return map
    }
}
