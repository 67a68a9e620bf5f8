import VitrineImage

/// The sites that share the map's maximum.
public struct TopClass: Sendable, Equatable {
    public var sites: [Int]
}

/// The pixels whose value is at least that of a given rank.
public struct Selection: Sendable, Equatable {
    /// Selected pixels, |B|, and those of them in the mask.
    public var total: Int
    public var inside: Int
    /// The smallest rectangle that holds them all.
    public var bounds: PixelRectangle
}

/// The largest 4-connected component of a selection.
public struct Component: Sendable, Equatable {
    public var total: Int
    public var inside: Int
    public var bounds: PixelRectangle
}

/// What a pointing game must hit.
public struct MaskTarget: Sendable {
    public var mask: ScoredMask
    /// Pixels of the mask in each site.
    public var overlaps: [Int32]
}

/// Which values a mass metric adds up.
public enum MassView: Sendable {
    /// As displayed: after the normalisation of the map's rule, which moves the zero.
    case displayed
    /// As the method gave them, upsampled only.
    case raw
}

/// A map, or a permutation of it, seen by the metrics together with a mask.
///
/// Made for one evaluation on one thread; it computes what is asked for, once.
public protocol RankedMap: AnyObject {
    var lattice: Lattice { get }
    var mask: ScoredMask { get }
    /// Tie classes from the highest value down.
    var profile: RankProfile { get }
    var top: TopClass { get }
    /// All pixels at least as high as the one of 0-based, descending rank `rank`; ties make it more than `rank + 1`.
    func selection(rank: Int) -> Selection
    /// Largest component of `selection(rank:)`; the first in row-major order among equals.
    func largestComponent(rank: Int) -> Component
    /// Sum of the values in the mask and over the image; negative values count as 0 if `clipped`.
    func mass(_ view: MassView, clipped: Bool) -> (inside: Double, total: Double)
    /// Sums of one weight per pixel over the classes of `profile`.
    func classSums(_ weights: [Float]) -> [Double]
    /// The values as they stand, on the grid they are permuted on.
    var arranged: HeatMap { get }
    /// The mask dilated by `tolerance` pixels, and its pixels per site.
    func target(tolerance: Double) -> MaskTarget
}

/// The largest 4-connected component of the selected sites, of which there is at least one.
///
/// - Complexity: O(sites).
func largestComponent(of selected: [Bool], _ lattice: Lattice, overlaps: [Int32]) -> Component {
    let components = Mask(width: lattice.columns, height: lattice.rows, bits: selected).components(.four)
    guard let largest = components.largest else { preconditionFailure("a selection by rank holds at least one site") }
    var inside = 0
    var (top, bottom, left, right) = (lattice.rows, -1, lattice.columns, -1)
    for (site, label) in components.labels.enumerated() where label == Int32(largest) {
        let (y, x) = (site / lattice.columns, site % lattice.columns)
        inside += Int(overlaps[site])
        (top, bottom, left, right) = (min(top, y), max(bottom, y), min(left, x), max(right, x))
    }
    return Component(
        total: components.areas[largest - 1] * lattice.siteArea, inside: inside,
        bounds: lattice.pixels(rows: top...bottom, columns: left...right))
}
