import VitrineImage

/// Which region of the selected pixels is compared with the mask.
public enum OverlapRegion: String, Sendable, CaseIterable {
    /// One rectangle around all of them, however far apart (the study).
    case rectangle
    /// The pixels themselves.
    case raw
    /// Their largest 4-connected component.
    case component
    /// The rectangle around the largest component.
    case componentRectangle = "component-rectangle"
}

/// The overlap of the top k % of a map with a mask: what `iou@K` and `dice@K` share.
///
/// Raw regions with `exactCount` hold exactly k % of the pixels: those of the tie class at the threshold enter at random, and
/// the value is the expectation (hypergeometric). All other regions use the study's threshold, the element of 0-based rank
/// floor(n k / 100) in descending order, and every pixel that reaches it.
struct RegionOverlap: Sendable {
    enum Measure: Sendable {
        case intersectionOverUnion
        case dice

        func callAsFunction(inside: Int, selected: Int, mask: Int) -> Double {
            switch self {
            case .intersectionOverUnion: Double(inside) / Double(mask + selected - inside)
            case .dice: 2 * Double(inside) / Double(mask + selected)
            }
        }

        /// This measure of two regions whose IoU is known.
        func fromIoU(_ iou: Double) -> Double { self == .dice ? 2 * iou / (1 + iou) : iou }
    }

    let measure: Measure
    let percentage: Double
    let region: OverlapRegion
    let exactCount: Bool

    /// 0-based rank of the study's threshold.
    func rank(_ pixels: Int) -> Int { min(pixels - 1, Int(Double(pixels) * percentage / 100)) }

    /// Size of the exact selection.
    private func count(_ pixels: Int) -> Int { max(1, rank(pixels)) }

    func value(of map: any RankedMap) -> Double {
        let mask = map.mask
        let n = mask.pixelCount
        switch region {
        case .raw where exactCount:
            let top = map.profile.top(count(n))
            let selected = top.certain + top.drawn
            return Hypergeometric(population: top.tied, successes: top.tiedInside, draws: top.drawn).expectation {
                measure(inside: top.certainInside + $0, selected: selected, mask: mask.count)
            }
        case .raw:
            let selection = map.selection(rank: rank(n))
            return measure(inside: selection.inside, selected: selection.total, mask: mask.count)
        case .rectangle:
            return overlap(map.selection(rank: rank(n)).bounds, mask)
        case .component:
            let component = map.largestComponent(rank: rank(n))
            return measure(inside: component.inside, selected: component.total, mask: mask.count)
        case .componentRectangle:
            return overlap(map.largestComponent(rank: rank(n)).bounds, mask)
        }
    }

    private func overlap(_ rectangle: PixelRectangle, _ mask: ScoredMask) -> Double {
        measure(inside: mask.count(in: rectangle), selected: rectangle.count, mask: mask.count)
    }

    func exactChance(of map: SiteRanking) -> Double? {
        guard map.isExchangeable else { return nil }
        let mask = map.mask
        let n = mask.pixelCount
        switch region {
        case .raw where map.lattice.siteArea == 1:
            let selected = exactCount ? count(n) : map.selectedSites(rank: rank(n))
            return Hypergeometric(population: n, successes: mask.count, draws: selected).expectation {
                measure(inside: $0, selected: selected, mask: mask.count)
            }
        case .rectangle:
            return RectangleChance(lattice: map.lattice, selected: map.selectedSites(rank: rank(n))).expectation {
                overlap($0, mask)
            }
        case .raw, .component, .componentRectangle:
            return nil
        }
    }

    func ceiling(of map: SiteRanking) -> Double {
        let mask = map.mask
        let n = mask.pixelCount
        let selected = region == .raw && exactCount ? count(n) : map.selectedSites(rank: rank(n)) * map.lattice.siteArea
        let fitting = min(selected, mask.count)
        switch region {
        case .raw: return measure(inside: fitting, selected: selected, mask: mask.count)
        case .component: return measure(inside: fitting, selected: fitting, mask: mask.count)
        case .rectangle: return measure.fromIoU(mask.bestRectangleIoU(minimumArea: selected))
        case .componentRectangle: return measure.fromIoU(mask.bestRectangleIoU(minimumArea: 1))
        }
    }

    var summary: String {
        let region =
            switch region {
            case .rectangle: "the rectangle around the top \(percentage) % of pixels"
            case .raw: "the top \(percentage) % of pixels" + (exactCount ? ", exactly, ties by expectation" : ", ties included")
            case .component: "the largest component of the top \(percentage) % of pixels"
            case .componentRectangle: "the rectangle around the largest component of the top \(percentage) % of pixels"
            }
        return "\(measure == .dice ? "Dice coefficient" : "intersection over union") of the mask with \(region)"
    }
}
