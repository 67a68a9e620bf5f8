/// Energy-based pointing game: the share of the map's positive energy that falls into the mask.
///
/// `displayed` energy is that of the min-max map, as the paper has it: its zero is the map's minimum, so that a flat map
/// spreads a large background. `raw` energy is the method's own, negative values as 0. Chance: the mask's area share where
/// the sum does not depend on the arrangement. Ceiling: the m highest values in the mask.
/// Source: Wang et al. 2020, "Score-CAM", https://arxiv.org/abs/1910.01279.
public struct EnergyPointingGame: LocalisationMetric {
    public static let facts = MetricFacts(
        "energy-pointing-game", .localisation, better: .higher,
        summary: "share of the positive mass in the mask",
        citation: "Wang et al. 2020, https://arxiv.org/abs/1910.01279")
    public static var scoresConstantMaps: Bool { true }

    public let identifier: String
    public let view: MassView

    public init(_ options: inout MetricOptions) {
        identifier = options.identifier
        view = options.rules == .study ? .displayed : .raw
    }

    public var summary: String { "share of the positive mass in the mask, of the \(view == .raw ? "raw" : "displayed") map" }

    public func value(of map: any RankedMap) -> Double? { map.massShare(view, clipped: true) }

    public func exactChance(of map: SiteRanking) -> Double? {
        map.isExchangeable || (view == .raw && map.massShareIsLinear(clipped: true)) ? map.mask.area : nil
    }

    public func ceiling(of map: SiteRanking) -> Double? { map.largestMassShare(view, clipped: true) }
}

extension RankedMap {
    /// The mask's share of the mass; absent if there is none.
    func massShare(_ view: MassView, clipped: Bool) -> Double? {
        let mass = mass(view, clipped: clipped)
        return mass.total == 0 ? nil : mass.inside / mass.total
    }
}
