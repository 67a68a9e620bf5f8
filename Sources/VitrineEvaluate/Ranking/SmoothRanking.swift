import VitrineImage
import VitrineTensor

/// Permutations of the native values of a smoothly upsampled map, each displayed anew.
///
/// Selections and maxima are exact. Ranks are grouped into 4,096 equal steps of value, ties within a step taken as equal:
/// that moves a chance level by far less than its standard error, and sorting would cost five times as much.
final class SmoothRanking: RankedMap {
    let lattice: Lattice
    let mask: ScoredMask
    let overlaps: [Int32]
    private static let steps = 4096
    /// The grid as the display rule brings it to the upsampling.
    private let grid: [Float]
    private let native: HeatMap
    private let rawGrid: [Float]
    private let rule: DisplayRule
    private let upsampler: Upsampler
    private var order: [Int32]
    private var display: MapRanks.Display
    private var cachedMass: (view: MassView, clipped: Bool, mass: (inside: Double, total: Double))?
    private var low: Float = 0
    private var high: Float = 0
    /// Per step of value: all pixels in the low half, lesion pixels in the high half of the word.
    private var histogram = [UInt64](repeating: 0, count: SmoothRanking.steps)
    /// 1 for the pixels of the lesion.
    private let marks: [UInt8]
    /// The step of every pixel.
    private var pixelSteps: [Int16]
    private var histogramIsCurrent = false
    private var cachedSelections: [Int: (Selection, Float)] = [:]
    private var targets: [Double: MaskTarget] = [:]

    init(_ map: HeatMap, _ mask: ScoredMask) {
        self.mask = mask
        lattice = Lattice(rows: map.height, columns: map.width)
        overlaps = mask.overlaps(lattice)
        marks = mask.mask.bits.map { $0 ? 1 : 0 }
        rule = map.display
        rawGrid = map.values
        native = map
        var prepared = map.display.clipsNegatives ? map.values.map { max($0, 0) } : map.values
        if map.display.gridNormalisation != .none, let low = prepared.min(), let high = prepared.max(), high > low {
            let divisor = map.display.gridNormalisation == .minMaxGuarded ? 1e-7 + (high - low) : high - low
            prepared = prepared.map { ($0 - low) / divisor }
        }
        grid = prepared
        upsampler = Upsampler(map)
        order = []
        display = MapRanks.Display(height: map.height, width: map.width)
        pixelSteps = [Int16](repeating: 0, count: map.height * map.width)
    }

    /// Puts the native values into random places and displays them.
    func permute(_ random: inout Philox) {
        var order = (0..<Int32(grid.count)).map { $0 }
        random.shuffle(&order)
        self.order = order
        show()
    }

    /// Displays the values where the method put them.
    func restore() {
        order = (0..<Int32(grid.count)).map { $0 }
        show()
    }

    private func show() {
        upsampler.display(order.map { grid[Int($0)] }, into: &display)
        low = display.rowMinima.min() ?? 0
        high = display.rowMaxima.max() ?? 0
        cachedMass = nil
        histogramIsCurrent = false
        cachedSelections.removeAll(keepingCapacity: true)
    }

    private var scale: Float { high > low ? Float(SmoothRanking.steps) / (high - low) : 0 }

    private func fillHistogram() {
        if histogramIsCurrent { return }
        histogramIsCurrent = true
        MapRanks.histogram(
            of: display.values, marks: marks, low: low, scale: scale, steps: &pixelSteps, histogram: &histogram)
    }

    var profile: RankProfile {
        fillHistogram()
        var profile = RankProfile()
        profile.total.reserveCapacity(SmoothRanking.steps)
        profile.inside.reserveCapacity(SmoothRanking.steps)
        for (step, word) in histogram.enumerated().reversed() where word != 0 {
            profile.values.append(scale > 0 ? low + (Float(step) + 0.5) / scale : low)
            profile.total.append(Int(word & 0xFFFF_FFFF))
            profile.inside.append(Int(word >> 32))
        }
        return profile
    }

