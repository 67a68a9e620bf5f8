import VitrineImage

/// A heat map prepared for scoring: as displayed, ranked once for all metrics, with what is needed to permute it.
///
/// The chance level of a metric is its expectation over permutations of the map's own values. Which values change places
/// depends on how the map is displayed:
///
/// | map | places exchanged | chance levels |
/// |---|---|---|
/// | pixels (native resolution, or from a file) | pixels | exact, but for component regions |
/// | patches shown by repetition | patches | exact, but for raw regions and components |
/// | patches shown bilinearly or bicubically | patches, displayed anew by the same rule | permutations; raw mass exact |
public struct ScoredMap: Sendable {
    enum Null: Sendable {
        case sites
        /// The native values are permuted and displayed by the map's rule.
        case display
    }

    public let lattice: Lattice
    /// The map as its method, or its file, gave it.
    public let native: HeatMap
    /// One displayed value per site.
    let values: [Float]
    /// One value per site before normalisation and clipping.
    let rawValues: [Float]
    /// Upsampled native values per pixel, where they are not constant on the sites.
    let rawPixels: [Float]?
    let order: DescendingOrder
    let null: Null
    /// `.constantMap` or `.nonFiniteMap`, if the map is either.
    public let flag: ScoreStatus?

    /// Why the native values say nothing: they are all the same, or some are no numbers.
    var withoutAnswer: (reason: Undefined, status: ScoreStatus)? {
        guard native.values.allSatisfy(\.isFinite) else { return (Undefined("the map holds NaN or infinity"), .nonFiniteMap) }
        guard native.values.allSatisfy({ $0 == native.values[0] }) else { return nil }
        return (Undefined("the map has the same value everywhere"), .constantMap)
    }

    public var height: Int { lattice.height }
    public var width: Int { lattice.width }

    /// A map as another tool displays it: `height x width` values, row-major, any sign.
    ///
    /// If it is constant on equal blocks (patches shown by repetition), the blocks become its sites; a smoothly upsampled
    /// map cannot be told from one at pixel resolution and is scored against pixel permutations.
    ///
    /// - Parameter native: the values that the display was made of, where they are known.
    public init(pixels: [Float], height: Int, width: Int, native: HeatMap? = nil) {
        precondition(pixels.count == height * width && !pixels.isEmpty, "a displayed map holds height x width values")
        let block = pixels.allSatisfy(\.isFinite) ? ScoredMap.blockSide(pixels, height, width) : 1
        let lattice = Lattice(rows: height / block, columns: width / block, siteHeight: block, siteWidth: block)
        let values = (0..<lattice.count).map { pixels[lattice.firstPixel(ofSite: $0)] }
        let shown = HeatMap(rows: height, columns: width, values: pixels, height: height, width: width, display: .finished)
        self.init(lattice, native: native ?? shown, values: values, raw: values, rawPixels: nil, null: .sites)
    }

    /// A map at its native resolution; it is displayed by its own rule.
    public init(_ map: HeatMap) {
        let isFinite = map.values.allSatisfy(\.isFinite)
        let isCells = map.height % map.rows == 0 && map.width % map.columns == 0
        let sitesAreCells = (map.rows == map.height && map.columns == map.width) || (isCells && map.display.upsampling == .nearest)
        self.init(map, sitesAreCells: sitesAreCells, flag: isFinite ? nil : .nonFiniteMap)
    }

    private init(_ map: HeatMap, sitesAreCells: Bool, flag: ScoreStatus?) {
        let pixels = map.displayed()
        if sitesAreCells {
            let lattice = Lattice(
                rows: map.rows, columns: map.columns, siteHeight: map.height / map.rows, siteWidth: map.width / map.columns)
            let values = (0..<lattice.count).map { pixels[lattice.firstPixel(ofSite: $0)] }
            self.init(lattice, native: map, values: values, raw: map.values, rawPixels: nil, null: .sites, flag: flag)
        } else {
            var raw = map
            raw.display = DisplayRule(upsampling: map.display.upsampling, normalisation: .none)
            let isConstant = pixels.allSatisfy { $0 == pixels[0] }
            self.init(
                Lattice(rows: map.height, columns: map.width), native: map, values: pixels, raw: [], rawPixels: raw.displayed(),
                null: isConstant ? .sites : .display, flag: flag)
        }
    }

    private init(
        _ lattice: Lattice, native: HeatMap, values: [Float], raw: [Float], rawPixels: [Float]?, null: Null,
        flag: ScoreStatus? = nil
    ) {
        let isFinite = values.allSatisfy(\.isFinite)
        self.lattice = lattice
        self.native = native
        self.values = isFinite ? values : values.indices.map { Float($0) }
        rawValues = isFinite ? raw : self.values
        self.rawPixels = rawPixels
        self.null = null
        order = DescendingOrder(self.values)
        self.flag = flag ?? (!isFinite ? .nonFiniteMap : order.classEnds.count == 1 ? .constantMap : nil)
    }

    /// Side of the largest square blocks, above 1 and below the image, on which a map is constant; else 1.
    private static func blockSide(_ pixels: [Float], _ height: Int, _ width: Int) -> Int {
        // A block boundary may stand wherever neighbours differ: the side divides every such position, and both sizes.
        var side = height
        func divide(_ n: Int) {
            var (a, b) = (side, n)
            while b != 0 { (a, b) = (b, a % b) }
            side = a
        }
        divide(width)
        for y in 0..<height where side > 1 {
            for x in 1..<max(width, 2) where x < width && x % side != 0 && pixels[y * width + x] != pixels[y * width + x - 1] {
                divide(x)
            }
            if y % side != 0, (0..<width).contains(where: { pixels[y * width + $0] != pixels[(y - 1) * width + $0] }) {
                divide(y)
            }
        }
        // A constant map keeps its pixels.
        return side == height && side == width ? 1 : side
    }
}
