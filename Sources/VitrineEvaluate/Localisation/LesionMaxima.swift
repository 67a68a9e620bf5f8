import VitrineImage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The local maxima of a map and the lesions they hit: what `lesion-hits` and `lesion-sensitivity` share.
///
/// The map on its patches (pixel maps: on patches of 16 pixels) is smoothed by a Gaussian of one patch, the edge repeated; a maximum is
/// a patch that no patch within two patches exceeds, the first of equals. It hits a lesion (4-connected) if its centre lies within one
/// patch of it.
enum LesionMaxima {
    /// Patches, highest first, and the side of a patch in pixels.
    static func maxima(_ map: HeatMap) -> (patches: [Int], grid: HeatMap) {
        var grid = map
        if map.rows == map.height && map.columns == map.width {
            let (rows, columns) = (max(1, (map.height + 8) / 16), max(1, (map.width + 8) / 16))
            grid = HeatMap(
                rows: rows, columns: columns, values: map.patchValues(rows: rows, columns: columns).map { Float($0) }, height: map.height,
                width: map.width, display: map.display)
        }
        let smooth = smoothed(grid)
        let (rows, columns) = (grid.rows, grid.columns)
        let found = smooth.indices.filter { patch in
            let (y, x) = (patch / columns, patch % columns)
            for row in max(0, y - 2)...min(rows - 1, y + 2) {
                for column in max(0, x - 2)...min(columns - 1, x + 2) {
                    let other = row * columns + column
                    if smooth[other] > smooth[patch] || (smooth[other] == smooth[patch] && other < patch) { return false }
                }
            }
            return true
        }
        return (found.sorted { (smooth[$0], -$0) > (smooth[$1], -$1) }, grid)
    }

    private static func smoothed(_ grid: HeatMap) -> [Double] {
        let weights = (-4...4).map { exp(-Double($0 * $0) / 2) }
        let total = weights.reduce(0, +)
        func pass(_ values: [Double], _ step: Int, _ count: Int, _ place: (Int) -> Int) -> [Double] {
            values.indices.map { i in
                let at = place(i)
                return (-4...4).reduce(0) { $0 + weights[$1 + 4] * values[i + (min(max(at + $1, 0), count - 1) - at) * step] } / total
            }
        }
        let down = pass(grid.values.map(Double.init), grid.columns, grid.rows) { $0 / grid.columns }
        return pass(down, 1, grid.columns) { $0 % grid.columns }
    }

    /// For each maximum in order: the lesions it hits.
    static func hits(_ map: any RankedMap) -> [[Int]] {
        let (patches, grid) = maxima(map.arranged)
        let lesions = map.mask.lesionDistances(rows: grid.rows, columns: grid.columns)
        let tolerance = Float(max(grid.height / grid.rows, grid.width / grid.columns))
        return patches.map { patch in lesions.indices.filter { lesions[$0][patch] <= tolerance } }
    }
}