    func classSums(_ weights: [Float]) -> [Double] {
        fillHistogram()
        var sums = [Double](repeating: 0, count: SmoothRanking.steps)
        for i in weights.indices where weights[i] != 0 { sums[Int(pixelSteps[i])] += Double(weights[i]) }
        return (0..<SmoothRanking.steps).reversed().filter { histogram[$0] != 0 }.map { sums[$0] }
    }

    var arranged: HeatMap {
        var map = native
        map.values = order.map { native.values[Int($0)] }
        return map
    }

    var top: TopClass {
        var sites: [Int] = []
        for y in 0..<lattice.rows where display.rowMaxima[y] == high {
            for i in y * lattice.columns..<(y + 1) * lattice.columns where display.values[i] == high { sites.append(i) }
        }
        return TopClass(sites: sites)
    }

    func selection(rank: Int) -> Selection { find(rank).0 }

    /// The selection of a rank and its threshold.
    private func find(_ rank: Int) -> (Selection, Float) {
        if let known = cachedSelections[rank] { return known }
        fillHistogram()
        var above = 0
        var inside = 0
        var step = SmoothRanking.steps - 1
        while above + Int(histogram[step] & 0xFFFF_FFFF) <= rank {
            above += Int(histogram[step] & 0xFFFF_FFFF)
            inside += Int(histogram[step] >> 32)
            step -= 1
        }
        // The step that holds the rank is sorted out exactly.
        var members: [(value: Float, overlap: Int32)] = []
        let wanted = Int16(step)
        for i in 0..<pixelSteps.count where pixelSteps[i] == wanted { members.append((display.values[i], overlaps[i])) }
        members.sort { $0.value > $1.value }
        let threshold = members[rank - above].value
        var total = above
        for member in members where member.value >= threshold {
            total += 1
            inside += Int(member.overlap)
        }
        func span(_ maxima: [Float]) -> ClosedRange<Int> {
            maxima.firstIndex { $0 >= threshold }!...maxima.lastIndex { $0 >= threshold }!
        }
        let selection = Selection(
            total: total, inside: inside,
            bounds: lattice.pixels(rows: span(display.rowMaxima), columns: span(display.columnMaxima)))
        cachedSelections[rank] = (selection, threshold)
        return (selection, threshold)
    }

    func largestComponent(rank: Int) -> Component {
        let threshold = find(rank).1
        return VitrineEvaluate.largestComponent(of: display.values.map { $0 >= threshold }, lattice, overlaps: overlaps)
    }

    func mass(_ view: MassView, clipped: Bool) -> (inside: Double, total: Double) {
        // Two metrics of a protocol may ask for the same sum.
        if let known = cachedMass, known.view == view, known.clipped == clipped { return known.mass }
        let mass: (inside: Double, total: Double)
        switch view {
        case .displayed:
            mass = addUp(display.values, offset: rule.normalisation == .none ? 0 : low, clipped)
        case .raw:
            var raw = MapRanks.Display(height: lattice.rows, width: lattice.columns)
            upsampler.display(order.map { rawGrid[Int($0)] }, into: &raw)
            mass = addUp(raw.values, offset: 0, clipped)
        }
        cachedMass = (view, clipped, mass)
        return mass
    }

    private func addUp(_ values: [Float], offset: Float, _ clipped: Bool) -> (Double, Double) {
        var inside = 0.0
        var total = 0.0
        for i in 0..<values.count {
            let value = Double(clipped ? max(values[i] - offset, 0) : values[i] - offset)
            total += value
            if overlaps[i] != 0 { inside += value }
        }
        return (inside, total)
    }

    func target(tolerance: Double) -> MaskTarget {
        if let known = targets[tolerance] { return known }
        let dilated = mask.dilated(by: tolerance)
        let target = MaskTarget(mask: dilated, overlaps: tolerance == 0 ? overlaps : dilated.overlaps(lattice))
        targets[tolerance] = target
        return target
    }
}
