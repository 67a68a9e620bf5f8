import VitrineImage

/// The image cut into equal sites on which a displayed map is constant: its pixels, or the cells of a patch map shown by
/// repetition.
///
/// A metric of a 14 x 14 map at 224 x 224 then handles 196 sites instead of 50,176 pixels, with the same result.
public struct Lattice: Sendable, Equatable {
    public let rows: Int
    public let columns: Int
    /// Pixels per site, downwards and across.
    public let siteHeight: Int
    public let siteWidth: Int

    public init(rows: Int, columns: Int, siteHeight: Int = 1, siteWidth: Int = 1) {
        precondition(rows > 0 && columns > 0 && siteHeight > 0 && siteWidth > 0, "a lattice has at least one site")
        self.rows = rows
        self.columns = columns
        self.siteHeight = siteHeight
        self.siteWidth = siteWidth
    }

    /// Number of sites.
    public var count: Int { rows * columns }
    /// Pixels of one site.
    public var siteArea: Int { siteHeight * siteWidth }
    public var height: Int { rows * siteHeight }
    public var width: Int { columns * siteWidth }
    public var pixelCount: Int { count * siteArea }

    /// The pixel at the upper left of a site, as a row-major index.
    func firstPixel(ofSite site: Int) -> Int {
        (site / columns) * siteHeight * width + (site % columns) * siteWidth
    }

    /// The pixels of a rectangle of sites.
    func pixels(rows: ClosedRange<Int>, columns: ClosedRange<Int>) -> PixelRectangle {
        PixelRectangle(
            top: rows.lowerBound * siteHeight, left: columns.lowerBound * siteWidth, width: columns.count * siteWidth,
            height: rows.count * siteHeight)
    }
}
