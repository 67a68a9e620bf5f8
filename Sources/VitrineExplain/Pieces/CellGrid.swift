import VitrineModel

/// A coarse grid over the patches: each patch belongs to the cell that its place falls into.
struct CellGrid {
    let cells: Int
    /// By patch.
    let cell: [Int]

    init(_ side: Int, over grid: PatchGrid) {
        let (rows, columns) = (min(side, grid.rows), min(side, grid.columns))
        cells = rows * columns
        cell = (0..<grid.count).map { patch in
            patch / grid.columns * rows / grid.rows * columns + patch % grid.columns * columns / grid.columns
        }
    }

    /// A value per cell at every patch of it.
    func spread(_ values: [Double]) -> [Float] { cell.map { Float(values[$0]) } }
}
