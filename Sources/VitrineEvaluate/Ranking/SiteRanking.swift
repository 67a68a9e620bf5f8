import VitrineImage
import VitrineTensor

/// A map whose sites are exchangeable (pixels, or the cells of a nearest-neighbour map): ranked once, permuted by shuffling
/// the order alone.
///
/// A permutation leaves the values and their tie classes as they are, so it needs neither sorting nor displaying.
public final class SiteRanking: RankedMap {
    public let lattice: Lattice
    public let mask: ScoredMask
    let overlaps: [Int32]
    private let map: ScoredMap
    private var sites: [Int32]
    private var cachedProfile: RankProfile?
    private var cachedSelections: [Int: Selection] = [:]
    private var targets: [Double: MaskTarget] = [:]
    private var siteWeights: (weights: [Float], sums: [Double])?

    init(_ map: ScoredMap, _ mask: ScoredMask) {
        self.map = map
        self.mask = mask
        lattice = map.lattice
        overlaps = mask.overlaps(map.lattice)
        sites = map.order.sites
    }

    /// Puts the values into random places.
    func permute(_ random: inout Philox) {
        // From a fixed start, so that a permutation depends on its stream alone.
        var order = (0..<Int32(lattice.count)).map { $0 }
        random.shuffle(&order)
        sites = order
        cachedProfile = nil
        cachedSelections.removeAll(keepingCapacity: true)
    }

    var classEnds: [Int32] { map.order.classEnds }

    public var profile: RankProfile {
        if let cachedProfile { return cachedProfile }
        var profile = RankProfile()
        profile.values.reserveCapacity(classEnds.count)
        profile.total.reserveCapacity(classEnds.count)
        profile.inside.reserveCapacity(classEnds.count)
        var start = 0
        for end in classEnds {
            var inside = 0
            for i in start..<Int(end) { inside += Int(overlaps[Int(sites[i])]) }
            profile.values.append(map.values[Int(map.order.sites[start])])
            profile.total.append((Int(end) - start) * lattice.siteArea)
            profile.inside.append(inside)
            start = Int(end)
        }
        cachedProfile = profile
        return profile
    }

    public func classSums(_ weights: [Float]) -> [Double] {
        if siteWeights?.weights != weights {
            var sums = [Double](repeating: 0, count: lattice.count)
            for (pixel, weight) in weights.enumerated() where weight != 0 {
                let (y, x) = (pixel / lattice.width, pixel % lattice.width)
                sums[y / lattice.siteHeight * lattice.columns + x / lattice.siteWidth] += Double(weight)
            }
            siteWeights = (weights, sums)
        }
        let known = siteWeights?.sums ?? []
        var start = 0
        return classEnds.map { end in
            defer { start = Int(end) }
            return (start..<Int(end)).reduce(0) { $0 + known[Int(sites[$1])] }
        }
    }

    public var arranged: HeatMap {
        // A smooth display ranks its own arrangement only.
        if !isExchangeable { return map.native }
        var values = map.values
        for (rank, site) in sites.enumerated() { values[Int(site)] = map.values[Int(map.order.sites[rank])] }
        return HeatMap(
            rows: lattice.rows, columns: lattice.columns, values: values, height: lattice.height, width: lattice.width, display: .finished)
    }

    public var top: TopClass { TopClass(sites: sites[..<Int(classEnds[0])].map { Int($0) }) }

    /// Number of sites at least as high as the pixel of a 0-based rank.
    func selectedSites(rank: Int) -> Int {
        let site = Int32(rank / lattice.siteArea)
        // The first class that ends beyond the site.
        var low = 0
        var high = classEnds.count - 1
        while low < high {
            let middle = (low + high) / 2
            if classEnds[middle] > site { high = middle } else { low = middle + 1 }
        }
        return Int(classEnds[low])
    }

    public func selection(rank: Int) -> Selection {
        if let known = cachedSelections[rank] { return known }
        let count = selectedSites(rank: rank)
        let columns = lattice.columns
        var inside = 0
        var (top, bottom, left, right) = (lattice.rows, -1, columns, -1)
        for i in 0..<count {
            let site = Int(sites[i])
            let y = site / columns
            let x = site - y * columns
            inside += Int(overlaps[site])
            top = min(top, y)
            bottom = max(bottom, y)
            left = min(left, x)
            right = max(right, x)
        }
        let selection = Selection(
            total: count * lattice.siteArea, inside: inside,
            bounds: lattice.pixels(rows: top...bottom, columns: left...right))
        cachedSelections[rank] = selection
        return selection
    }

    public func largestComponent(rank: Int) -> Component {
        var selected = [Bool](repeating: false, count: lattice.count)
        for site in sites[..<selectedSites(rank: rank)] { selected[Int(site)] = true }
        return VitrineEvaluate.largestComponent(of: selected, lattice, overlaps: overlaps)
    }

    /// Of the map itself; a permutation's mass has a closed form and is never asked for.
    public func mass(_ view: MassView, clipped: Bool) -> (inside: Double, total: Double) {
        if view == .raw, let raw = map.rawPixels {
            return addUp(raw, mask.overlaps(Lattice(rows: lattice.height, columns: lattice.width)), siteArea: 1, clipped)
        }
        return addUp(view == .raw ? map.rawValues : map.values, overlaps, siteArea: lattice.siteArea, clipped)
    }

    private func addUp(_ values: [Float], _ overlaps: [Int32], siteArea: Int, _ clipped: Bool) -> (Double, Double) {
        var inside = 0.0
        var total = 0.0
        for (value, overlap) in zip(values, overlaps) {
            let value = Double(clipped ? max(value, 0) : value)
            inside += value * Double(overlap)
            total += value
        }
        return (inside, total * Double(siteArea))
    }

    public func target(tolerance: Double) -> MaskTarget {
        if let known = targets[tolerance] { return known }
        let dilated = mask.dilated(by: tolerance)
        let target = MaskTarget(mask: dilated, overlaps: tolerance == 0 ? overlaps : dilated.overlaps(lattice))
        targets[tolerance] = target
        return target
    }

    /// The places of the map's values are exchangeable; else (smooth displays) only its own arrangement can be ranked here.
    var isExchangeable: Bool {
        if case .sites = map.null { return true }
        return false
    }

    /// Upsampling keeps the sum of the values wherever they stand, and no value is cut off: a mass share is then the mask's
    /// area on average. Half-pixel bilinear weights of every cell add up to the same (bicubic ones do not).
    func massShareIsLinear(clipped: Bool) -> Bool {
        guard case .display = map.null else { return true }
        return map.native.display.upsampling == .bilinear && map.native.values.allSatisfy { $0 >= 0 || !clipped }
    }

    /// The largest share of the mass that `mask.count` pixels can hold; absent if there is no positive mass.
    func largestMassShare(_ view: MassView, clipped: Bool) -> Double? {
        let isRawPixels = view == .raw && map.rawPixels != nil
        let values = view == .displayed ? map.values : map.rawPixels ?? map.rawValues
        let sorted = isRawPixels || view == .raw ? DescendingOrder(values).sites : map.order.sites
        let siteArea = isRawPixels ? 1 : lattice.siteArea
        var left = mask.count
        var best = 0.0
        var total = 0.0
        for site in sorted {
            let value = Double(clipped ? max(values[Int(site)], 0) : values[Int(site)])
            let taken = min(left, siteArea)
            best += value * Double(taken)
            total += value * Double(siteArea)
            left -= taken
        }
        return total > 0 ? best / total : nil
    }
}
