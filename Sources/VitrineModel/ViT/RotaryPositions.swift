/// Positions that enter by turning queries and keys: pairs of channels are rotated by an angle that is linear in the patch's row and column
/// (RoFormer, https://arxiv.org/abs/2104.09864; in two dimensions EVA-02, https://arxiv.org/abs/2303.11331; RoPE-ViT,
/// https://arxiv.org/abs/2403.13298; DINOv3, https://arxiv.org/abs/2508.10104).
///
/// Only patch tokens turn; prefix tokens and values do not. With d the width of a head there are d/2 pairs; an axial rotation gives the
/// first d/4 to one axis and the others, at the same frequencies, to the other.
public struct RotaryPositions: Sendable, Equatable, Codable {
    /// Which two channels of a head turn together.
    public enum Pairing: String, Sendable, Codable {
        /// m and m + d/2 (DINOv3).
        case halves
        /// 2m and 2m + 1 (EVA-02, RoPE-ViT).
        case neighbours
    }

    /// Where a patch is, along each axis.
    public enum Coordinates: Sendable, Equatable, Codable {
        /// The patch's middle between -1 and 1, each axis by its own size (DINOv3).
        case centred
        /// The patch's index, stretched as if the grid were this one (EVA-02).
        case scaled(to: PatchGrid)
        /// The patch's index (RoPE-ViT).
        case index
    }

    public enum Frequencies: Sendable, Equatable, Codable {
        /// Radians per unit of a coordinate, d/4 of them, the same in all blocks and heads.
        case axial([Float])
        /// Learnt per block, head and axis: `ViTBlock.rotaryFrequencies`.
        case learned
    }

    public var pairing: Pairing
    public var coordinates: Coordinates
    public var frequencies: Frequencies
    /// Columns before rows: the first pairs turn by the column.
    public var columnsFirst: Bool

    public init(pairing: Pairing, coordinates: Coordinates, frequencies: Frequencies, columnsFirst: Bool) {
        self.pairing = pairing
        self.coordinates = coordinates
        self.frequencies = frequencies
        self.columnsFirst = columnsFirst
    }

    /// Along both axes, the first one first.
    func coordinates(of grid: PatchGrid) -> [[Double]] {
        func axis(_ count: Int, _ reference: Int) -> [Double] {
            (0..<count).map { i in
                switch coordinates {
                case .centred: 2 * (Double(i) + 0.5) / Double(count) - 1
                case .scaled: Double(i) / Double(count) * Double(reference)
                case .index: Double(i)
                }
            }
        }
        let reference = if case .scaled(let to) = coordinates { to } else { grid }
        let axes = [axis(grid.rows, reference.rows), axis(grid.columns, reference.columns)]
        return columnsFirst ? axes.reversed() : axes
    }

    /// The place of a patch on the first and on the second axis.
    func place(_ patch: Int, of grid: PatchGrid) -> (Int, Int) {
        let (row, column) = (patch / grid.columns, patch % grid.columns)
        return columnsFirst ? (column, row) : (row, column)
    }
}
